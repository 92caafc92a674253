"""The predictive standard deviation of a fused value, learned from the scenes alone.

Every scene is predicted from the others (leave-one-scene-out). The variance of those errors is modelled per band as

    v = n + c0 U(noise of the coarse day) + l (c1 sum(s_i^2) + c2 (mean(t_i - t))^2 + c3 days to the nearest scene) + c4

with ``n`` the withheld scene's own noise, ``s_i`` the scenes' shares and ``l`` the local level: the share-weighted size
of the leave-one-out errors of the scenes that a pixel uses, which knows land cover and season (the area's own where no
scene of a pixel can be predicted from others). The c are not negative and fitted with a Student likelihood, so that an
unseen cloud does not speak for all others; then they are scaled to cover 68.27 % of the errors.

A withheld scene carries noise of its own, the surface does not: the surface's variance is v without n. The noise of
each scene comes from triples of scenes close in time: a scene's departure from the line between its neighbours has the
noise of all three, and non-negative least squares tell whose it is, so that haze in one scene is not another's noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from satfusion_assets.processing.efast.compiled import compiled

TERMS: Final = 5
ONE_SIGMA: Final = 0.6827
_DEGREES: Final = 4.0
"""Degrees of freedom of the Student likelihood."""
_LEAST: Final = 1e-7
"""Variance that no fit goes below: reflectance of 16-bit data is not known better than 0.0003."""
_DOUBT: Final = 0.3
"""Weight of the expectation that a scene has no noise, beside the departures."""
_MEDIAN_OF_SQUARES: Final = 0.455
"""Of a standard normal."""
_TWO_SIGMA: Final = 0.95
_ITERATIONS: Final = 60
_MINIMUM_ERRORS: Final = 50

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ErrorModel:
    """What an area's scenes say about errors, per band.

    coefficients: (b, 5) of v, NaN where there were too few errors to learn from. scene_noise: (b,) variance that turns
    the surface's intervals into those of a scene, which has noise of its own. typical_error: (b,) median size of the
    leave-one-out errors.
    """

    coefficients: NDArray[np.float64]
    scene_noise: NDArray[np.float64]
    typical_error: NDArray[np.float64]


def variance_terms(coarse_variance: Array, statistics: Array, band: int) -> Array:
    """The five terms (5, ...) of v. coarse_variance: (...). statistics: planes (3 + b, ...) of ``kernels.judge``."""
    nearest, squares, mean_lag = statistics[:3]
    # For normal errors the mean size is sqrt(2 / pi) standard deviations.
    level = statistics[3 + band] ** 2 * statistics.dtype.type(np.pi / 2)
    return np.stack([coarse_variance, level * squares, level * mean_lag**2, level * nearest, np.ones_like(level)])


@compiled
def deviate(
    coarse_variance: Any,
    statistics: Any,
    coefficients: Any,
    typical: Any,
    first: int,
    last: int,
    out: Any,
) -> None:
    """Fill rows ``first:last`` of ``out`` (p, b, H, W) with the standard deviation of estimate minus true surface.

    coarse_variance: (p, b, H, W). statistics: planes (p, 3 + b, H, W) of ``kernels.judge``. Others: ``ErrorModel``.
    """
    days, bands, _, width = out.shape
    for p in range(days):
        for b in range(bands):
            c0, c1, c2, c3, c4 = coefficients[b]
            for y in range(first, last):
                for x in range(width):
                    error = statistics[p, 3 + b, y, x]
                    level = (error if error == error else typical[b]) ** 2 * (np.pi / 2)
                    lag = statistics[p, 2, y, x]
                    scenes = c1 * statistics[p, 1, y, x] + c2 * lag * lag + c3 * statistics[p, 0, y, x]
                    out[p, b, y, x] = np.sqrt(c0 * coarse_variance[p, b, y, x] + level * scenes + c4)


@dataclass(frozen=True)
class Departure:
    """How far scene ``scene`` (of those sorted by day) strays from the line between the scenes before and after it.

    later: where it lies between them, 0 ... 1. values: (b, k), in units in which equal noise of all three scenes gives
    the departure the variance of one; NaN = unknown.
    """

    scene: int
    later: float
    values: Array


def scene_noises(departures: Sequence[Departure], scenes: int, bands: int) -> NDArray[np.float64]:
    """Variance (b, n) of each scene's own noise; the median where nothing tells, 0 without any departure."""
    noise = np.zeros((bands, scenes))
    for band in range(bands):
        squares = [np.square(d.values[band][np.isfinite(d.values[band])], dtype=np.float64) for d in departures]
        told = [
            (d, float(np.median(s)) / _MEDIAN_OF_SQUARES + _LEAST)
            for d, s in zip(departures, squares, strict=True)
            if s.size
        ]
        if not told:
            continue
        typical = float(np.median([variance for _, variance in told]))
        # Relative to what is observed: a hazy triple must not outweigh the clear ones.
        rows = np.array([_shares(d, scenes) / variance for d, variance in told])
        doubt = np.eye(scenes) * _DOUBT / typical
        found, _ = nnls(np.vstack([rows, doubt]), np.r_[np.ones(len(rows)), np.zeros(scenes)])
        noise[band] = np.where(rows.any(axis=0), found, typical)
    return noise


