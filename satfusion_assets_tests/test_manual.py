"""The manual: it builds without a warning, its pages lead everywhere, and what it tells people to type works.

How-tos that need a season run in ``test_end_to_end``; of a cluster's page the command that is marked as long runs here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio

from deploy.demo_cluster.cluster import what_is_missing
from deploy.demo_cluster.hosts import BRIDGE
from docs_site.hooks import answers, commands
from satfusion_assets_tests.manual import DOCS, blocks, follow

CHECKOUT = DOCS.parent
EVIDENCE = {
    line.split(": ")[1].strip()
    for line in (CHECKOUT / "mkdocs.yml").read_text().split("- Evidence:")[1].split("- Development:")[0].splitlines()
    if ": " in line
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built manual."""
    built = tmp_path_factory.mktemp("manual")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(built)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return built


def test_it_loads_nothing_from_outside(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        for tag in ("<script src=", '<link rel="stylesheet" href='):
            assert f'{tag}"http' not in text, page.name
            assert f"{tag}http" not in text, page.name


def test_signatures_commands_and_columns_are_those_of_the_code(site: Path) -> None:
    assert "data_root" in (site / "api.html").read_text(), "open_season's signature"
    assert "satfusion materialize" in (site / "commands.html").read_text()
    assert "calibrated_nse_low" in (site / "data-dictionary.html").read_text()


def test_every_page_of_evidence_begins_with_its_answer_in_three_sentences(site: Path) -> None:
    assert set(answers()) == EVIDENCE
    for page, answer in answers().items():
        assert answer.count(". ") + 1 == 3, f"{page}: {answer}"
        assert "In short" in (site / page).with_suffix(".html").read_text()


def test_the_command_reference_is_typers_own() -> None:
    assert commands().startswith("# Commands\n")


def test_own_rasters_are_fused_as_the_page_says(tmp_path: Path) -> None:
    def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "satfusion_assets.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    said = follow("how-to/own-rasters.md", tmp_path, run)
    assert said.count("14 of 14 days fused") == 2
    with rasterio.open(tmp_path / "fields" / "fusion" / "REFL_20240505.tif") as image:
        red, nir = image.read()
    assert np.isfinite(nir).all()
    assert nir.mean() > red.mean() + 0.1, "the field is green in May"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_cluster_on_one_machine_makes_a_season_as_the_page_says() -> None:
    if missing := what_is_missing():
        pytest.skip(missing)
    (command,) = next(block.commands for block in blocks("cluster.md") if block.slow)
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "COMPLETED_SUCCESS" in done.stdout
    assert "worker-a" in done.stdout or "worker-b" in done.stdout, "the control host executes nothing"
    assert not Path("/sys/class/net", BRIDGE).exists(), "nothing of it is left"
