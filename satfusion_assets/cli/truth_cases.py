"""``satfusion sandbox truth --population``: every landscape of a population made, scored and kept, on both cores."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console

from satfusion_assets.truth.population import Case
from satfusion_assets.vocabulary.errors import ServiceFailed
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy

if TYPE_CHECKING:
    import pandas as pd

    from satfusion_assets.evaluation.gaps.competitors import Method
    from satfusion_assets.evaluation.gaps.fusion import Fusion

PROCESSES: Final = 2
EVERY_DAYS: Final = 3
"""Days of a season from one that is scored to the next: neighbours say the same, and a landscape has three minutes."""
TABLES: Final = ("pairs", "calibration", "dates", "benefit")
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def cases(sites: Sequence[tuple[str, int]], seeds: Sequence[int], landscapes: Sequence[str]) -> list[Case]:
    """Every site-season with every seed on every landscape; a landscape and its plain twin follow one another."""
    return [Case(site, season, seed, kind) for (site, season), seed, kind in product(sites, seeds, landscapes)]


def run_cases(wanted: Sequence[Case], folder: Path) -> list[Path]:
    """The tables of all cases below ``folder``; those that are there already are not made again."""
    console, began = Console(), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    due = [case for case in wanted if not table_of(case, folder).is_dir()]
    console.print(f"{len(wanted)} landscapes, {len(wanted) - len(due)} of them scored already.")
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(score_case, case, folder): case for case in due}
        for done, future in enumerate(as_completed(running), 1):
            worked = future.result()
            spent = time.monotonic() - began
            left = spent / done * (len(due) - done)
            name = f"{running[future].name} ({worked:.0f} s of CPU)"
            console.print(f"[{done}/{len(due)}] {name}: {spent:.0f} s, about {left:.0f} s left")
    return [table_of(case, folder) for case in wanted]


def table_of(case: Case, folder: Path) -> Path:
    """The folder of a case's tables, one Parquet file each of ``TABLES``."""
    return folder / case.name


def read_tables(folders: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Each table of all cases together."""
    import pandas as pd

    return {name: pd.concat([pd.read_parquet(at / f"{name}.parquet") for at in folders]) for name in TABLES}


def score_case(case: Case, folder: Path) -> float:
    """Serve one landscape, run the platform on it up to its prepared images, and score every pair against the truth.

    What the platform made is removed; the tables appear whole or not at all. Returns the seconds of CPU that this took.
    """
    import pandas as pd

    from satfusion_assets.sandbox.server.run import SandboxProcess

    os.environ.update(ONE_THREAD)
    before = _worked()
    work = folder / "work" / case.name
    shutil.rmtree(work, ignore_errors=True)
    (work / "dagster").mkdir(parents=True)
    sites = _sites(case, work)
    with SandboxProcess(work / "sandbox", sites, seed=case.seed, landscape=case.landscape) as server:
        ours = {
            "SATFUSION_DATA_ROOT": str(work / "data"),
            "SATFUSION_SITES_FILE": str(sites),
            "DAGSTER_HOME": str((work / "dagster").absolute()),
        }
        command = [sys.executable, "-m", "satfusion_assets.cli", "materialize", case.site, str(case.season)]
        run = subprocess.run(
            [*command, "--until", "prepared"],
            env=os.environ | server.environment() | ours,
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode != 0:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise ServiceFailed(f"{case.name} was not prepared: {said[-1] if said else 'it said nothing'}")
    partial = work / "tables"
    partial.mkdir()
    for name, rows in _scores(case, work / "data", sites).items():
        pd.DataFrame([case.columns | row for row in rows]).to_parquet(partial / f"{name}.parquet", index=False)
    partial.replace(table_of(case, folder))
    shutil.rmtree(work)
    return _worked() - before


def _worked() -> float:
    """Seconds of CPU of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def compared(strategy: Strategy) -> tuple[list[Fusion], list[Method]]:
    """The methods of a population: both modes at one sigma with their deviations, and what Sentinel-2 alone gives."""
    from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
    from satfusion_assets.evaluation.gaps.fusion import Fusion

    sigma = SCENARIOS[0].sigma
    chosen = [item for item in SCENARIOS if item.strategy is strategy and item.sigma == sigma]
    return [Fusion(scenario, states_sd=True) for scenario in chosen], list(PIXEL_METHODS)


def _sites(case: Case, work: Path) -> Path:
    """A sites file with nothing but the case's site."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.vocabulary.sites import SiteRegistry

    path = work / "sites.geojson"
    registry = Platform().registry
    site = registry.site(case.site).model_copy(update={"seasons": (case.season,)})
    SiteRegistry(path, ()).add(site)
    return path


def _scores(case: Case, data: Path, sites: Path) -> dict[str, list[dict[str, object]]]:
    from satfusion_assets.cli.truth import known_truth, surface_of
    from satfusion_assets.cli.truth_cameras import its_camera, other_cameras
    from satfusion_assets.pipeline.fused.fuse import season_days
    from satfusion_assets.pipeline.gap_benchmark.benchmark import read_season
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
    from satfusion_assets.truth.benefit import benefit_rows
    from satfusion_assets.truth.dates import TrueSeason, season_error_rows
    from satfusion_assets.truth.pairs import calibration_rows, pair_rows
    from satfusion_assets.truth.season import JudgedSeason
    from satfusion_assets.vocabulary.settings import Settings

    platform = Platform(Settings(data_root=data, sites_file=sites))
    site_season = platform.registry.site_season(case.site, case.season)
    surface = surface_of(platform, site_season, case.seed, case.landscape)
    known, dates = known_truth(surface), surface.true_dates(case.season)
    true = TrueSeason(np.concatenate([dates.rising, dates.falling]), dates.maximum - dates.minimum)
    days = np.array(season_days(site_season), dtype="datetime64[D]")
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    for strategy in Strategy:
        with platform.store.read(PREPARED_BTI.of(site_season, strategy)) as prepared:
            stack = read_season(prepared, strategy)
        fusions, alone = compared(strategy)
        season = JudgedSeason.of(strategy, stack, known, days[::EVERY_DAYS], [*fusions, *alone])
        rows["pairs"] += pair_rows(season)
        rows["calibration"] += calibration_rows(season)
        rows["dates"] += season_error_rows(stack, true, case.season, days, fusions)
        for cameras in (its_camera, other_cameras):
            rows["benefit"] += benefit_rows(season, cameras(surface.landscape, season))
    return rows
