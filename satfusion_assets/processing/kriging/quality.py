"""What each kriged value rests on: layers beside the product, as EFAST has them, and in one word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast.coarse import CoarseSupport
from satfusion_assets.processing.efast.kernels import NO_SCENE
from satfusion_assets.processing.efast.quality import Quality
from satfusion_assets.processing.efast.uncertainty import ErrorModel
from satfusion_assets.processing.kriging.drift import on_rows
from satfusion_assets.processing.kriging.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from satfusion_assets.processing.kriging.plan import KrigingPlan

NEAR_COARSE_DAYS: Final = 5
"""A coarse observation so near counts as one of the day's own time: a composite's length."""


class Support(IntEnum):
    """What a kriged value of a pixel and day rests on; the first that holds, from the last upwards."""

    NONE = 0
    """The pixel was never seen: no value."""
    LEVEL = 1
    """No scene within the correlation length and no coarse value of the day's time: the pixel's own level."""
    DRIFT = 2
    """No scene within the correlation length; the coarse series tells the change."""
    ONE_SIDE = 3
    """Scenes within the correlation length on one side of the day."""
    BOTH_SIDES = 4
    """Scenes within the correlation length before and after."""
    OBSERVED = 5
    """A scene of the day itself."""
    SNOW = 6
    """The coarse series sees snow then; the value is that of the ground beneath."""


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
    from satfusion_assets.processing.kriging.weights import common_covariance

    images, settings = plan.images, plan.hyperparameters
    before, after = _days_to_scenes(plan, days)
    nearest = np.minimum(before, after)
    length = float(np.median(settings.correlation_days))
    support = np.full(nearest.shape, Support.LEVEL, np.uint8)
    coarse = coarse_layers(plan, days)
    drifting = on_rows(
        (coarse >= CoarseSupport.INTERPOLATED).astype(np.float64), plan.ratio, plan.top, plan.left,
        np.arange(nearest.shape[1]), nearest.shape[2],
    ) > 0.5
    support[drifting] = Support.DRIFT
    support[nearest <= length] = Support.ONE_SIDE
    support[(before <= length) & (after <= length)] = Support.BOTH_SIDES
    support[nearest == 0] = Support.OBSERVED
    if plan.coarse_snow is not None and plan.coarse_snow.any():
        support[_snow_then(plan, days)] = Support.SNOW
    support[nearest == NO_SCENE_DAYS] = Support.NONE
    usual = np.median(np.where(np.isfinite(settings.noise), settings.noise, np.nan), axis=0) if len(settings.noise) else 1.0
    narrow = (1 / np.sqrt(usual)).astype(np.float32)
    widest = np.square(np.max([deviation[:, band] * narrow[band] for band in range(deviation.shape[1])], axis=0))
    effective = np.divide(1, widest, out=np.zeros_like(widest), where=widest > 0)
    return KrigingQuality(
        np.minimum(nearest, NO_SCENE).astype(np.uint8),
        effective,
        coarse,
        deviation,
        error_model(settings),
        support,
        settings,
        common_covariance(days, images.fine_days, settings, images.order),
    )


NO_SCENE_DAYS: Final = 30_000
"""Days to the nearest scene where there is none."""
NEVER: Final = 10_000_000
"""Days that lie before every calendar."""


def error_model(settings: Hyperparameters) -> ErrorModel:
    """What a withheld scene has beside the surface, in the words of EFAST's error model."""
    bands = len(settings.variance)
    own = settings.noise + settings.offset**2
    drift = 2 * settings.variance / settings.correlation_days
    return ErrorModel(np.ones(bands), drift, own, np.sqrt(np.median(own, axis=0)) if len(own) else np.full(bands, np.nan))


def _days_to_scenes(plan: KrigingPlan, days: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Days (p, H, W) to the last scene up to each day and to the first from it on."""
    images = plan.images
    shape = (len(days), *images.fine.shape[2:])
    seen = np.stack([np.isfinite(images.fine[scene]).any(axis=0) for scene in images.order]) if len(images.fine) else []
    if plan.usable is not None:
        seen &= plan.usable[images.order]
    before, after = (np.empty(shape, np.int16) for _ in range(2))
    _sweep(days, images.fine_days, seen, before)
    _sweep(-days, -images.fine_days[::-1], seen[::-1], after)
    return before, after


def _sweep(days: NDArray[np.int64], scene_days: NDArray[np.int64], seen: Any, out: NDArray[np.int16]) -> None:
    """Fill ``out`` (p, H, W) with the days since the last scene up to each day; scene_days ascend."""
    last = np.full(out.shape[1:], -NEVER, np.int64)
    s = 0
    for p in np.argsort(days, kind="stable"):
        while s < len(scene_days) and scene_days[s] <= days[p]:
            last[seen[s]] = scene_days[s]
            s += 1
        out[p] = np.minimum(days[p] - last, NO_SCENE_DAYS)


def coarse_layers(plan: KrigingPlan, days: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``CoarseSupport`` (p, h, w) of the ground in the coarse series; the weakest band counts."""
    from satfusion_assets.processing.kriging.plan import ground

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


def _snow_then(plan: KrigingPlan, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the coarse observation nearest to each day, at most ``NEAR_COARSE_DAYS`` away, saw snow: (p, H, W)."""
    assert plan.coarse_snow is not None
    images = plan.images
    known = np.isfinite(images.coarse).any(axis=1)
    snow: NDArray[Any] = np.zeros((len(days), *images.coarse.shape[2:]))
    for place in np.ndindex(*images.coarse.shape[2:]):
        seen = known[(slice(None), *place)]
        if seen.any():
            at = images.coarse_days[seen]
            nearest = np.abs(days[:, None] - at[None, :]).argmin(axis=1)
            close = np.abs(days - at[nearest]) <= NEAR_COARSE_DAYS
            snow[(slice(None), *place)] = plan.coarse_snow[(seen, *place)][nearest] & close
    rows = np.arange(images.fine.shape[2])
    return on_rows(snow, plan.ratio, plan.top, plan.left, rows, images.fine.shape[3]) > 0.5
