"""The one place where assets, checks, sensors, schedules and resources meet."""

from __future__ import annotations

import dagster as dg

from satfusion_assets.assets import fused, metrics, prepared, raw, screening
from satfusion_assets.resources import Platform

ASSET_MODULES = [raw, screening, prepared, fused, metrics]


def build_defs(platform: Platform | None = None) -> dg.Definitions:
    """The whole code location for ``platform``; None = as the environment says."""
    platform = platform or Platform()
    platform.store.recover()
    return dg.Definitions(
        assets=dg.load_assets_from_modules(ASSET_MODULES),
        resources={"platform": platform},
        executor=dg.in_process_executor,
    )


defs = build_defs()
