"""What acquiring a whole site-season takes: requests, bytes, CPU and wall time, cold and when nothing has changed.

    python -m benchmarks.acquisition [--root sandbox_data] [--latency 0.05] [--write docs/acquisition-benchmark.md]

The archives are the sandbox's on loopback with a delay before every answer. It builds its scenes when they are first
asked for; a first, unmeasured acquisition has them all built, and the sandbox's own CPU is told apart throughout.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import httpx

from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason

SEASON = SiteSeason("innsbruck", 2024)
SITES = Path(str(resources.files("satfusion_assets"))) / "default_sites.geojson"
COUNTED = {"raw_s2": "scenes", "raw_s3": "overpasses", "raw_phenocam": "pictures"}
TODAY = date(2025, 6, 1)
"""The season is over and settled, so that nothing is asked again because it may still change."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One acquisition. requests: all of them; transfers: those answered with data (not 304, not the catalogue's).
    unreadable: things that the archive holds damaged, whose bad parts every run looks at again.
    """

    wall_s: float
    cpu_s: float
    server_cpu_s: float
    requests: int
    transfers: int
    megabytes: float
    things: int
    unreadable: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("sandbox_data"), help="folder of the sandbox")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before every answer")
    parser.add_argument("--write", type=Path, help="write the tables as Markdown here")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        SandboxProcess(options.root, SITES, today=TODAY) as sandbox,
    ):
        text = report(sandbox, Path(folder), options.latency)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(sandbox: SandboxProcess, folder: Path, latency: float) -> str:
    """Both tables: every product cold, and again."""
    settings = settings_for(sandbox)
    for acquire in acquisitions(settings, ProductStore(folder / "warm")).values():
        acquire()
    httpx.post(f"{sandbox.url}/_faults", json={"path": "^/", "kind": "delay", "seconds": latency}).raise_for_status()
    made = acquisitions(settings, ProductStore(folder / "measured"))
    cold = {name: measure(sandbox, name, acquire) for name, acquire in made.items()}
    again = {name: measure(sandbox, name, acquire) for name, acquire in made.items()}
    scenes = cold["raw_s2"]
    return "\n".join(
        [
            "# Acquisition of a site-season",
            "",
            f"{SEASON.key} with its margins from the sandbox's archives, {1e3 * latency:.0f} ms before every answer,",
            f"{settings.earth_search_connections} scenes and {settings.phenocam_connections} pictures at a time, two "
            "openEO jobs. A request carries data when it is answered with part of",
            "a file (not 304, not the catalogue). Written by `python -m benchmarks.acquisition`.",
            "",
            "## Nothing there yet",
            "",
            *table(cold),
            "",
            f"A Sentinel-2 scene costs {scenes.requests / scenes.things:.1f} requests, "
            f"{scenes.megabytes / scenes.things:.2f} MB and {1e3 * scenes.cpu_s / scenes.things:.0f} ms of CPU.",
            "",
            "## Again, nothing changed",
            "",
            *table(again),
            "",
            f"The data of raw_s2 are the bad parts of the {again['raw_s2'].unreadable} scene that the archive holds "
            "damaged: whether it has been mended is",
            "seen by asking for them again. A season without such a scene asks for no data.",
            "",
        ]
    )


def settings_for(sandbox: SandboxProcess) -> Settings:
    given = sandbox.environment()
    return Settings(
        _env_file=None,
        earth_search_url=given["SATFUSION_EARTH_SEARCH_URL"],
        openeo_url=given["SATFUSION_OPENEO_URL"],
        phenocam_url=given["SATFUSION_PHENOCAM_URL"],
        cdse_user=given["CDSE_USER"],
        cdse_password=given["CDSE_PASSWORD"],
        openeo_poll_s=1.0,
    )


def acquisitions(settings: Settings, store: ProductStore) -> dict[str, Callable[[], Outcome]]:
    site = SiteRegistry.load(SITES).site(SEASON.site)
    return {
        "raw_s2": lambda: acquire_sentinel2(site, SEASON, store, settings),
        "raw_s3": lambda: acquire_sentinel3(site, SEASON, store, settings, today=TODAY),
        "raw_phenocam": lambda: acquire_phenocam(site, SEASON, store, settings),
    }


def measure(sandbox: SandboxProcess, name: str, acquire: Callable[[], Outcome]) -> Measured:
    httpx.delete(f"{sandbox.url}/_faults?log").raise_for_status()
    server, cpu, wall = server_cpu(), time.process_time(), time.perf_counter()
    outcome = acquire()
    wall, cpu, server = time.perf_counter() - wall, time.process_time() - cpu, server_cpu() - server
    log: list[dict[str, Any]] = httpx.get(f"{sandbox.url}/_faults?log").json()
    files = [r for r in log if r["path"].startswith("/data/") or "/results/assets/" in r["path"]]
    return Measured(
        wall_s=wall,
        cpu_s=cpu,
        server_cpu_s=server,
        requests=len(log),
        transfers=sum(r["status"] in (200, 206) for r in files),
        megabytes=sum(r["bytes"] for r in log) / 1e6,
        things=int(outcome.numbers[COUNTED[name]] or 0),
        unreadable=sum(row["kind"] == "unreadable" for row in outcome.tables.get("set_aside", [])),
    )


def server_cpu() -> float:
    """CPU seconds of our child processes; only the sandbox is one."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[1]) == os.getpid():
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def table(rows: dict[str, Measured]) -> list[str]:
    lines = [
        "| product | of | requests | with data | MB | wall s | CPU s | sandbox's CPU s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row.things} {COUNTED[name]} | {row.requests} | {row.transfers} | {row.megabytes:.1f} "
            f"| {row.wall_s:.1f} | {row.cpu_s:.1f} | {row.server_cpu_s:.1f} |"
        )
    return lines


if __name__ == "__main__":
    main()
