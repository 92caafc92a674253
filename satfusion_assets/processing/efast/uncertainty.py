"""The predictive standard deviation of a fused value, learned from the scenes alone.

Every scene is predicted from the others (leave-one-scene-out). The variance of those errors is modelled per band as

    v = c0 U(noise of the coarse day) + l (c1 sum(s_i^2) + c2 (mean(t_i - t))^2 + c3 days to the nearest scene) + c4

with ``s_i`` the scenes' shares and ``l`` the local level: the share-weighted size of the leave-one-out errors of the
scenes that a pixel uses, which knows land cover and season (the area's own where no scene of a pixel can be predicted
from others). The c are not negative and fitted with a Student likelihood, so that a hazy scene or an unseen cloud does
not speak for all others; then v is scaled to cover 68.27 % of the errors.
A withheld scene carries noise of its own, the surface does not: the surface's variance is v less the scene noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast.compiled import compiled

TERMS: Final = 5
ONE_SIGMA: Final = 0.6827
_DEGREES: Final = 4.0
"""Degrees of freedom of the Student likelihood."""
_LEAST: Final = 1e-7
"""Variance that no fit goes below: reflectance of 16-bit data is not known better than 0.0003."""
KEPT: Final = 0.1
"""Share of v that stays, whatever the scene noise."""
_ITERATIONS: Final = 60
_MINIMUM_ERRORS: Final = 50

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ErrorModel:
    """What an area's scenes say about errors, per band.

    coefficients: (b, 5) of v, NaN where there were too few errors to learn from. scene_noise: (b,) variance of the
    noise that a scene has of its own. typical_error: (b,) median size of the leave-one-out errors.
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
    scene_noise: Any,
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
                    v = c0 * coarse_variance[p, b, y, x] + level * scenes + c4
                    out[p, b, y, x] = np.sqrt(max(v - scene_noise[b], KEPT * v))


def fit_error_model(errors: Array, terms: Array, departures: list[Array]) -> ErrorModel:
    """Learn from leave-one-out ``errors`` (b, m), their ``terms`` (b, 5, m), and what scenes say of their own noise.

    departures: per scene (b, k), from the line between the scenes before and after it, in units in which the
    departure has the variance of one scene's noise; NaN = unknown.
    """
    coefficients, typical = np.full((len(errors), TERMS), np.nan), np.full(len(errors), np.nan)
    for band, (error, term) in enumerate(zip(errors.astype(np.float64), terms.astype(np.float64), strict=True)):
        usable = np.isfinite(error) & np.isfinite(term).all(axis=0)
        if usable.sum() >= _MINIMUM_ERRORS:
            coefficients[band] = _fit(error[usable] ** 2, term[:, usable])
            typical[band] = np.median(np.abs(error[usable]))
    noise = np.array([_scene_noise([d[band] for d in departures]) for band in range(len(errors))])
    return ErrorModel(coefficients, noise, typical)


def _fit(squared: NDArray[np.float64], terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiplicative updates, which keep coefficients positive and never lower the likelihood."""
    scale = terms.mean(axis=1) + 1e-30
    scaled = terms / scale[:, None]
    c = np.full(len(terms), max(2 * float(np.median(squared)), _LEAST) / len(terms))
    for _ in range(_ITERATIONS):
        v = np.maximum(c @ scaled, _LEAST)
        robust = squared * (_DEGREES + 1) / (_DEGREES + squared / v)
        pull = scaled @ (1 / v)
        c = c * np.sqrt(np.divide(scaled @ (robust / v**2), pull, out=np.zeros_like(c), where=pull > 0))
    v = np.maximum(c @ scaled, _LEAST)
    return c / scale * float(np.quantile(squared / v, ONE_SIGMA))


def _scene_noise(departures: list[Array]) -> float:
    """Variance of the noise of a clear scene (the lower quartile): haze in some scenes is not every scene's noise."""
    known = [d[np.isfinite(d)].astype(np.float64) for d in departures]
    # 0.455 is the median of a squared standard normal.
    variances = [float(np.median(d**2)) / 0.455 for d in known if d.size]
    return float(np.quantile(variances, 0.25)) if variances else 0.0
