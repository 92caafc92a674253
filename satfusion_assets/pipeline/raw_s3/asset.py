"""The asset ``raw_s3``."""

import dagster as dg

from satfusion_assets.pipeline.acquisition.config import Asking
from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(RAW_S3))
def raw_s3(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """Sentinel-3 OLCI overpasses of the season (Oa04 Oa06 Oa08 Oa17 at 300 m on the site's grid), from Copernicus."""
    from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3

    site_season = site_season_of(context)
    return materialise(
        lambda: acquire_sentinel3(
            platform.site(site_season),
            site_season,
            platform.store,
            platform.settings,
            today=platform.now().date(),
            again=config.again,
        ),
        drawn_from=platform,
        link=view(platform, site_season, stage="raw"),
    )
