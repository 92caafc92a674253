"""The asset ``score_table``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.pipeline.score_table.product import SCORE_TABLE


@dg.asset(**described(SCORE_TABLE))
def score_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """One table of all site-seasons' scores, skill and intervals, as CSV, Parquet and LaTeX in ``tables/`` of the data
    root. It holds every registered site-season that has metrics so far.
    """
    from satfusion_assets.pipeline.score_table.tabulate import tabulate_scores

    return materialise(lambda: tabulate_scores(platform.store, platform.registry.site_seasons))
