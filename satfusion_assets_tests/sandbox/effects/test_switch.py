"""The switch: landscapes lie apart in the cache, the plain one where it always lay, and the command line knows both."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.sandbox.effects import HARD, PLAIN, Effects
from satfusion_assets.sandbox.place import SandboxPlace
from satfusion_assets_tests.sandbox.conftest import SITES, TODAY


def test_every_landscape_has_a_folder_of_its_own(tmp_path: Path) -> None:
    kinds = (PLAIN, HARD, Effects(brdf=True), Effects(terrain=True))
    folders = {SandboxPlace(SITES["innsbruck"], 1, tmp_path, TODAY, effects).folder for effects in kinds}
    assert len(folders) == len(kinds)
    assert SandboxPlace(SITES["innsbruck"], 1, tmp_path, TODAY).folder in folders


def test_a_landscape_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["sandbox", "build", "innsbruck", "2024", "--landscape", "fog"])
    assert result.exit_code != 0
    assert "no landscape 'fog'" in f"{result.output} {result.exception}"
