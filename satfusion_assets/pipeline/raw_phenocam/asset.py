"""The asset ``raw_phenocam``."""

import dagster as dg

from satfusion_assets.pipeline.acquisition.config import Asking
from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(RAW_PHENOCAM))
def raw_phenocam(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """The camera's daily gcc_90 over three years, its midday pictures of the season, and its regions of interest."""
    from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam

    site_season = site_season_of(context)
    return materialise(
        lambda: acquire_phenocam(
            platform.site(site_season), site_season, platform.store, platform.settings, again=config.again
        ),
        drawn_from=platform,
        link=view(platform, site_season, stage="raw"),
    )
