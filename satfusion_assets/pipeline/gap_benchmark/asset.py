"""The asset ``gap_benchmark``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(GAP_BENCHMARK))
def gap_benchmark(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
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
