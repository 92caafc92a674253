"""The asset ``pack``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.partitions import scenario_of, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(PACK))
def pack(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """The season's Sentinel-2, fused and Sentinel-3 images and quality layers as one analysis-ready Zarr store, for
    xarray and for the viewer's pixel seasons.
    """
    from satfusion_assets.pipeline.pack.pack import pack_season

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: pack_season(platform.store, site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario),
    )
