"""The asset ``scenario_metrics``."""

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import (
    by_scenario,
    same_site_season,
    scenario_of,
    site_season_of,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    partitions_def=by_scenario,
    deps=["processed", dg.AssetDep("raw_phenocam", partition_mapping=same_site_season)],
    **stage("scenario_metrics", "metrics", "json"),
)
def scenario_metrics(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Scores of one scenario: the fused GCC at the site against the camera's gcc_90 on common days."""
    from satfusion_assets.pipeline.scenario_metrics.score import score_scenario

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: score_scenario(platform.store, site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, page="metrics"),
    )
