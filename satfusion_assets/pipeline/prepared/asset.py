"""The assets ``prepared_bti`` and ``prepared_itb``: what the fusion takes, per strategy."""

from typing import Final

import dagster as dg

from satfusion_assets.pipeline.assets_shared import stage, view
from satfusion_assets.pipeline.partitions import by_strategy, same_site_season, site_season_of, strategy_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.vocabulary.scenarios import SIGMAS, Mode, Scenario

SCREENED: Final = tuple(
    dg.AssetDep(name, partition_mapping=same_site_season) for name in ("raw_s2", "raw_s3", "preselected")
)
"""Both modes start from here, neither from the other. A backfill looks at each asset once, breadth first: what fused
descends from has to be met before it, whatever the root."""


KINDS: Final = ("sentinel2", "sentinel3", "geotiff")


@dg.asset(partitions_def=by_strategy, deps=SCREENED, **stage("prepared_bti", "prepared", *KINDS, sensor="both"))
def prepared_bti(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """Reflectance ready for Blend-then-Index: the day's kept Sentinel-2 scenes, cloud-masked and merged clearest pixel
    first, with the distance to the nearest cloud; and daily Sentinel-3 composites, averaged over a few days.
    """
    return _prepare(context, platform, Mode.BTI)


@dg.asset(partitions_def=by_strategy, deps=SCREENED, **stage("prepared_itb", "prepared", *KINDS, sensor="both"))
def prepared_itb(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """GCC of the same images, for Index-then-Blend: the index is taken first, then fused as one band."""
    return _prepare(context, platform, Mode.ITB)


def _prepare(context: dg.AssetExecutionContext, platform: Platform, mode: Mode) -> dg.MaterializeResult:
    from satfusion_assets.pipeline.prepared.prepare import prepare

    site_season, strategy = site_season_of(context), strategy_of(context)
    site, days = platform.site(site_season), platform.settings.smoothing_days
    shown_under = Scenario(strategy, mode, SIGMAS[0])  # the viewer's; both sigmas share prepared images
    return materialise(
        lambda: prepare(platform.store, site, site_season, strategy, mode, smoothing_days=days),
        drawn_from=platform,
        link=view(platform, site_season, shown_under, stage="prepared"),
    )
