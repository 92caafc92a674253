"""How much of a series is noise, estimated from values that lie days apart.

A value departs from the straight line between two others by noise alone, where the series bends little between them
(Gasser, Sroka and Jennen-Steinmetz 1986, Biometrika 73, 625). Noise that lasts, as weather does, shows less between
neighbouring days than between days further apart, which tells its autocorrelation. What takes weeks (regrowth between
cuts) is no noise, and the few days at which a series breaks (cuts) do not move a median.

A compiled function calls none of another module, since the cache on disk would not notice that one changing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR_DAYS = 5
"""Days from which on two values lie far apart: weather with the largest autocorrelation has lost two thirds there, and
of regrowth between cuts a month apart most is still a straight line [d]."""

NEAR_DAYS = 3.0
"""Where neighbouring values typically lie further apart than this, nothing tells an autocorrelation from day to day,
and what is left of it matters little: noise counts as independent [d]. Three-day summaries are still handled."""

LARGEST_AUTOCORRELATION = 0.8
"""From day to day. What lasts longer than a week (0.8^5 = a third) is taken for a signal."""

LEAST_TRIPLES = 8
"""Fewer departures from straight lines tell nothing: the standard error of their median is a third of it."""

MEDIAN_OF_SQUARES = 0.4549
"""Of a standard normal variable."""


def noise_variance(series: NDArray[np.float64], observed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(m,) variance of independent daily noise that would blur means as the noise of each series (m, n) does.

    observed: (m, n) days with a value. For noise of variance s^2 and autocorrelation r that is s^2 (1 + r) / (1 - r).
    NaN where too few values tell.
    """
    variance = np.full(len(series), np.nan)
    _noise_rows(series, observed, variance)
    return variance


@njit(cache=True, nogil=True)
def _departures(y, seen, apart, squares, spans):  # type: ignore[no-untyped-def]
    """Squared departures of values from the line between the nearest ones at least ``apart`` days off; how many.

    squares: as if of independent values, in units of their variance; spans: days between the three, on average.
    """
    count = 0
    left = 0
    right = 0
    for k in range(seen.size):
        while left + 1 < k and seen[left + 1] <= seen[k] - apart:
            left += 1
        while right < seen.size and seen[right] < seen[k] + apart:
            right += 1
        if seen[left] > seen[k] - apart:
            continue
        if right == seen.size:
            break
        before = float(seen[k] - seen[left])
        after = float(seen[right] - seen[k])
        share = before / (before + after)
        departure = y[seen[k]] - (1.0 - share) * y[seen[left]] - share * y[seen[right]]
        squares[count] = departure * departure / (1.0 + share * share + (1.0 - share) ** 2)
        spans[count] = 0.5 * (before + after)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _shown(rho, span):  # type: ignore[no-untyped-def]
    """What noise of autocorrelation ``rho`` shows over ``span`` days, of what independent noise would."""
    return 1.0 - (4.0 * rho**span - rho ** (2.0 * span)) / 3.0


@njit(cache=True, nogil=True)
def _noise_rows(series, observed, variance):  # type: ignore[no-untyped-def]
    squares, spans = np.empty((2, series.shape[1]))
    for row in range(series.shape[0]):
        seen = np.flatnonzero(observed[row])
        count = _departures(series[row], seen, 1, squares, spans)
        if count < LEAST_TRIPLES:
            continue
        near = np.median(squares[:count]) / MEDIAN_OF_SQUARES
        near_span = np.median(spans[:count])
        rho = 0.0
        count = _departures(series[row], seen, FAR_DAYS, squares, spans)
        if near_span <= NEAR_DAYS and count >= LEAST_TRIPLES:
            far = np.median(squares[:count]) / MEDIAN_OF_SQUARES
            far_span = np.median(spans[:count])
            high = LARGEST_AUTOCORRELATION
            while high - rho > 1e-3:  # neighbouring days show the less of the noise, the longer it lasts
                middle = 0.5 * (rho + high)
                if near * _shown(middle, far_span) > far * _shown(middle, near_span):
                    high = middle
                else:
                    rho = middle
        variance[row] = near / _shown(rho, near_span) * (1.0 + rho) / (1.0 - rho)
