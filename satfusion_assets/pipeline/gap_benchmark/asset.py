"""The asset ``gap_benchmark``."""

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import (
    by_site_season,
    same_site_season,
    site_season_of,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    partitions_def=by_site_season,
    deps=[
        "raw_phenocam",
        "camera_phenology",
        dg.AssetDep("prepared_bti", partition_mapping=same_site_season),
    ],
    **stage("gap_benchmark", "evaluation", "json"),
)
def gap_benchmark(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Gaps of 15, 30, 60 and 90 days around green-up, peak and green-down: every Sentinel-2 scene inside is withheld,
    each method fills the gap, and its images, series and dates are scored against what was withheld and the camera.
    """
    from satfusion_assets.pipeline.gap_benchmark.benchmark import gap_benchmark as run_benchmark

    site_season = site_season_of(context)
    return materialise(
        lambda: run_benchmark(platform.store, platform.site(site_season), site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="gaps"),
    )
