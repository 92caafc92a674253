"""Materialising a site-season from raw to roll-up through the Dagster instance, without its services."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import dagster as dg

from satfusion_assets.cli.stopping import Stop
from satfusion_assets.orchestration.automation.freshness import FRESH, LOOK
from satfusion_assets.orchestration.tags import COMMAND, place_tags, sensor_tags
from satfusion_assets.pipeline.partitions import partition_key
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import STAGES, Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import ALL_SEASONS, Product
from satfusion_assets.vocabulary.errors import InvalidInput, SatfusionError
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

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
        return str(Grid.ALL) if self.partition_key is None else self.partition_key


class RunFailed(SatfusionError):
    """A run failed; the message is the first line of its cause."""


def plan(
    site_season: SiteSeason,
    until: Stage = Stage.METRICS,
    start: Stage = Stage.RAW,
    scenarios: Sequence[Scenario] = SCENARIOS,
) -> list[Run]:
    """The runs that materialise ``site_season`` from stage ``start`` up to and including stage ``until``.

    scenarios: those that the season can have.

    InvalidInput when ``start`` comes after ``until``.
    """
    wanted = STAGES[STAGES.index(start) : STAGES.index(until) + 1]
    if not wanted:
        raise InvalidInput(f"Stage {start} comes after {until}, so there is nothing to do; the stages are {_stages()}.")
    runs = []
    for records in REGISTRY.together():
        chosen = tuple(record for record in records if record.stage in wanted)
        grid = records[0].grid
        scope = ALL_SEASONS if grid is Grid.ALL else site_season
        variants = tuple(item.key for item in scenarios) if grid is Grid.SCENARIO else grid.variants
        for variant in variants if chosen else ():
            products = tuple(record.of(scope, variant) for record in chosen)
            runs.append(Run(tuple(record.name for record in chosen), partition_key(grid, scope, variant), products))
    return runs


def possible_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that a season can have with the Sentinel-3 product that is chosen."""
    from satfusion_assets.pipeline.coarse_source import scenarios_of
    from satfusion_assets.vocabulary.settings import Settings

    return scenarios_of(Settings().s3_product)


def _stages() -> str:
    return ", ".join(Stage)


def acquisition(site_season: SiteSeason, assets: Sequence[str], *, again: bool = False) -> list[Run]:
    """The run that asks the archives behind ``assets``; again: for everything, whatever is cached or noted."""
    products = tuple(REGISTRY[name].of(site_season) for name in assets)
    return [Run(tuple(assets), site_season.key, products, {"again": again})]


def execute(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    platform: Platform,
    runs: Sequence[Run],
    *,
    rebuild: bool,
    tags: Mapping[str, str] | None = None,
    stop: Stop | None = None,
) -> Iterator[tuple[Run, bool]]:
    """Run what is not up to date, in order; yields each run and whether it had to run. RunFailed ends it.

    tags: what all these runs share in the UI. stop: of the command; a run that it ends is canceled in Dagster.
    """
    everything = _timeless(defs).resolve_implicit_global_asset_job_def()
    for run in runs:
        due = [
            name
            for name, product in zip(run.assets, run.products, strict=True)
            if rebuild or why_due(platform, product)
        ]
        if due:
            with _canceled_by(stop or Stop(), instance) as run_id:
                _execute(everything, instance, run, run.assets[run.assets.index(due[0]) :], tags or {}, run_id)
        yield run, bool(due)


def _timeless(defs: dg.Definitions) -> dg.Definitions:
    """Without the check of freshness, which speaks of all site-seasons and of the clock, not of what a run makes."""
    checks = [check for check in defs.asset_checks or () if isinstance(check, dg.AssetChecksDefinition)]
    lasting = [check for check in checks if all(key.name != FRESH for key in check.check_keys)]
    return dg.Definitions(defs.assets, asset_checks=lasting, resources=defs.resources, executor=defs.executor)


def command_tags(site_season: SiteSeason) -> dict[str, str]:
    """Tags by which the UI finds all runs of one command, and all of a site or season."""
    return place_tags(site_season.key) | {COMMAND: uuid.uuid4().hex[:8]}


def look_at_freshness(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """Evaluate the checks of freshness now, as their schedule does every morning; a stale product is a warning."""
    defs.resolve_job_def(LOOK).execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


@contextmanager
def _canceled_by(stop: Stop, instance: dg.DagsterInstance) -> Iterator[str]:
    """The identity of a run to execute, which is canceled, not failed, where a signal ends it: nobody need look at it.

    Dagster takes an end that was not asked for in its UI for a failure.
    """
    run_id = str(uuid.uuid4())

    def cut_off() -> None:
        # The main thread's own connections to the databases are in use.
        with dg.DagsterInstance.from_ref(instance.get_ref()) as beside:
            _cancel(beside, run_id, stop.word)

    stop.before_cut = cut_off
    try:
        yield run_id
    finally:
        stop.before_cut = None
        if stop.received:
            _cancel(instance, run_id, stop.word)


def _cancel(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_success:
        instance.report_run_canceled(run, f"{why} What is finished stays.")


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run: Run,
    assets: Sequence[str],
    tags: Mapping[str, str],
    run_id: str,
) -> None:
    result = job.execute_in_process(
        instance=instance,
        partition_key=run.partition_key,
        asset_selection=[dg.AssetKey(name) for name in assets],
        run_config=QUIET | {"ops": {name: {"config": dict(run.config)} for name in assets if run.config}},
        raise_on_error=False,
        run_id=run_id,
        tags={**tags, **sensor_tags(assets)},
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


class _Failure(Protocol):
    """What Dagster keeps of an exception."""

    @property
    def message(self) -> str: ...
    @property
    def cls_name(self) -> str | None: ...
    @property
    def stack(self) -> Sequence[str]: ...
    @property
    def cause(self) -> _Failure | None: ...


def _innermost(error: _Failure) -> str:
    """The first cause, and the line of code that raised it."""
    while error.cause is not None:
        error = error.cause
    said = " ".join(error.message.split()) or (error.cls_name or "an error without a name")
    place = _PLACE.search(error.stack[-1]) if error.stack else None
    return f"{said} (at {Path(place['file']).name}, line {place['line']})" if place else said


def why_due(platform: Platform, product: Product) -> list[str]:
    """Why a product is to be made, in words; empty = it is up to date. Raw products always ask."""
    from satfusion_assets.pipeline.gathering import is_complete
    from satfusion_assets.pipeline.provenance import changes

    if REGISTRY[product.name].asked_within is not None:
        return [ASKS]
    if product.scope == ALL_SEASONS:
        complete = is_complete(platform.store, product, platform.registry.site_seasons)
        return [] if complete else ["it lacks something that it gathers, or its code is newer"]
    return changes(platform.store, product, platform.site(product.site_season), platform.settings)
