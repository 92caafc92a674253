"""The assets ``prepared_bti`` and ``prepared_itb``: what the fusion takes, per strategy."""

import dagster as dg

from satfusion_assets.pipeline.describe import described, view
from satfusion_assets.pipeline.partitions import site_season_of, strategy_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.vocabulary.scenarios import SIGMAS, Mode, Scenario


@dg.asset(**described(PREPARED_BTI))
def prepared_bti(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """Reflectance ready for Blend-then-Index: the day's kept Sentinel-2 scenes, cloud-masked and merged clearest pixel
    first, with the distance to the nearest cloud; and daily Sentinel-3 composites, averaged over a few days.
    """
    return _prepare(context, platform, Mode.BTI)


@dg.asset(**described(PREPARED_ITB))
def prepared_itb(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult[None]:
    """GCC of the same images, for Index-then-Blend: the index is taken first, then fused as one band."""
    return _prepare(context, platform, Mode.ITB)


def _prepare(context: dg.AssetExecutionContext, platform: Platform, mode: Mode) -> dg.MaterializeResult[None]:
    from satfusion_assets.pipeline.prepared.prepare import prepare

    site_season, strategy = site_season_of(context), strategy_of(context)
    site, days = platform.site(site_season), platform.settings.smoothing_days
    shown_under = Scenario(strategy, mode, SIGMAS[0])  # the viewer's; both sigmas share prepared images
    return materialise(
        lambda: prepare(platform.store, site, site_season, strategy, mode, smoothing_days=days),
        drawn_from=platform,
        link=view(platform, site_season, shown_under, stage="prepared"),
    )
