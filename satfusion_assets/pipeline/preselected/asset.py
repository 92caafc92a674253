"""The asset ``preselected``: which raw scenes each strategy keeps."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.reporting import materialise


@dg.asset(**described(PRESELECTED))
def preselected(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """Every raw scene of both sensors, judged at the site: dark, without vegetation signal, or a sudden fall of NDVI.

    Both strategies' verdicts stand side by side with the rule that excluded a scene
    (`raw/preselection/{s2,s3}_preselection.json` and `.csv`).
    """
    from satfusion_assets.pipeline.preselected.preselect import preselect

    site_season = site_season_of(context)
    return materialise(
        lambda: preselect(platform.store, platform.site(site_season), site_season),
        drawn_from=platform,
        link=view(platform, site_season, page="preselection"),
    )
