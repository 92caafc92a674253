"""The asset ``raw_s2``."""

import dagster as dg

from satfusion_assets.pipeline.acquisition.config import Asking
from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(RAW_S2))
def raw_s2(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """Sentinel-2 scenes of the season (B02 B03 B04 B8A at 10 m on the site's grid, offset applied) with their scene
    classification, from Earth Search.
    """
    from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2

    site_season = site_season_of(context)
    return materialise(
        lambda: acquire_sentinel2(
            platform.site(site_season), site_season, platform.store, platform.settings, again=config.again
        ),
        drawn_from=platform,
        link=view(platform, site_season, stage="raw"),
    )
