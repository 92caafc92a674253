"""What the eight fused partitions of a site-season cost, from prepared files to published products.

Prepares a season of the sandbox where it is not there yet, then fuses every scenario in this process, as a run of its
partition does, and validates each raster as a cloud-optimised GeoTIFF. CPU is of the whole process and its threads,
user and system; what only a process's first partition costs (imports, loading compiled code) stands apart.

    python benchmarks/fused_asset.py --folder SCRATCH [--season innsbruck_2024] [--write docs/fused-asset-benchmark.md]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rio_cogeo.cogeo import cog_validate

from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.fusion.efast.compiled import available_threads
from satfusion_assets.pipeline.fused.fuse import fuse_season, season_days
from satfusion_assets.pipeline.fused.inputs import season_stack
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario

REPEATS = 3


@dataclass(frozen=True)
class Cost:
    """Seconds of one partition. values, quality: fused in memory from the prepared files, without and with layers."""

    wall: float
    cpu: float
    values: float
    quality: float
    files: int
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the season lies or is to be built")
    parser.add_argument("--season", default="innsbruck_2024", help="site-season of the sandbox")
    parser.add_argument("--seed", type=int, default=1, help="of the sandbox's landscape")
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    season = prepared_season(options.season, options.seed, options.folder)
    if options.first:
        fuse_season(season.store, season.site, season.site_season, SCENARIOS[0])
        sys.stdout.write(f"{time.process_time():.3f}")
        return
    command = [sys.executable, "-m", "benchmarks.fused_asset", "--first", "--folder", str(options.folder)]
    command += ["--season", options.season, "--seed", str(options.seed)]
    text = report(season, lambda: float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(season: PreparedSeason, first: Callable[[], float]) -> str:
    for scenario in (SCENARIOS[0], next(s for s in SCENARIOS if s.mode is not SCENARIOS[0].mode)):
        fuse_season(season.store, season.site, season.site_season, scenario)  # compiled code is loaded
    costs = {scenario: _cost(season, scenario) for scenario in SCENARIOS}
    lines = [
        "# Cost of the fused asset",
        "",
        f"{season.title}, all eight partitions, on {available_threads()} cores; warm, the least of {REPEATS}.",
        "Written by `python -m benchmarks.fused_asset --folder SCRATCH`. Seconds: wall and CPU (user and system, all",
        "threads) from prepared files to the published product with its quality layers; CPU of reading and fusing",
        "alone, without and with quality layers (nothing encoded). Every raster is a valid cloud-optimised GeoTIFF.",
        "",
        "| scenario | wall | CPU | CPU read and fused | CPU with quality layers | files | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(scenario.key, cost) for scenario, cost in costs.items()]
    lines.append(_row("all", Cost(*np.sum([list(vars(cost).values()) for cost in costs.values()], axis=0))))
    lines += [
        "",
        f"A process that starts with {SCENARIOS[0].key} needs {first():.1f} s CPU in all: the rest is the interpreter,",
        "imports and loading the compiled kernels.",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, cost: Cost) -> str:
    seconds = (cost.wall, cost.cpu, cost.values, cost.quality)
    cells = [*(f"{value:.2f}" for value in seconds), f"{cost.files:.0f}", f"{cost.megabytes:.0f}"]
    return f"| {name} | {' | '.join(cells)} |"


def _cost(season: PreparedSeason, scenario: Scenario) -> Cost:
    store, site_season = season.store, season.site_season
    days = np.array(season_days(site_season), "datetime64[D]")

    def fused(*, quality: bool) -> None:
        with store.read(PREPARED[scenario.mode].of(site_season, scenario.strategy)) as prepared:
            result = season_stack(prepared, scenario).fuse(scenario, days)
            if quality:
                _ = result.quality

    whole = _least(lambda: fuse_season(store, season.site, site_season, scenario))
    values, quality = (_least(partial(fused, quality=q))[1] for q in (False, True))
    with store.read(FUSED.of(site_season, scenario)) as view:
        rasters = [view.path(name) for name in view.names("**/*.tif")]
    wrong = [path.name for path in rasters if not cog_validate(path, strict=True, quiet=True)[0]]
    if wrong:
        raise SystemExit(f"{scenario.key}: not cloud-optimised: {', '.join(wrong[:5])}")
    return Cost(*whole, values, quality, len(rasters), sum(path.stat().st_size for path in rasters) / 1e6)


def _least(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, the least of several runs."""
    times = []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(t[0] for t in times), min(t[1] for t in times)


if __name__ == "__main__":
    main()
