"""``satfusion doctor``: can this installation do its work, and what is missing?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.home import dagster_home
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.errors import SatfusionError
from satfusion_assets.vocabulary.settings import CREDENTIAL_VARIABLES, Settings

_NO_ACCOUNT: Final = (
    f"not set: Sentinel-3 needs {CREDENTIAL_VARIABLES}; an account is made at https://dataspace.copernicus.eu, and "
    "SATFUSION_S3_PRODUCT=none does without."
)
ROOM_PER_SITE_SEASON = 1.5e9
"""Bytes that one site-season takes with all scenarios, and some air."""


MOST_NAMED = 5


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Health
    says: str


REPORT: Final = Path("satfusion-live-report.txt")


def doctor(
    live: Annotated[
        str | None, typer.Option(metavar="SITE", help="try the archives for real with one scene, month and summary")
    ] = None,
    report: Annotated[Path, typer.Option(help="where the report of --live is written")] = REPORT,
) -> None:
    """Say which services answer, which credentials are missing and how much disk there is.

    With --live SITE each archive is asked for one thing of the site, which the platform's own readers read: what
    differs from what they expect is said, and written down without credentials, to be sent in.
    """
    if live is not None:
        _try_live(live, report)
        return
    findings = list(examine(Platform()))
    table = Table("what", "verdict", "says")
    colours = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red"}
    for finding in findings:
        table.add_row(finding.what, f"[{colours[finding.verdict]}]{finding.verdict}[/]", finding.says)
    Console().print(table)
    if any(finding.verdict is Health.FAILED for finding in findings):
        raise typer.Exit(1)


def _try_live(name: str, path: Path) -> None:
    from satfusion_assets.cli.live import differences, redacted, report, try_archives

    platform, console = Platform(), Console()
    site, probes = platform.registry.site(name), []
    for probe in try_archives(platform.settings, site, platform.now().date()):
        probes.append(probe)
        words = differences(probe) or ["as the readers expect"]
        for text in words:
            console.print(f"{probe.archive}: {redacted(text, platform.settings)}", soft_wrap=True, highlight=False)
    software = f"satfusion {metadata.version('satfusion')}"
    path.write_text(report(probes, site, software, platform.settings))
    console.print(f"What was seen is in {path}; it holds no credentials.", soft_wrap=True, highlight=False)
    if any(probe.differences for probe in probes):
        raise typer.Exit(1)


def examine(platform: Platform) -> Iterator[Finding]:
    """Look at everything that a run needs."""
    settings = platform.settings
    yield _dagster_home()
    yield _sites(platform)
    yield _disk(settings.data_root)
    yield _store(platform)
    yield _credentials(settings)
    services = {
        "Earth Search": settings.earth_search_url,
        "Copernicus openEO": settings.openeo_url,
        "PhenoCam": f"{settings.phenocam_url}/api/",
    }
    for name, url in services.items():
        yield _service(name, url)


def _dagster_home() -> Finding:
    try:
        home = dagster_home()
    except SatfusionError as error:
        return Finding("DAGSTER_HOME", Health.FAILED, str(error))
    if not home.is_absolute() or not os.access(home, os.W_OK):
        return Finding("DAGSTER_HOME", Health.FAILED, f"{home} must be an absolute, writable folder.")
    return Finding("DAGSTER_HOME", Health.OK, str(home))


def _sites(platform: Platform) -> Finding:
    try:
        registry = platform.registry
    except SatfusionError as error:
        return Finding("sites", Health.FAILED, str(error))
    return Finding("sites", Health.OK, f"{len(registry.sites)} sites, {len(registry.site_seasons)} site-seasons")


def _disk(root: Path) -> Finding:
    there = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return Finding("data root", Health.FAILED, f"{there} is not writable; set SATFUSION_DATA_ROOT.")
    free = shutil.disk_usage(there).free
    verdict = Health.OK if free > ROOM_PER_SITE_SEASON else Health.WARNING
    return Finding("data root", verdict, f"{root.absolute()}, {free / 1e9:.1f} GB free")


def _store(platform: Platform) -> Finding:
    """What lies where the store notes its publications and is none of its notes. Nothing is hurt by it."""
    foreign = platform.store.foreign_markers()
    if not foreign:
        return Finding("product store", Health.OK, "no foreign files among its markers")
    listed = ", ".join(path.name for path in foreign[:MOST_NAMED]) + (", ..." if len(foreign) > MOST_NAMED else "")
    return Finding(
        "product store",
        Health.WARNING,
        f"{foreign[0].parent} holds {len(foreign)} files that note no publication ({listed}); they do no harm: delete "
        "them while nothing runs.",
    )


def _credentials(settings: Settings) -> Finding:
    person = settings.cdse_user and settings.cdse_password
    machine = settings.cdse_client_id and settings.cdse_client_secret
    if person or machine:
        return Finding("Copernicus account", Health.OK, "set by " + ("client" if machine else "user and password"))
    return Finding("Copernicus account", Health.WARNING, _NO_ACCOUNT)


def _service(name: str, url: str) -> Finding:
    import httpx

    try:
        answer = httpx.get(url, timeout=15, follow_redirects=True)
    except httpx.HTTPError as error:
        return Finding(name, Health.FAILED, f"{url} cannot be reached ({type(error).__name__}).")
    if answer.is_error:
        return Finding(name, Health.FAILED, f"{url} answers {answer.status_code}.")
    return Finding(name, Health.OK, f"{url} answers")
