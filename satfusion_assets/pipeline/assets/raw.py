"""Raw: what the archives have of a site-season, fetched once and kept with its provenance."""

import dagster as dg
from pydantic import Field

from satfusion_assets.pipeline.assets import columns
from satfusion_assets.pipeline.assets.common import stage, view
from satfusion_assets.pipeline.assets.reporting import materialise
from satfusion_assets.pipeline.partitions import by_site_season, site_season_of
from satfusion_assets.pipeline.platform import Platform


class Asking(dg.Config):
    """How an archive is asked."""

    again: bool = Field(
        default=False, description="Ask for everything again, also for what has been fetched, found empty or set aside."
    )


@dg.asset(
    partitions_def=by_site_season,
    pool="earth_search",
    **stage("raw_s2", "raw_sentinel", "sentinel2", "stac", sensor="sentinel2"),
)
def raw_s2(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Sentinel-2 scenes of the season (B02 B03 B04 B8A at 10 m on the site's grid, offset applied) with their scene
    classification, from Earth Search.
    """
    from satfusion_assets.pipeline.acquire import acquire_sentinel2

    site_season = site_season_of(context)
    return materialise(
        lambda: acquire_sentinel2(
            platform.site(site_season), site_season, platform.store, platform.settings, again=config.again
        ),
        drawn_from=platform,
        link=view(platform, site_season, stage="raw"),
    )


@dg.asset(
    partitions_def=by_site_season,
    pool="openeo",
    **stage("raw_s3", "raw_sentinel", "sentinel3", "openeo", sensor="sentinel3"),
)
def raw_s3(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """Sentinel-3 OLCI overpasses of the season (Oa04 Oa06 Oa08 Oa17 at 300 m on the site's grid), from Copernicus."""
    from satfusion_assets.pipeline.acquire import acquire_sentinel3

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


@dg.asset(
    partitions_def=by_site_season,
    pool="phenocam",
    **stage("raw_phenocam", "raw_camera", "phenocam", "image", sensor="phenocam", columns=columns.CAMERA),
)
def raw_phenocam(
    context: dg.AssetExecutionContext, config: Asking, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult:
    """The camera's daily gcc_90 over three years, its midday pictures of the season, and its regions of interest."""
    from satfusion_assets.pipeline.acquire import acquire_phenocam

    site_season = site_season_of(context)
    return materialise(
        lambda: acquire_phenocam(
            platform.site(site_season), site_season, platform.store, platform.settings, again=config.again
        ),
        drawn_from=platform,
        link=view(platform, site_season, stage="raw"),
    )


@dg.asset(
    partitions_def=by_site_season,
    deps=[raw_phenocam],
    **stage("camera_phenology", "raw_camera", "phenocam", "json", sensor="phenocam"),
)
def camera_phenology(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Green-up and green-down of the season as the camera saw them (dates of 50 % of the amplitude)."""
    from satfusion_assets.pipeline.phenology.stage import camera_phenology as stage_camera_phenology

    site_season = site_season_of(context)
    return materialise(
        lambda: stage_camera_phenology(platform.store, site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="phenology"),
    )
