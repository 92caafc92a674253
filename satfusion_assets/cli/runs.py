"""Materialising a site-season from raw to roll-up through the Dagster instance, without its services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._utils.error import SerializableErrorInfo

from satfusion_assets.automation.freshness import FRESH
from satfusion_assets.errors import InvalidInput, SatfusionError
from satfusion_assets.partitions import SCENARIO, SITE_SEASON, STRATEGY, scenario_key, strategy_key
from satfusion_assets.resources import Platform
from satfusion_assets.scenarios import SCENARIOS, Strategy
from satfusion_assets.sites import SiteSeason
from satfusion_assets.store import ALL_SEASONS, Product


class Stage(StrEnum):
    """Stages of the pipeline in their order, as people name them."""

    RAW = "raw"
    PRESELECTED = "preselected"
    PREPARED = "prepared"
    FUSED = "fused"
    PROCESSED = "processed"
    METRICS = "metrics"
    EVALUATION = "evaluation"


ALL: Final = "all site-seasons"
"""The grid of the tables, which have no partitions."""


@dataclass(frozen=True)
class Group:
    """Assets of one grid that share a run per partition, in the order they depend on one another."""

    grid: str
    stages: Mapping[str, Stage]


GROUPS: Final = (
    Group(SITE_SEASON, dict.fromkeys(("raw_s2", "raw_s3", "raw_phenocam"), Stage.RAW)),
    Group(SITE_SEASON, dict.fromkeys(("camera_phenology", "preselected"), Stage.PRESELECTED)),
    Group(STRATEGY, dict.fromkeys(("prepared_bti", "prepared_itb"), Stage.PREPARED)),
    Group(
        SCENARIO,
        {
            "fused": Stage.FUSED,
            "processed": Stage.PROCESSED,
            "pack": Stage.PROCESSED,
            "scenario_metrics": Stage.METRICS,
            "phenology": Stage.EVALUATION,
        },
    ),
    Group(SITE_SEASON, {"metrics": Stage.METRICS, "gap_benchmark": Stage.EVALUATION}),
    Group(ALL, {"score_table": Stage.METRICS}),
    Group(ALL, {"gap_table": Stage.EVALUATION}),
)
"""The whole graph. The archives are asked in runs of their own: only what they changed makes the rest due."""


_PLACE: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
ASKS: Final = "its archive is asked for news; what is kept is not fetched again"
"""Why a raw product is always due."""
ASKS_AGAIN: Final = "its archive is asked for everything again, also for what is kept"
"""Why it is, when that is what somebody wants."""
QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own account of a run stays in the UI; the terminal shows what the stages say."""


@dataclass(frozen=True)
class Run:
    """One Dagster run: some assets of one partition, None for those without partitions. config: of each asset."""

    assets: tuple[str, ...]
    partition_key: str | None
    products: tuple[Product, ...]
    config: Mapping[str, bool] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """What the run is about, in words."""
        return ALL if self.partition_key is None else self.partition_key


class RunFailed(SatfusionError):
    """A run failed; the message is the first line of its cause."""


def plan(site_season: SiteSeason, until: Stage = Stage.METRICS, start: Stage = Stage.RAW) -> list[Run]:
    """The runs that materialise ``site_season`` from stage ``start`` up to and including stage ``until``.

    InvalidInput when ``start`` comes after ``until``.
    """
    order = list(Stage)
    wanted = order[order.index(start) : order.index(until) + 1]
    if not wanted:
        raise InvalidInput(f"Stage {start} comes after {until}, so there is nothing to do; the stages are {_stages()}.")
    runs = []
    for group in GROUPS:
        assets = tuple(name for name, stage in group.stages.items() if stage in wanted)
        scope = ALL_SEASONS if group.grid == ALL else site_season
        for key, variant in _keys(site_season, group.grid) if assets else []:
            runs.append(Run(assets, key, tuple(Product(name, scope, variant) for name in assets)))
    return runs


def _stages() -> str:
    return ", ".join(Stage)


