"""The asset ``scenario_metrics``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import scenario_of, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS


@dg.asset(**described(SCENARIO_METRICS))
def scenario_metrics(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """Scores of one scenario: the fused GCC at the site against the camera's gcc_90 on common days."""
    from satfusion_assets.pipeline.scenario_metrics.score import score_scenario

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: score_scenario(platform.store, site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, page="metrics"),
    )
