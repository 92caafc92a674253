"""The asset ``score_table``."""

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage
from satfusion_assets.pipeline.metrics.asset import metrics
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    deps=[dg.AssetDep(metrics, partition_mapping=dg.AllPartitionMapping())], **stage("score_table", "metrics", "table")
)
def score_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """One table of all site-seasons' scores, skill and intervals, as CSV, Parquet and LaTeX in ``tables/`` of the data
    root. It holds every registered site-season that has metrics so far.
    """
    from satfusion_assets.pipeline.score_table.tabulate import tabulate_scores

    return materialise(lambda: tabulate_scores(platform.store, platform.registry.site_seasons))
