"""Metrics: what each scenario is worth against the camera."""

import dagster as dg

from satfusion_assets.pipeline.assets import columns
from satfusion_assets.pipeline.assets.common import stage, view
from satfusion_assets.pipeline.assets.reporting import materialise
from satfusion_assets.pipeline.partitions import (
    by_scenario,
    by_site_season,
    same_site_season,
    scenario_of,
    site_season_of,
)
from satfusion_assets.pipeline.platform import Platform


@dg.asset(
    partitions_def=by_scenario,
    deps=["processed", dg.AssetDep("raw_phenocam", partition_mapping=same_site_season)],
    **stage("scenario_metrics", "metrics", "json"),
)
def scenario_metrics(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Scores of one scenario: the fused GCC at the site against the camera's gcc_90 on common days."""
    from satfusion_assets.pipeline.metrics.score import score_scenario

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: score_scenario(platform.store, site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, page="metrics"),
    )


@dg.asset(
    partitions_def=by_site_season,
    deps=[
        "raw_phenocam",
        "preselected",
        dg.AssetDep("processed", partition_mapping=same_site_season),
        dg.AssetDep(scenario_metrics, partition_mapping=same_site_season),
    ],
    **stage("metrics", "metrics", "json", columns=columns.SCORES),
)
def metrics(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """metrics.json of a site-season: all eight scenarios, what each sensor scores without fusion, and comparisons."""
    from satfusion_assets.pipeline.metrics.score import roll_up

    site_season = site_season_of(context)
    return materialise(
        lambda: roll_up(platform.store, site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="metrics"),
    )


@dg.asset(
    deps=[dg.AssetDep(metrics, partition_mapping=dg.AllPartitionMapping())], **stage("score_table", "metrics", "table")
)
def score_table(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """One table of all site-seasons' scores, skill and intervals, as CSV, Parquet and LaTeX in ``tables/`` of the data
    root. It holds every registered site-season that has metrics so far.
    """
    from satfusion_assets.pipeline.tables import tabulate_scores

    return materialise(lambda: tabulate_scores(platform.store, platform.registry.site_seasons))
