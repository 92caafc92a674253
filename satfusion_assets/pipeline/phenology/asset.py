"""The asset ``phenology``."""

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import (
    by_scenario,
    scenario_of,
    site_season_of,
    strategy_to_scenario,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
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
    from satfusion_assets.pipeline.phenology.date_maps import phenology_maps

    site_season, scenario = site_season_of(context), scenario_of(context)
    return materialise(
        lambda: phenology_maps(platform.store, platform.site(site_season), site_season, scenario),
        drawn_from=platform,
        link=view(platform, site_season, scenario, page="phenology"),
    )
