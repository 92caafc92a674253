"""The asset ``phenology``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import scenario_of, site_season_of
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(PHENOLOGY))
def phenology(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
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
