"""Prepared: what the fusion takes, per strategy; reflectance (BtI) and its GCC (ItB) are two assets."""

import dagster as dg

from satfusion_assets.assets.common import stage, view
from satfusion_assets.assets.reporting import materialise
from satfusion_assets.partitions import by_strategy, same_site_season, site_season_of, strategy_of
from satfusion_assets.resources import Platform
from satfusion_assets.scenarios import SIGMAS, Mode, Scenario, Strategy
from satfusion_assets.sites import SiteSeason

SCREENED = [dg.AssetDep(name, partition_mapping=same_site_season) for name in ("raw_s2", "raw_s3", "preselected")]
"""Both modes name them: a backfill walks the graph breadth first and looks at each asset once, so both modes must be
met before the fused scenarios, which descend from either."""


@dg.asset(
    partitions_def=by_strategy,
    deps=SCREENED,
    **stage("prepared", "sentinel2", "sentinel3", "geotiff", sensor="both"),
)
def prepared_bti(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Reflectance ready for Blend-then-Index: the day's kept Sentinel-2 scenes, cloud-masked and merged clearest pixel
    first, with the distance to the nearest cloud; and daily Sentinel-3 composites, averaged over a few days.
    """
    from satfusion_assets.stages.prepare import prepare_reflectance

    site_season, strategy = site_season_of(context), strategy_of(context)
    days = platform.settings.smoothing_days
    return materialise(
        lambda: prepare_reflectance(
            platform.store, platform.site(site_season), site_season, strategy, smoothing_days=days
        ),
        drawn_from=platform,
        link=_prepared_view(platform, site_season, strategy, Mode.BTI),
    )


@dg.asset(
    partitions_def=by_strategy,
    deps=[*SCREENED, prepared_bti],
    **stage("prepared", "sentinel2", "sentinel3", "geotiff", sensor="both"),
)
def prepared_itb(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """GCC of every prepared image, for Index-then-Blend: the index is taken first, then fused as one band."""
    from satfusion_assets.stages.prepare import prepare_gcc

    site_season, strategy = site_season_of(context), strategy_of(context)
    return materialise(
        lambda: prepare_gcc(platform.store, platform.site(site_season), site_season, strategy),
        drawn_from=platform,
        link=_prepared_view(platform, site_season, strategy, Mode.ITB),
    )


def _prepared_view(platform: Platform, site_season: SiteSeason, strategy: Strategy, mode: Mode) -> str:
    """The viewer shows prepared images under a scenario; both sigmas share them."""
    return view(platform, site_season, Scenario(strategy, mode, SIGMAS[0]), stage="prepared")
