"""The asset ``gap_table``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described
from satfusion_assets.pipeline.gap_table.product import GAP_TABLE
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(GAP_TABLE))
def gap_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """The gap benchmarks of all site-seasons in one table a tier, and which method wins at which gap length, as CSV,
    Parquet and LaTeX in ``tables/`` of the data root. It holds every registered site-season benchmarked so far.
    """
    from satfusion_assets.pipeline.gap_table.tabulate import tabulate_gaps

    return materialise(lambda: tabulate_gaps(platform.store, platform.registry.site_seasons))
