"""Evaluation: what a season's images say beyond one score: phenology of every pixel, and gaps truly withheld."""

import dagster as dg

from satfusion_assets.pipeline.assets.common import stage, view
from satfusion_assets.pipeline.assets.reporting import materialise
from satfusion_assets.pipeline.partitions import (
    by_scenario,
    by_site_season,
    same_site_season,
    scenario_of,
    site_season_of,
    strategy_to_scenario,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.scenarios import Mode


@dg.asset(
    partitions_def=by_scenario,
    deps=[
        "fused",
        "processed",
        dg.AssetDep("prepared_bti", partition_mapping=strategy_to_scenario(*Mode)),
    ],
    **stage("phenology", "evaluation", "geotiff", "json", sensor="both"),
)
def phenology(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """When every 10 m pixel greens up and down: 10, 25 and 50 % dates with 95 % intervals as maps, with labels where
    there is no season or it is truncated; and the same dates at the site, from the fused series and from Sentinel-2.
    """
    from satfusion_assets.pipeline.phenology.stage import phenology_maps

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: phenology_maps(platform.store, platform.site(site_season), site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, page="phenology"),
    )


@dg.asset(partitions_def=by_scenario, deps=["fused", "processed"], **stage("pack", "evaluation", "zarr", sensor="both"))
def pack(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
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


@dg.asset(
    deps=[dg.AssetDep(gap_benchmark, partition_mapping=dg.AllPartitionMapping())],
    **stage("gap_table", "evaluation", "table"),
)
def gap_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The gap benchmarks of all site-seasons in one table a tier, and which method wins at which gap length, as CSV,
    Parquet and LaTeX in ``tables/`` of the data root. It holds every registered site-season benchmarked so far.
    """
    from satfusion_assets.pipeline.tables import tabulate_gaps

    return materialise(lambda: tabulate_gaps(platform.store, platform.registry.site_seasons))
