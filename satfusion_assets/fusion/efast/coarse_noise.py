"""How far the coarse series departs from itself: noise, haze and unseen clouds that a prediction day inherits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.windows import DayNumbers

TREND_DAYS: Final = 10.0
"""Standard deviation, days, of the weights of the local line that stands for the undisturbed series."""
NOISE_DAYS: Final = 2.0
"""Standard deviation, days, of the weights with which squared departures from it are averaged."""


def coarse_variance(days: DayNumbers, departures: NDArray[np.float64], coarse_days: DayNumbers) -> NDArray[np.float64]:
    """Variance (p, b, h, w) of coarse values around their local trend, on ``days``: the mean of squared departures.

    departures: (t, b, h, w) of ``coarse_departures``, on ``coarse_days``. NaN where a pixel was never observed.
    """
    known = np.isfinite(departures)
    squares = np.square(departures)
    np.copyto(squares, 0.0, where=~known)
    kernel = _gaussian(days, coarse_days, NOISE_DAYS)
    return _ratio(_under(kernel, squares), _under(kernel, known.astype(np.float64)))


def coarse_departures(coarse: NDArray[np.floating[Any]], coarse_days: DayNumbers) -> NDArray[np.float64]:
    """Coarse values (t, b, h, w) minus their local trend; NaN = missing.

    The trend at an observation is the line fitted to its neighbourhood with Gaussian weights.
    """
    departures = coarse.astype(np.float64)
    missing = ~np.isfinite(departures) | (departures == 0)
    np.copyto(departures, 0.0, where=missing)
    departures -= _trend(departures, ~missing, coarse_days)
    np.copyto(departures, np.nan, where=missing)
    return departures


def _trend(values: NDArray[np.float64], known: NDArray[np.bool_], days: DayNumbers) -> NDArray[np.float64]:
    kernel = _gaussian(days, days, TREND_DAYS)
    lag = (days[None, :] - days[:, None]).astype(np.float64)
    # Most pixels miss the same days, or none: what depends on these alone is formed once for each such set of days.
    flat = known.reshape(len(known), -1)
    example, of_pixel = _sets(flat)
    one = flat[:, example].astype(np.float64)
    s0, s1, s2 = (_under(kernel * lag**power, one) for power in range(3))
    determinant = s0 * s2 - s1**2
    sloped = determinant > 1e-9
    level = _ratio(np.where(sloped, s2, 1.0), np.where(sloped, determinant, s0))[:, of_pixel]
    tilt = _ratio(np.where(sloped, s1, 0.0), np.where(sloped, determinant, 1.0))[:, of_pixel]
    trend, pull = (_under(kernel * lag**power, values.reshape(len(values), -1)) for power in range(2))
    trend *= level
    pull *= tilt
    trend -= pull
    return trend.reshape(values.shape)


def _sets(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The sets of days on which pixels are known, (t, k): a pixel of each set, and the set of every pixel, or of all at
    once where there is one."""
    if (known == known[:, :1]).all():
        return np.arange(min(known.shape[1], 1)), np.zeros(min(known.shape[1], 1), np.intp)
    packed = np.ascontiguousarray(np.packbits(known, axis=0).T)
    words = packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]
    _, example, of_pixel = np.unique(words, return_index=True, return_inverse=True)
    return example, of_pixel


def _gaussian(days: DayNumbers, centres: DayNumbers, width: float) -> NDArray[np.float64]:
    lag = (centres[None, :] - days[:, None]) / width
    # Relative to the nearest centre, so that a long gap does not underflow to no weight at all.
    nearest = np.min(np.abs(lag), axis=1, keepdims=True, initial=np.inf)
    return np.exp(-0.5 * (lag**2 - np.where(np.isfinite(nearest), nearest, 0.0) ** 2))


def _under(kernel: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.tensordot(kernel, values, axes=1)


def _ratio(part: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, total, out=np.full(total.shape, np.nan), where=total != 0)