def acquisition(site_season: SiteSeason, assets: Sequence[str], *, again: bool = False) -> list[Run]:
    """The run that asks the archives behind ``assets``; again: for everything, whatever is cached or noted."""
    products = tuple(Product(name, site_season) for name in assets)
    return [Run(tuple(assets), site_season.key, products, {"again": again})]


def execute(
    defs: dg.Definitions, instance: dg.DagsterInstance, platform: Platform, runs: Sequence[Run], *, rebuild: bool
) -> Iterator[tuple[Run, bool]]:
    """Run what is not up to date, in order; yields each run and whether it had to run. RunFailed ends it."""
    everything = _timeless(defs).resolve_implicit_global_asset_job_def()
    for run in runs:
        due = [
            name
            for name, product in zip(run.assets, run.products, strict=True)
            if rebuild or why_due(platform, product)
        ]
        if due:
            _execute(everything, instance, run, run.assets[run.assets.index(due[0]) :])
        yield run, bool(due)


def _timeless(defs: dg.Definitions) -> dg.Definitions:
    """Without the check of freshness, which speaks of all site-seasons and of the clock, not of what a run makes."""
    checks = [check for check in defs.asset_checks or () if isinstance(check, dg.AssetChecksDefinition)]
    lasting = [check for check in checks if all(key.name != FRESH for key in check.check_keys)]
    return dg.Definitions(defs.assets, asset_checks=lasting, resources=defs.resources, executor=defs.executor)


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, run: Run, assets: Sequence[str]) -> None:
    result = job.execute_in_process(
        instance=instance,
        partition_key=run.partition_key,
        asset_selection=[dg.AssetKey(name) for name in assets],
        run_config=QUIET | {"ops": {name: {"config": dict(run.config)} for name in assets if run.config}},
        raise_on_error=False,
    )
    if not result.success:
        raise RunFailed(f"{run.place}: {_cause(result)} (run {result.run_id})")


def _cause(result: dg.ExecuteInProcessResult) -> str:
    """Where and why a run failed, whoever's error it is: what Dagster wraps around it says neither."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data is not None and failure.user_failure_data.description:
                return f"{event.step_key}: {failure.user_failure_data.description}"
            if failure.error is not None:
                return f"{event.step_key}: {_innermost(failure.error)}"
    for event in result.all_events:
        if event.is_job_failure and event.job_failure_data.error is not None:
            return _innermost(event.job_failure_data.error)
    return "the run failed; its log in the Dagster UI says why"


def _innermost(error: SerializableErrorInfo) -> str:
    """The first cause, and the line of code that raised it."""
    while error.cause is not None:
        error = error.cause
    said = " ".join(error.message.split()) or (error.cls_name or "an error without a name")
    place = _PLACE.search(error.stack[-1]) if error.stack else None
    return f"{said} (at {Path(place['file']).name}, line {place['line']})" if place else said


def why_due(platform: Platform, product: Product) -> list[str]:
    """Why a product is to be made, in words; empty = it is up to date. Raw products always ask."""
    from satfusion_assets.stages.provenance import changes
    from satfusion_assets.stages.tables import is_complete

    if product.name.startswith("raw_"):
        return [ASKS]
    if product.scope == ALL_SEASONS:
        complete = is_complete(platform.store, product, platform.registry.site_seasons)
        return [] if complete else ["it lacks something that it gathers, or its code is newer"]
    return changes(platform.store, product, platform.site(product.site_season), platform.settings)


def _keys(site_season: SiteSeason, grid: str) -> list[tuple[str | None, str]]:
    """Partition key and product variant of every partition of a site-season on ``grid``."""
    if grid == ALL:
        return [(None, "")]
    if grid == STRATEGY:
        return [(strategy_key(site_season, strategy), str(strategy)) for strategy in Strategy]
    if grid == SCENARIO:
        return [(scenario_key(site_season, scenario), scenario.key) for scenario in SCENARIOS]
    return [(site_season.key, "")]
