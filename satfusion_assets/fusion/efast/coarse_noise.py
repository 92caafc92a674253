"""How far the coarse series departs from itself: noise, haze and unseen clouds that a prediction day inherits."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.windows import DayNumbers

TREND_DAYS: Final = 10.0
"""Standard deviation, days, of the weights of the local line that stands for the undisturbed series."""
NOISE_DAYS: Final = 2.0
"""Standard deviation, days, of the weights with which squared departures from it are averaged."""
_PORTION: Final = 512
"""Values a day that are worked on together: all days of them stay in the core's cache."""


def coarse_variance(days: DayNumbers, departures: NDArray[np.float64], coarse_days: DayNumbers) -> NDArray[np.float64]:
    """Variance (p, b, h, w) of coarse values around their local trend, on ``days``: the mean of squared departures.

    departures: (t, b, h, w) of ``coarse_departures``, on ``coarse_days``. NaN where a pixel was never observed.
    """
    kernel = _gaussian(days, coarse_days, NOISE_DAYS)
    flat = departures.reshape(len(departures), math.prod(departures.shape[1:]))
    variance = np.empty((len(days), flat.shape[1]))
    for columns in _portions(flat.shape[1]):
        known = np.isfinite(flat[:, columns])
        squares = np.square(flat[:, columns])
        np.copyto(squares, 0.0, where=~known)
        example, of_pixel = _sets(known)
        weight = (kernel @ known[:, example].astype(np.float64))[:, of_pixel]
        variance[:, columns] = _ratio(kernel @ squares, weight)
    return variance.reshape(len(days), *departures.shape[1:])


def coarse_departures(coarse: NDArray[np.floating[Any]], coarse_days: DayNumbers) -> NDArray[np.float64]:
    """Coarse values (t, b, h, w) minus their local trend; NaN = missing.

    The trend at an observation is the line fitted to its neighbourhood with Gaussian weights.
    """
    lag = (coarse_days[None, :] - coarse_days[:, None]).astype(np.float64)
    kernel = _gaussian(coarse_days, coarse_days, TREND_DAYS)
    moments = (kernel, kernel * lag, kernel * lag**2)
    flat = coarse.reshape(len(coarse), math.prod(coarse.shape[1:]))
    departures = np.empty(flat.shape)
    for columns in _portions(flat.shape[1]):
        values = flat[:, columns].astype(np.float64)
        missing = ~np.isfinite(values) | (values == 0)
        np.copyto(values, 0.0, where=missing)
        values -= _trend(values, ~missing, moments)
        np.copyto(values, np.nan, where=missing)
        departures[:, columns] = values
    return departures.reshape(coarse.shape)


def _trend(
    values: NDArray[np.float64], known: NDArray[np.bool_], moments: tuple[NDArray[np.float64], ...]
) -> NDArray[np.float64]:
    """The local line (t, k) of values, 0 where not known; moments: weights of neighbours times lag^0, lag^1, lag^2."""
    example, of_pixel = _sets(known)
    one = known[:, example].astype(np.float64)
    s0, s1, s2 = (moment @ one for moment in moments)
    determinant = s0 * s2 - s1**2
    sloped = determinant > 1e-9
    level = _ratio(np.where(sloped, s2, 1.0), np.where(sloped, determinant, s0))[:, of_pixel]
    tilt = _ratio(np.where(sloped, s1, 0.0), np.where(sloped, determinant, 1.0))[:, of_pixel]
    trend, pull = (moment @ values for moment in moments[:2])
    trend *= level
    pull *= tilt
    trend -= pull
    return trend


def _portions(pixels: int) -> list[slice]:
    return [slice(first, first + _PORTION) for first in range(0, pixels, _PORTION)]


def _sets(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp] | slice]:
    """The sets of days on which pixels are known, (t, k): a pixel of each set, and the set of every pixel; where all
    have the same, what spreads over them."""
    # Most pixels miss the same days, or none: what depends on these alone is formed once for each such set of days.
    if (known == known[:, :1]).all():
        return np.arange(min(known.shape[1], 1)), slice(None)
    packed = np.ascontiguousarray(np.packbits(known, axis=0).T)
    words = packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]
    _, example, of_pixel = np.unique(words, return_index=True, return_inverse=True)
    return example, of_pixel


def _gaussian(days: DayNumbers, centres: DayNumbers, width: float) -> NDArray[np.float64]:
    lag = (centres[None, :] - days[:, None]) / width
    # Relative to the nearest centre, so that a long gap does not underflow to no weight at all.
    nearest = np.min(np.abs(lag), axis=1, keepdims=True, initial=np.inf)
    return np.exp(-0.5 * (lag**2 - np.where(np.isfinite(nearest), nearest, 0.0) ** 2))


def _ratio(part: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, total, out=np.full(part.shape, np.nan), where=total != 0)
