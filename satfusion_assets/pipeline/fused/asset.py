"""The asset ``fused``: a clear image for every day of the season."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.partitions import scenario_of, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(FUSED))
def fused(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """EFAST or kriging: one image for every day of the season, from the Sentinel-2 scenes around it and the change that
    Sentinel-3 saw meanwhile, with a standard deviation and quality layers that say how each value came about.
    """
    from satfusion_assets.pipeline.fused.fuse import fuse_season

    site_season, scenario = site_season_of(context), scenario_of(context)
    engine = platform.settings.fusion_engine
    return materialise(
        lambda: fuse_season(platform.store, platform.site(site_season), site_season, scenario, engine),
        drawn_from=platform,
        link=view(platform, site_season, scenario, stage="fusion"),
    )
