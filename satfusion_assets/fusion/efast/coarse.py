"""Coarse values on any day (Senty et al. 2024, section 2.4), and how well the data support them.

A value between two finite observations lies on the line between them; before the first and after the last
observation it holds theirs. It depends on the day alone, not on the prediction it serves, so a season
shares it between all days and weights.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.compiled import compiled
from satfusion_assets.fusion.efast.windows import DayNumbers, windows

MINIMUM_COARSE_VALUES: Final = 4
"""A coarse pixel serves a prediction day when its window holds at least this many finite values."""


class CoarseSupport(IntEnum):
    """What a coarse value of a prediction day rests on; the weakest band counts."""

    NONE = 0
    """Fewer than four observations in the window: no estimate from this coarse pixel."""
    EXTRAPOLATED = 1
    """All observations of the window lie on one side of the day."""
    INTERPOLATED = 2
    """Observations on both sides."""
    OBSERVED = 3
    """An observation on the day itself."""


def coarse_on(days: DayNumbers, coarse: NDArray[np.floating[Any]], coarse_days: DayNumbers) -> NDArray[Any]:
    """Coarse values (e, b, h, w) on ``days`` (e,), NaN only where a pixel was never observed.

    coarse: (t, b, h, w) on ascending ``coarse_days`` (t,), NaN or 0 = missing.
    """
    values = np.full((len(days), *coarse.shape[1:]), np.nan, coarse.dtype)
    if len(coarse):
        _interpolate(coarse, coarse_days.astype(np.float64), days.astype(np.float64), values)
    return values


def coarse_support(
    days: DayNumbers, coarse: NDArray[np.floating[Any]], coarse_days: DayNumbers, reach: float
) -> NDArray[np.uint8]:
    """``CoarseSupport`` codes (p, b, h, w) of every band within ``reach`` days (exclusive) of each day."""
    support = np.zeros((len(days), *coarse.shape[1:]), np.uint8)
    if len(coarse):
        window = windows(days, coarse_days, reach)
        _classify(coarse, coarse_days, days, window.first, window.last, support)
    return support


@compiled
def _interpolate(coarse: Any, coarse_days: Any, days: Any, values: Any) -> None:
    steps, bands, height, width = coarse.shape
    x = np.empty(steps, np.float64)
    y = np.empty(steps, np.float64)
    for b in range(bands):
        for row in range(height):
            for column in range(width):
                count = 0
                for t in range(steps):
                    value = coarse[t, b, row, column]
                    if np.isfinite(value) and value != 0:
                        x[count] = coarse_days[t]
                        y[count] = value
                        count += 1
                if count == 0:
                    continue
                for e in range(len(days)):
                    right = np.searchsorted(x[:count], days[e])
                    if right == count:
                        values[e, b, row, column] = y[count - 1]
                    elif right == 0:
                        values[e, b, row, column] = y[0]
                    else:
                        left = right - 1
                        slope = (y[right] - y[left]) / (x[right] - x[left])
                        values[e, b, row, column] = y[right] + slope * (days[e] - x[right])


@compiled
def _classify(coarse: Any, coarse_days: Any, days: Any, first: Any, last: Any, support: Any) -> None:
    steps, bands, height, width = coarse.shape
    seen = np.zeros(steps + 1, np.int64)
    for b in range(bands):
        for row in range(height):
            for column in range(width):
                for t in range(steps):
                    value = coarse[t, b, row, column]
                    seen[t + 1] = seen[t] + (np.isfinite(value) and value != 0)
                for p in range(len(days)):
                    if seen[last[p]] - seen[first[p]] < MINIMUM_COARSE_VALUES:
                        continue
                    left = np.searchsorted(coarse_days, days[p])
                    right = np.searchsorted(coarse_days, days[p], side="right")
                    if seen[right] > seen[left]:
                        support[p, b, row, column] = 3
                    elif seen[left] > seen[first[p]] and seen[last[p]] > seen[right]:
                        support[p, b, row, column] = 2
                    else:
                        support[p, b, row, column] = 1
