"""The doctor finds a running sandbox well, and says of each thing that is missing what it is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from satfusion_assets.cli.doctor import Health, examine
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.sandbox.server.run import SandboxProcess

SITES = Path(str(resources.files("satfusion_assets"))) / "default_sites.geojson"


@pytest.fixture
def at_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    """As after the exports that the demo prints."""
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with SandboxProcess(tmp_path / "sandbox", SITES) as process:
        for name, value in process.environment().items():
            monkeypatch.setenv(name, value)
        yield process


def test_every_service_of_the_sandbox_answers(at_sandbox: SandboxProcess) -> None:
    findings = {one.what: one for one in examine(Platform())}
    assert {"Earth Search", "Copernicus openEO", "PhenoCam", "Copernicus account"} <= set(findings)
    assert {name: one.says for name, one in findings.items() if one.verdict is Health.FAILED} == {}


def test_a_service_that_is_down_is_said_and_the_others_are_judged(
    at_sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATFUSION_PHENOCAM_URL", "http://127.0.0.1:9")
    failed = {one.what for one in examine(Platform()) if one.verdict is Health.FAILED}
    assert failed == {"PhenoCam"}
