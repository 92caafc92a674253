"""The asset ``processed``: the series read from the images."""

import dagster as dg

from satfusion_assets.pipeline.assets import columns
from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.fused.asset import PREPARED_OF_SCENARIO, fused
from satfusion_assets.pipeline.partitions import by_scenario, scenario_of, site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(
    partitions_def=by_scenario,
    deps=[fused, *PREPARED_OF_SCENARIO],
    **stage("processed", "processed", "geotiff", "json", sensor="both", columns=columns.SERIES),
)
def processed(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """The season's Sentinel-2, Sentinel-3 and fused images cut to one valid window, and their NDVI, GCC and band series
    at the site.
    """
    from satfusion_assets.pipeline.processed.process import process

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: process(platform.store, platform.site(site_season), site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, stage="processed"),
    )
