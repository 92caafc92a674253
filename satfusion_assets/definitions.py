"""The one place where assets, checks, sensors, schedules and resources meet."""

from __future__ import annotations

from importlib import import_module

import dagster as dg

from satfusion_assets.orchestration.automation import (
    SCHEDULES,
    SENSORS,
    automated,
    freshness_checks,
    freshness_schedule,
)
from satfusion_assets.orchestration.checks import product_checks
from satfusion_assets.orchestration.jobs import JOBS
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY


def build_defs(platform: Platform | None = None) -> dg.Definitions:
    """The whole code location for ``platform``; None = as the environment says.

    Nothing is read or written: what killed publications left is cleared when a service or a command starts to work, and
    of one product when it is published.
    """
    platform = platform or Platform()
    assets = load_assets()
    freshness = freshness_checks(assets)
    return dg.Definitions(
        assets=automated(assets),
        asset_checks=[*product_checks(assets), freshness],
        jobs=JOBS,
        sensors=SENSORS,
        schedules=[*SCHEDULES, freshness_schedule(freshness)],
        resources={"platform": platform},
        executor=dg.in_process_executor,
    )


def load_assets() -> list[dg.AssetsDefinition]:
    """The assets as their modules define them."""
    modules = [import_module(f"{room}.asset") for room in REGISTRY.rooms]
    found = dg.with_source_code_references(dg.load_assets_from_modules(modules))
    return [item for item in found if isinstance(item, dg.AssetsDefinition)]


defs = build_defs()
