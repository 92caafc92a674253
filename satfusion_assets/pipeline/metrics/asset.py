"""The asset ``metrics``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(METRICS))
def metrics(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """metrics.json of a site-season: every scenario, what each sensor scores without fusion, and comparisons."""
    from satfusion_assets.pipeline.metrics.roll_up import roll_up

    site_season = site_season_of(context)
    return materialise(
        lambda: roll_up(platform.store, site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="metrics"),
    )
