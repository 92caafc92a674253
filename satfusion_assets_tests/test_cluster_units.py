"""The units of ``deploy/cluster/systemd``: systemd takes them, and they are as confined as those of one machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from satfusion_assets.orchestration.cluster.worker import BROKER, POSTGRES
from satfusion_assets.vocabulary.settings import PREFIX, Settings
from satfusion_assets_tests.test_containers import PROGRAMS, parse
from satfusion_assets_tests.test_deploy import ROOT, UNITS, service

CLUSTER = ROOT / "deploy" / "cluster"
OURS = sorted((CLUSTER / "systemd").glob("*.*"))
SERVICES = [unit for unit in OURS if unit.suffix == ".service"]
EXAMPLES = (ROOT / "deploy" / "satfusion.env.example", CLUSTER / "satfusion.env.example")
WITHOUT_PRIVILEGES = re.compile(r"^(UMask|Protect|Private|NoNew|Capability|Restrict|Lock|SystemCall)")


def variables(file: Path) -> set[str]:
    return set(re.findall(r"^(\w+)=", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_is_as_confined_as_the_viewer_of_one_machine(unit: Path) -> None:
    settings = service(unit)
    assert settings["User"] == "satfusion"
    viewer = service(ROOT / "deploy" / "systemd" / "satfusion-viewer.service")
    confined = {name: value for name, value in viewer.items() if WITHOUT_PRIVILEGES.match(name)}
    assert len(confined) > 15
    assert {name: settings.get(name) for name in confined} == confined


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_its_command_and_the_variables_in_it_exist(unit: Path) -> None:
    program, *arguments = service(unit)["ExecStart"].split()
    parse(PROGRAMS[Path(program).name], arguments)
    used = set(re.findall(r"\$\{(\w+)}", service(unit)["ExecStart"]))
    assert used <= set.union(*map(variables, EXAMPLES))


def test_the_example_names_our_settings() -> None:
    known = {f"{PREFIX}{field}".upper() for field in Settings.model_fields} | {POSTGRES, BROKER}
    of_units = {"SATFUSION_WORKER_RUNS"}
    named = {name for name in variables(EXAMPLES[1]) if name.startswith(PREFIX)}
    assert named <= known | of_units
    assert {POSTGRES, BROKER, "SATFUSION_STORE"} <= named


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With the programs of this environment in the place of those of the installation."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    for unit in [*OURS, *UNITS]:
        if unit.is_dir():
            shutil.copytree(unit, tmp_path / unit.name)
            continue
        text = unit.read_text().replace("/opt/satfusion/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text.replace("/opt/satfusion", str(ROOT)))
    units = [str(tmp_path / unit.name) for unit in OURS if unit.is_file()]
    search = os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", *units]
    done = subprocess.run(command, env=search, capture_output=True, text=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if "satfusion" in line]
    assert said == [], "\n".join(said)
    assert done.returncode == 0, done.stderr
