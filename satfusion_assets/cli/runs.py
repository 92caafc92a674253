"""Materialising a site-season from raw to roll-up through the Dagster instance, without its services."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import dagster as dg

from satfusion_assets.cli.plans import Run, why_due
from satfusion_assets.cli.stopping import Stop
from satfusion_assets.orchestration.automation.freshness import FRESH, LOOK
from satfusion_assets.orchestration.instance.compute_logs import copied_apart
from satfusion_assets.orchestration.tags import COMMAND, place_tags, sensor_tags
from satfusion_assets.pipeline.partitions import partition_key
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.vocabulary.errors import SatfusionError
from satfusion_assets.vocabulary.sites import SiteSeason

_PLACE: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own account of a run stays in the UI; the terminal shows what the stages say."""


class RunFailed(SatfusionError):
    """A run failed; the message is the first line of its cause."""


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
            with copied_apart(), _canceled_by(stop or Stop(), instance) as run_id:
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
    product = run.products[0]
    result = job.execute_in_process(
        instance=instance,
        partition_key=partition_key(REGISTRY[product.name].grid, product.scope, product.variant),
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
