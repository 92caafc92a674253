"""What each kriged value rests on: layers beside the product, as EFAST has them, and in one word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.coarse import CoarseSupport
from satfusion_assets.fusion.efast.compiled import over_strips
from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.fusion.efast.uncertainty import ErrorModel
from satfusion_assets.fusion.kriging import support as kernels
from satfusion_assets.fusion.kriging.hyperparameters import Hyperparameters
from satfusion_assets.fusion.kriging.snow import nearest_snow
from satfusion_assets.fusion.kriging.support import CoarsePlace, Support, SupportEvidence

if TYPE_CHECKING:
    from satfusion_assets.fusion.kriging.plan import KrigingPlan


LEAST_USUAL: Final = 1e-30
"""A scene's usual noise variance where there is none at all."""


@dataclass(frozen=True)
class KrigingQuality(Quality):
    """Layers of the days of one ``Fused`` by kriging; those of ``Quality`` mean the same.

    effective_scenes: scenes of the usual noise whose mean would be as uncertain, over the bands the fewest.
    support: (p, H, W) uint8, ``Support``. hyperparameters: what was given or learned. common_covariance: (p, b, b) of
    the error that all pixels share.
    """

    support: NDArray[np.uint8]
    hyperparameters: Hyperparameters
    common_covariance: NDArray[np.float64]


def assess(plan: KrigingPlan, days: NDArray[np.int64], deviation: NDArray[np.float32]) -> KrigingQuality:
    """Layers of ``days`` whose standard ``deviation`` (p, b, H, W) is known."""
    from satfusion_assets.fusion.kriging.weights import common_covariance

    images, settings = plan.images, plan.hyperparameters
    coarse = coarse_layers(plan, days)
    usual = np.ones(images.bands)
    if len(images.fine):
        usual = np.median(np.where(np.isfinite(settings.noise), settings.noise, settings.variance), axis=0)
    shape = (len(days), *images.fine.shape[2:])
    nearest, support, effective = np.empty(shape, np.uint8), np.empty(shape, np.uint8), np.empty(shape, np.float32)
    images_snow = np.zeros(images.coarse[:, 0].shape, bool) if plan.coarse_snow is None else plan.coarse_snow
    snow_then = nearest_snow(days, images.coarse, images.coarse_days, images_snow)
    coarse_support = np.where(snow_then, Support.SNOW, np.where(coarse >= CoarseSupport.INTERPOLATED, Support.DRIFT, 0))
    evidence = SupportEvidence(
        _seen(plan),
        images.fine_days,
        days,
        np.argsort(days, kind="stable"),
        coarse_support.astype(np.uint8),
        CoarsePlace(plan.ratio, plan.top, plan.left),
        deviation,
        (1 / np.maximum(usual, LEAST_USUAL)).astype(np.float32),
        float(np.median(settings.correlation_days)),
    )
    over_strips(
        lambda first, last: kernels.support(evidence, first, last, nearest, support, effective),
        shape[1],
        16,
        plan.threads,
    )
    return KrigingQuality(
        nearest,
        effective,
        coarse,
        deviation,
        error_model(settings),
        support,
        settings,
        common_covariance(days, images.fine_days, settings, images.order),
    )


def error_model(settings: Hyperparameters) -> ErrorModel:
    """What a withheld scene has beside the surface, in the words of EFAST's error model."""
    bands = len(settings.variance)
    own = settings.noise + settings.offset**2
    drift = 2 * settings.variance / settings.correlation_days
    return ErrorModel(
        np.ones(bands), drift, own, np.sqrt(np.median(own, axis=0)) if len(own) else np.full(bands, np.nan)
    )


def _seen(plan: KrigingPlan) -> NDArray[np.bool_]:
    """(n, H, W) sorted by day: where a scene shows the ground in any band."""
    images = plan.images
    seen = np.zeros((len(images.fine), *images.fine.shape[2:]), bool)
    for s, scene in enumerate(images.order):
        seen[s] = np.isfinite(images.fine[scene]).any(axis=0)
        if plan.usable is not None:
            seen[s] &= plan.usable[scene]
    return seen


def coarse_layers(plan: KrigingPlan, days: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``CoarseSupport`` (p, h, w) of the ground in the coarse series; the weakest band counts."""
    from satfusion_assets.fusion.kriging.plan import ground

    coarse, coarse_days = ground(plan.images.coarse, plan.coarse_snow), plan.images.coarse_days
    seen = np.isfinite(coarse).all(axis=1)
    layers = np.full((len(days), *coarse.shape[2:]), CoarseSupport.NONE, np.uint8)
    for place in np.ndindex(*coarse.shape[2:]):
        known = coarse_days[seen[(slice(None), *place)]]
        if not len(known):
            continue
        after = np.searchsorted(known, days)
        here = np.isin(days, known)
        inside = (after > 0) & (after < len(known))
        layers[(slice(None), *place)] = np.where(
            here, CoarseSupport.OBSERVED, np.where(inside, CoarseSupport.INTERPOLATED, CoarseSupport.EXTRAPOLATED)
        )
    return layers
