"""The asset ``camera_phenology``."""

import dagster as dg

from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(CAMERA_PHENOLOGY))
def camera_phenology(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """Green-up and green-down of the season as the camera saw them (dates of 50 % of the amplitude)."""
    from satfusion_assets.pipeline.camera_phenology.camera import camera_phenology as stage_camera_phenology

    site_season = site_season_of(context)
    return materialise(
        lambda: stage_camera_phenology(platform.store, site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="phenology"),
    )
