"""The asset ``processed``: the series read from the images."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import scenario_of, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(PROCESSED))
def processed(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """The season's Sentinel-2, Sentinel-3 and fused images cut to one valid window, and their NDVI, GCC and band series
    at the site.
    """
    from satfusion_assets.pipeline.processed.process import process

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: process(platform.store, platform.site(site_season), site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, stage="processed"),
    )