def _shares(departure: Departure, scenes: int) -> NDArray[np.float64]:
    """How much of the departure's variance is each scene's."""
    after = departure.later
    shares = np.zeros(scenes)
    shares[departure.scene - 1 : departure.scene + 2] = (1 - after) ** 2, 1, after**2
    return shares / shares.sum()


def fit_error_model(errors: Array, terms: Array, noises: NDArray[np.float64]) -> ErrorModel:
    """Learn from leave-one-out ``errors`` (b, n, k), their ``terms`` (b, 5, n, k) and the scenes' ``noises`` (b, n)."""
    bands = len(errors)
    coefficients, typical, scene_noise = np.full((bands, TERMS), np.nan), np.full(bands, np.nan), np.zeros(bands)
    for band, (error, term) in enumerate(zip(errors.astype(np.float64), terms.astype(np.float64), strict=True)):
        usable = np.isfinite(error) & np.isfinite(term).all(axis=0)
        if usable.sum() >= _MINIMUM_ERRORS:
            own = np.broadcast_to(noises[band][:, None], error.shape)[usable]
            squared = error[usable] ** 2
            coefficients[band] = _fit(squared, term[:, usable], own)
            typical[band] = np.sqrt(np.median(squared))
            scene_noise[band] = _common_noise(squared, coefficients[band] @ term[:, usable])
    return ErrorModel(coefficients, scene_noise, typical)


def _fit(squared: NDArray[np.float64], terms: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiplicative updates, which keep coefficients positive and never lower the likelihood."""
    scale = terms.mean(axis=1) + 1e-30
    scaled = terms / scale[:, None]
    c = np.full(len(terms), max(2 * float(np.median(squared)), _LEAST) / len(terms))
    for _ in range(_ITERATIONS):
        v = np.maximum(c @ scaled + own, _LEAST)
        robust = squared * (_DEGREES + 1) / (_DEGREES + squared / v)
        pull = scaled @ (1 / v)
        c = c * np.sqrt(np.divide(scaled @ (robust / v**2), pull, out=np.zeros_like(c), where=pull > 0))
    v = np.maximum(c @ scaled + own, _LEAST)
    return c / scale * float(np.quantile(squared / v, ONE_SIGMA))


def _common_noise(squared: NDArray[np.float64], surface: NDArray[np.float64]) -> float:
    """The one variance beside the surface's with which both intervals, taken together, cover the errors as they should.

    Scenes differ, so that no one noise gives both; what one covers too much the other lacks.
    """
    needed = np.concatenate([squared - surface, squared / 1.96**2 - surface])
    return max(float(np.quantile(needed, (ONE_SIGMA + _TWO_SIGMA) / 2)), 0.0)
