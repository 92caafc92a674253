"""The asset ``gap_table``."""

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage
from satfusion_assets.pipeline.gap_benchmark.asset import gap_benchmark
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    deps=[dg.AssetDep(gap_benchmark, partition_mapping=dg.AllPartitionMapping())],
    **stage("gap_table", "evaluation", "table"),
)
def gap_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The gap benchmarks of all site-seasons in one table a tier, and which method wins at which gap length, as CSV,
    Parquet and LaTeX in ``tables/`` of the data root. It holds every registered site-season benchmarked so far.
    """
    from satfusion_assets.pipeline.gap_table.tabulate import tabulate_gaps

    return materialise(lambda: tabulate_gaps(platform.store, platform.registry.site_seasons))
