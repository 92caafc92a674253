"""``satfusion sandbox truth --population``: every landscape scored on both cores, and its tables kept."""

from __future__ import annotations

import json
import os
import resource
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console

from satfusion_assets.cli.truth_landscapes import SITES, prepared_case
from satfusion_assets.truth.population import Case
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Strategy

if TYPE_CHECKING:
    import pandas as pd

    from satfusion_assets.evaluation.gaps.competitors import GapMethod
    from satfusion_assets.evaluation.gaps.fusion import Fusion

PROCESSES: Final = 2
EVERY_DAYS: Final = 3
"""Days of a season from one that is scored to the next: neighbours say the same, and a landscape has three minutes."""
DATED: Final = Strategy.NONAGGRESSIVE
"""The strategy whose dates are judged, the one that keeps more scenes and has the smaller errors. Every day is fused
for dates: on both strategies that would be half of the cost of a score."""
TABLES: Final = ("pairs", "calibration", "dates", "benefit")
MADE_BY: Final = "made_by.json"
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def cases(sites: Sequence[tuple[str, int]], seeds: Sequence[int], landscapes: Sequence[str]) -> list[Case]:
    """Every site-season with every seed on every landscape; a landscape and its plain twin follow one another."""
    return [Case(site, season, seed, kind) for (site, season), seed, kind in product(sites, seeds, landscapes)]


def run_cases(wanted: Sequence[Case], folder: Path, after: Callable[[list[Path]], None]) -> None:
    """Score all cases below ``folder``; those that today's methods have scored already are not scored again.

    after: hears of the folders of tables that there are, at first and after every case, so that a run that is stopped
    leaves a page of what it has.
    """
    console, began = Console(), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    due = [case for case in wanted if not is_scored(case, folder)]
    console.print(f"{len(wanted)} landscapes, {len(wanted) - len(due)} of them scored already.")
    _tell(wanted, folder, after)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(score_case, case, folder): case for case in due}
        for done, future in enumerate(as_completed(running), 1):
            worked = future.result()
            spent = time.monotonic() - began
            left = spent / done * (len(due) - done)
            name = f"{running[future].name} ({worked:.0f} s of CPU)"
            console.print(f"[{done}/{len(due)}] {name}: {spent:.0f} s, about {left:.0f} s left")
            _tell(wanted, folder, after)


def _tell(wanted: Sequence[Case], folder: Path, after: Callable[[list[Path]], None]) -> None:
    there = [table_of(case, folder) for case in wanted if table_of(case, folder).is_dir()]
    if there:
        after(there)


def table_of(case: Case, folder: Path) -> Path:
    """The folder of a case's tables, one Parquet file each of ``TABLES``."""
    return folder / case.name


def read_tables(folders: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Each table of all cases together."""
    import pandas as pd

    return {name: pd.concat([pd.read_parquet(at / f"{name}.parquet") for at in folders]) for name in TABLES}


def is_scored(case: Case, folder: Path) -> bool:
    """Whether the case has tables, and of the methods that there are now."""
    said = table_of(case, folder) / MADE_BY
    return said.exists() and json.loads(said.read_text("utf-8")) == made_by()


def made_by() -> dict[str, object]:
    """What the numbers rest on: another method or code version asks for another score of the same landscape."""
    from satfusion_assets.pipeline.fused.product import FUSED
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI

    methods = sorted({method.name for strategy in Strategy for part in compared(strategy) for method in part})
    return {"prepared": PREPARED_BTI.code_version, "fused": FUSED.code_version, "methods": methods}


def score_case(case: Case, folder: Path) -> float:
    """Prepare the landscape unless it is, and score everything on it against its truth.

    The tables appear whole or not at all. Returns the seconds of CPU that this took.
    """
    import pandas as pd

    os.environ.update(ONE_THREAD)
    before = _worked()
    data = prepared_case(case, folder)
    work = folder / "work" / case.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name, rows in _scores(case, data).items():
        pd.DataFrame([case.columns | row for row in rows]).to_parquet(work / f"{name}.parquet", index=False)
    (work / MADE_BY).write_text(json.dumps(made_by()), encoding="utf-8")
    shutil.rmtree(table_of(case, folder), ignore_errors=True)
    work.replace(table_of(case, folder))
    return _worked() - before


def _worked() -> float:
    """Seconds of CPU of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def compared(strategy: Strategy) -> tuple[list[Fusion], list[GapMethod]]:
    """The methods of a population: both modes of EFAST at one sigma and of
    kriging with their deviations, and what Sentinel-2 alone gives."""
    from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
    from satfusion_assets.evaluation.gaps.fusion import Fusion

    sigma = SCENARIOS[0].sigma
    chosen = [item for item in SCENARIOS if item.strategy is strategy and item.sigma in (sigma, None)]
    return [Fusion(scenario, states_sd=True) for scenario in chosen], list(PIXEL_METHODS)


def _scores(case: Case, data: Path) -> dict[str, list[dict[str, object]]]:
    from satfusion_assets.cli.truth_cameras import its_camera, other_cameras
    from satfusion_assets.cli.truth_surface import known_truth, surface_of
    from satfusion_assets.pipeline.fused.fuse import season_days
    from satfusion_assets.pipeline.fused.inputs import read_stack
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
    from satfusion_assets.truth.benefit import benefit_rows
    from satfusion_assets.truth.dates import TrueSeason, season_error_rows
    from satfusion_assets.truth.pairs import calibration_rows, pair_rows
    from satfusion_assets.truth.season import ScoredSeason
    from satfusion_assets.vocabulary.settings import Settings

    platform = Platform(Settings(data_root=data, sites_file=data / SITES))
    site_season = platform.registry.site_season(case.site, case.season)
    surface = surface_of(platform, site_season, case.seed, case.landscape)
    known, dates = known_truth(surface), surface.true_dates(case.season)
    true = TrueSeason(np.concatenate([dates.rising, dates.falling]), dates.maximum - dates.minimum)
    days = np.array(season_days(site_season), dtype="datetime64[D]")
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    for strategy in Strategy:
        with platform.store.read(PREPARED_BTI.of(site_season, strategy)) as prepared:
            stack = read_stack(prepared, strategy, Mode.BTI)
        fusions, alone = compared(strategy)
        season = ScoredSeason.of(strategy, stack, known, days[::EVERY_DAYS], [*fusions, *alone])
        rows["pairs"] += pair_rows(season)
        rows["calibration"] += calibration_rows(season)
        if strategy is DATED:
            rows["dates"] += season_error_rows(stack, true, case.season, days, fusions)
        for cameras in (its_camera, other_cameras):
            rows["benefit"] += benefit_rows(season, cameras(surface.landscape, season))
    return rows
