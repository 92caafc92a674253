"""The wheel, in an empty environment and an empty folder: whatever README says works there without a checkout."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from satfusion_assets_tests.conftest import AUTHORITIES, AUTHORITIES_OF_THE_MACHINE

ROOT = Path(__file__).parents[1]
SCIENCE = ("numba", "numpy", "scipy", "threadpoolctl", "xarray")
TINY_FUSION = """
import sys
import numpy as np
import satfusion_assets
days = np.datetime64("2024-05-01") + 10 * np.arange(5)
fine = np.random.default_rng(0).uniform(0.05, 0.4, (5, 2, 40, 40)).astype("f4")
coarse = fine.reshape(5, 2, 2, 20, 2, 20).mean((3, 5))
fused = satfusion_assets.fuse(days[2:3], coarse, days, fine, days, np.full((5, 2, 2), 50.0), ratio=20)
print(np.isfinite(fused.values).mean(), sorted({"dagster", "rasterio", "httpx"} & set(sys.modules)))
"""


def uv(*arguments: str | Path) -> None:
    program = Path(sys.executable).with_name("uv")
    trusted = os.environ[AUTHORITIES_OF_THE_MACHINE]  # of the registry
    own = {name: value for name, value in os.environ.items() if name != AUTHORITIES}
    environment = own | ({AUTHORITIES: trusted} if trusted else {})
    command = [program, *arguments]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "webapp/dist/index.html").is_file():
        if "CI" in os.environ:
            pytest.fail("the viewer is not built, and a wheel holds it")
        pytest.skip("the viewer is not built: make webapp")
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--no-build-isolation", "--quiet", "--out-dir", folder, ROOT)
    return next(folder.glob("satfusion-*.whl"))


def environment_with(folder: Path, *arguments: str | Path) -> Path:
    """A new environment with what ``uv pip install`` makes of ``arguments``; its folder of programs."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    pip: list[str | Path] = [
        "pip",
        "install",
        "--quiet",
        "--python",
        folder / "bin/python",
        "--constraint",
        ROOT / "requirements.lock",
    ]
    uv(*pip, *arguments)
    return folder / "bin"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(tmp_path_factory.mktemp("installed") / "env", wheel)


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """Somebody who has set nothing, in a home of their own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("SATFUSION_", "DAGSTER_"))}
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "XDG_DATA_HOME", "DISPLAY", "WAYLAND_DISPLAY"):
        plain.pop(name, None)
    (tmp_path / "anywhere").mkdir()
    return plain | {"HOME": str(tmp_path)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running(installed: Path, user: dict[str, str]) -> Iterator[tuple[str, str]]:
    """``satfusion up``: the addresses of the Dagster UI and the viewer."""
    dagster, viewer = free_port(), free_port()
    command: list[str | Path] = [
        installed / "satfusion",
        "up",
        "--dagster-port",
        str(dagster),
        "--viewer-port",
        str(viewer),
    ]
    anywhere = Path(user["HOME"]) / "anywhere"
    with subprocess.Popen(command, cwd=anywhere, env=user, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        assert any("Stop with Ctrl-C" in line for line in said)
        yield f"http://127.0.0.1:{dagster}", f"http://127.0.0.1:{viewer}"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.slow
def test_up_serves_the_code_the_daemon_and_the_viewer(running: tuple[str, str], user: dict[str, str]) -> None:
    dagster, viewer = running
    query = """{ workspaceOrError { ... on Workspace { locationEntries { loadStatus
        locationOrLoadError { ... on RepositoryLocation { repositories { assetNodes { assetKey { path } } } } } } } }
      instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }"""
    answer = httpx.post(f"{dagster}/graphql", json={"query": query}, timeout=60).json()["data"]
    (location,) = answer["workspaceOrError"]["locationEntries"]
    assert location["loadStatus"] == "LOADED"
    nodes = location["locationOrLoadError"]["repositories"][0]["assetNodes"]
    assert ["fused"] in [node["assetKey"]["path"] for node in nodes]
    page = httpx.get(viewer)
    script = page.text.split('src="')[1].split('"')[0]
    assert httpx.get(viewer + script).is_success, "the front end is in the wheel"
    assert [site["name"] for site in httpx.get(f"{viewer}/_api/catalog").json()["sites"]], "and so are the sites"
    deadline = time.monotonic() + 60
    while not _daemon_is_healthy(dagster):
        assert time.monotonic() < deadline
        time.sleep(1)
    home = Path(user["HOME"])
    assert (home / ".local/share/satfusion/dagster_home/dagster.yaml").is_file()
    assert not any((home / "anywhere").iterdir()), "nothing is left where the command was given"


def _daemon_is_healthy(dagster: str) -> bool:
    query = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"
    answer = httpx.post(f"{dagster}/graphql", json={"query": query}, timeout=60).json()["data"]
    return all(
        status["healthy"]
        for status in answer["instance"]["daemonHealth"]["allDaemonStatuses"]
        if status["required"] and status["daemonType"] == "QUEUED_RUN_COORDINATOR"
    )


def test_one_variable_moves_the_data_and_another_the_records(
    installed: Path, user: dict[str, str], tmp_path: Path
) -> None:
    moved = user | {"XDG_DATA_HOME": str(tmp_path / "big disk")}
    unreachable = {f"SATFUSION_{name}_URL": "http://127.0.0.1:9" for name in ("EARTH_SEARCH", "OPENEO", "PHENOCAM")}
    command: list[str | Path] = [installed / "satfusion", "doctor"]
    said = subprocess.run(
        command, cwd=tmp_path, env=moved | unreachable | {"COLUMNS": "300"}, capture_output=True, text=True, check=False
    )
    assert "big disk/satfusion/dagster_home" in said.stdout, said.stderr
    assert "big disk/satfusion/data" in said.stdout


def test_dagsters_own_command_loads_the_definitions(installed: Path, user: dict[str, str]) -> None:
    command: list[str | Path] = [installed / "dagster", "asset", "list", "-m", "satfusion_assets.definitions"]
    said = subprocess.run(command, env=user, cwd=user["HOME"], capture_output=True, text=True, check=False)
    assert "scenario_metrics" in said.stdout.split(), said.stderr


def test_the_wheel_is_typed_and_knows_its_version(installed: Path, user: dict[str, str], wheel: Path) -> None:
    said = subprocess.run([installed / "satfusion", "--version"], env=user, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["satfusion", wheel.name.split("-")[1]]
    package = next(installed.parent.glob("lib/python*/site-packages/satfusion_assets"))
    assert (package / "py.typed").is_file()


def test_the_science_needs_five_libraries_and_no_dagster(wheel: Path, tmp_path: Path, user: dict[str, str]) -> None:
    programs = environment_with(tmp_path / "light", *SCIENCE)
    uv("pip", "install", "--quiet", "--python", programs / "python", "--no-deps", wheel)
    said = subprocess.run(
        [programs / "python", "-c", TINY_FUSION], env=user, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.stdout.split() == ["1.0", "[]"], said.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_demo_from_the_wheel(installed: Path, user: dict[str, str]) -> None:
    command: list[str | Path] = [installed / "satfusion", "demo", "--no-serve", "--sandbox-port", str(free_port())]
    said = subprocess.run(
        command, cwd=Path(user["HOME"]) / "anywhere", env=user, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    season = Path(user["HOME"]) / ".local/share/satfusion/data/innsbruck/2024"
    assert json.loads((season / "metrics.json").read_text())["temporal"]
    shutil.rmtree(user["HOME"])
