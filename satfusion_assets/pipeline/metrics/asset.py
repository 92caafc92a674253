"""The asset ``metrics``."""

import dagster as dg

from satfusion_assets.pipeline.assets import columns
from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import (
    by_site_season,
    same_site_season,
    site_season_of,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.pipeline.scenario_metrics.asset import scenario_metrics


@dg.asset(
    partitions_def=by_site_season,
    deps=[
        "raw_phenocam",
        "preselected",
        dg.AssetDep("processed", partition_mapping=same_site_season),
        dg.AssetDep(scenario_metrics, partition_mapping=same_site_season),
    ],
    **stage("metrics", "metrics", "json", columns=columns.SCORES),
)
def metrics(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """metrics.json of a site-season: all eight scenarios, what each sensor scores without fusion, and comparisons."""
    from satfusion_assets.pipeline.metrics.roll_up import roll_up

    site_season = site_season_of(context)
    return materialise(
        lambda: roll_up(platform.store, site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="metrics"),
    )
