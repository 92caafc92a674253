"""Every scene's day predicted without the scene, and again without the scenes near it: what the predictions rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.compiled import compiled
from satfusion_assets.fusion.efast.weights import SceneWeights
from satfusion_assets.fusion.efast.windows import DayNumbers

GAP: Final = 10
"""Days to either side of a scene within which the second prediction does without scenes."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LeftOutScenes:
    """Predictions of n scenes' days at k pixels from the other scenes; NaN = not possible.

    scene_variance: (n, b, k) variance that scenes tell of, ``sum(s_i^2 e_i^2) + b^2`` of ``uncertainty``. distance:
    (n, k) its D, days. change: (n, b, k) prediction minus the one without the scenes within ``GAP`` days;
    ``change_variance`` and ``change_distance`` are the same for it.
    """

    scene_variance: Array
    distance: Array
    change: Array
    change_variance: Array
    change_distance: Array


def withhold(
    days: DayNumbers, weights: SceneWeights, fine_weights: Array, departures: Array, squares: Array
) -> LeftOutScenes:
    """Withhold every scene in turn.

    days: (n,) ascending. weights: those of ``leave_one_out_weights``, and fine_weights: (sum of window sizes, k) their
    values at the pixels. departures: (n, b, k), NaN = missing. squares: (n, b, k) e_i^2.
    """
    known = np.asarray(np.isfinite(departures).all(axis=1))
    filled = np.where(known[:, None], departures, 0)
    found = LeftOutScenes(
        *(np.full_like(departures if bands else departures[:, 0], np.nan) for bands in (1, 0, 1, 1, 0))
    )
    for scene, (first, last) in enumerate(zip(weights.window.first, weights.window.last, strict=True)):
        others, start = slice(first, last), weights.offsets[scene]
        weight = fine_weights[start : start + last - first] * known[others]
        apart = np.abs(days[others] - days[scene]) > GAP
        near, far = _shares(weight), _shares(weight * apart[:, None])
        change, lags = near - far, (days[others] - days[scene]).astype(weight.dtype)
        own = _own(near, squares[others])
        slope = _squared_slope(near, lags, filled[others], own)
        beside = near.copy()
        beside[scene - first] -= 1
        found.scene_variance[scene] = own + slope * (lags @ near) ** 2
        found.distance[scene] = squared_integral(beside, days[others])
        found.change[scene] = _summed(change, filled[others])
        found.change_variance[scene] = _own(change, squares[others]) + slope * (lags @ change) ** 2
        found.change_distance[scene] = squared_integral(change, days[others])
    return found


def _shares(weights: Array) -> Array:
    total = weights.sum(axis=0)
    return np.divide(weights, total, out=np.full_like(weights, np.nan), where=total > 0)


def _own(shares: Array, squares: Array) -> Array:
    return _summed(shares**2, squares)


def _summed(shares: Array, values: Array) -> Array:
    """Sum over scenes (b, k) of values (m, b, k) times shares (m, k)."""
    sums = np.zeros(values.shape[1:], values.dtype)
    _add(shares, values, sums)
    return sums


@compiled
def _add(shares: Any, values: Any, sums: Any) -> None:
    scenes, bands, pixels = values.shape
    for s in range(scenes):
        for b in range(bands):
            for k in range(pixels):
                sums[b, k] += shares[s, k] * values[s, b, k]


def _squared_slope(shares: Array, lags: Array, departures: Array, own: Array) -> Array:
    """Square of the departures' slope (b, k) under shares (m, k), less its own variance; 0 where lags hardly differ.
    own: (b, k) of ``_own`` under these shares."""
    away = lags[:, None] - lags @ shares
    variance = (shares * away**2).sum(axis=0)
    pull = np.divide(shares * away, variance, out=np.zeros_like(shares), where=variance >= 1)
    doubt = own * (pull**2).sum(axis=0) / (shares**2).sum(axis=0)
    return np.maximum(_summed(pull, departures) ** 2 - doubt, 0)


def squared_integral(steps: Array, days: DayNumbers) -> Array:
    """Integral over time (k,) of the square of a function that steps by ``steps`` (m, k) on ``days`` (m,)."""
    return np.diff(days).astype(steps.dtype) @ np.cumsum(steps, axis=0)[:-1] ** 2
