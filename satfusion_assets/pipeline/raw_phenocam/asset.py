"""The asset ``raw_phenocam``."""

import dagster as dg

from satfusion_assets.pipeline.acquisition.config import Asking
from satfusion_assets.pipeline.assets import columns
from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import by_site_season, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    partitions_def=by_site_season,
    pool="phenocam",
    **stage("raw_phenocam", "raw_camera", "phenocam", "image", sensor="phenocam", columns=columns.CAMERA),
)
def raw_phenocam(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
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
