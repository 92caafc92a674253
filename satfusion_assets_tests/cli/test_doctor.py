"""The doctor finds a running sandbox well, and says of each thing that is missing what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.cli.doctor import Health, examine
from satfusion_assets.cli.live import probe_month, redacted
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site

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


def live(site: str) -> tuple[int, str, str]:
    """Exit code, what is said, and the report."""
    report = Path("report.txt")
    done = CliRunner().invoke(app, ["doctor", "--live", site, "--report", str(report)])
    return done.exit_code, done.output, report.read_text()


def test_the_archives_are_tried_with_the_platforms_own_readers(
    at_sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One scene's window, one month's cube, one summary; nothing is published."""
    monkeypatch.chdir(tmp_path)
    code, says, report = live("innsbruck")
    assert (code, says.count("as the readers expect")) == (0, 3), says
    for fact in ("offset subtracted: 1000", "overpasses: ", "region: innsbruck_GR_1000", "SCL classes: "):
        assert fact in report
    assert Platform().store.products(Platform().registry.site_season("innsbruck", 2024)) == []


def test_what_differs_is_said_and_the_other_archives_are_still_tried(
    at_sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in at_sandbox.environment():
        if name.endswith(("PASSWORD", "SECRET")):
            monkeypatch.setenv(name, "open-sesame-of-mine")
    monkeypatch.setenv("SATFUSION_PHENOCAM_URL", "http://127.0.0.1:9")
    code, says, report = live("innsbruck")
    assert code == 1
    assert "Earth Search: as the readers expect" in says
    assert "Copernicus openEO: as the readers expect" not in says, "the credentials are wrong"
    assert "CDSE_" in says
    assert "PhenoCam did not answer" in says
    assert "open-sesame" not in says + report


def test_a_report_holds_nothing_that_is_only_its_senders(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, data_root=tmp_path, cdse_user="me@home.example", cdse_password=SecretStr("pa ss")
    )
    text = f"https://u:p@a.example/x.tif?sig=abc#d at {tmp_path}/cache by me@home.example (pa ss), ask pi@uni.example"
    assert redacted(text, settings) == (
        "https://[removed]@a.example/x.tif?[removed] at [data root]/cache by [credential] ([credential]), ask [address]"
    )


@pytest.mark.parametrize(
    ("seasons", "today", "first"),
    [
        ((2023, 2024), "2025-03-09", "2024-07-01"),
        ((2024,), "2024-05-20", "2024-04-01"),
        ((2025,), "2025-01-05", "2024-12-01"),
    ],
)
def test_the_month_that_is_asked_for_is_over(seasons: tuple[int, ...], today: str, first: str) -> None:
    site = Site(name="x", latitude=47.0, longitude=11.0, seasons=seasons)
    assert probe_month(site, date.fromisoformat(today))[0] == date.fromisoformat(first)
