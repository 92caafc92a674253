"""Where a curve turns: alternating troughs and peaks, the skeleton of its seasons.

Turns are found by hysteresis on a coarser outline of the curve: one counts when the outline swings back by more than a
share of its range and by more than its noise can make. A gap longer than a dormant season ends one series and begins
another. Everything works on indices of a daily grid and is compiled; a compiled function calls none of another module,
since the cache on disk would not notice that one changing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

SPLITTING_GAP = 183
"""A gap longer than a dormant season ends one series and begins another [d]."""

MIN_OBSERVATIONS = 10
"""Fewer observed days make no season."""

MIN_SWING_SHARE = 0.20
"""Smallest swing that counts as a season, of the range of the whole outline."""

SHARED_SHARE = 0.5
"""What of an error that neighbouring days share counts as noise of the outline: five of them make a season."""

SHALLOW_SHARE = 0.25
"""A trough above this share of both neighbouring peaks (cut, grazing, dry spell) does not end a growing season."""

EVERY_TROUGH = 1.0
"""The share at which no trough is shallow: every season by itself."""

SHORTEST_CYCLE = 14
"""Turns lie further apart on the outline [d]; what is reserved for them follows from it."""


class Turns(NamedTuple):
    """Turns of many series, a row each, in the order of days; only the first ``total`` of a row mean anything."""

    position: NDArray[np.int64]
    """(m, k) day."""
    is_peak: NDArray[np.bool_]
    """(m, k) peak or trough; they alternate within a piece."""
    piece: NDArray[np.int64]
    """(m, k, 2) first and last observed day of the unbroken stretch it lies in."""
    total: NDArray[np.int64]
    """(m,)"""


def find_turns(
    curve: NDArray[np.float64],
    observed: NDArray[np.bool_],
    outline: NDArray[np.float64],
    outline_noise: NDArray[np.float64],
    least_swing: float,
    shallow: float,
) -> Turns:
    """Turns of many curves.

    curve, outline: (m, n), outline_noise: (m,) standard error of the outline that noise makes, see `smoothing`;
    observed: (m, n) days with an observation. least_swing: of a season, in these standard errors. shallow: share of
    both neighbouring peaks above which a trough does not part seasons.
    """
    rows, days = curve.shape
    room = days // SHORTEST_CYCLE + 4
    turns = Turns(
        np.zeros((rows, room), np.int64),
        np.zeros((rows, room), np.bool_),
        np.zeros((rows, room, 2), np.int64),
        np.zeros(rows, np.int64),
    )
    _turns_of_rows(curve, observed, outline, outline_noise, least_swing, shallow, *turns)
    return turns


@njit(cache=True, nogil=True)
def turning_points(z, delta, index, is_peak):  # type: ignore[no-untyped-def]
    """Fill ``index`` and ``is_peak`` with alternating extremes that lie at least ``delta`` apart; returns how many.

    The first and last are the extremes towards the ends of the series, whether or not the curve turns there.
    """
    count = 0
    high = low = last = 0
    direction = 0
    for i in range(1, z.size):
        if direction == 0:
            high = i if z[i] > z[high] else high
            low = i if z[i] < z[low] else low
            if z[i] - z[low] >= delta:
                index[count], is_peak[count] = low, False
                direction = 1
            elif z[high] - z[i] >= delta:
                index[count], is_peak[count] = high, True
                direction = -1
            if direction != 0:
                count += 1
                last = i
        elif direction * (z[i] - z[last]) > 0.0:
            last = i
        elif direction * (z[last] - z[i]) >= delta:
            index[count], is_peak[count] = last, direction > 0
            count += 1
            direction = -direction
            last = i
    if direction != 0:
        index[count], is_peak[count] = last, direction > 0
        count += 1
    return count


@njit(cache=True, nogil=True)
def _merge_shallow(z, share, index, is_peak, count):  # type: ignore[no-untyped-def]
    """Drop troughs higher than ``share`` of both neighbouring peaks, the highest first, each with its smaller peak."""
    lowest = np.inf
    for k in range(count):
        lowest = min(lowest, z[index[k]])
    while True:
        shallowest = -1
        height = share
        for k in range(1, count - 1):
            if not is_peak[k]:
                smaller = min(z[index[k - 1]], z[index[k + 1]]) - lowest
                if z[index[k]] - lowest > height * smaller:
                    shallowest = k
                    height = (z[index[k]] - lowest) / smaller
        if shallowest < 0:
            return count
        peak = shallowest - 1 if z[index[shallowest - 1]] < z[index[shallowest + 1]] else shallowest + 1
        kept = 0
        for k in range(count):
            if k not in (shallowest, peak):
                index[kept], is_peak[kept] = index[k], is_peak[k]
                kept += 1
        count = kept


@njit(cache=True, nogil=True)
def _refine(z, index, is_peak, count):  # type: ignore[no-untyped-def]
    """Move the turning points found on the outline to the extremes of the curve between their neighbours."""
    for peaks in (False, True):
        for k in range(count):
            if is_peak[k] != peaks:
                continue
            start = index[k - 1] if k > 0 else 0
            stop = index[k + 1] if k < count - 1 else z.size - 1
            best = index[k]
            for i in range(start, stop + 1):
                if (z[i] > z[best]) == peaks and z[i] != z[best]:
                    best = i
            index[k] = best


@njit(cache=True, nogil=True)
def _pieces(observed, bounds):  # type: ignore[no-untyped-def]
    """First and last observed day of each stretch without a splitting gap, into ``bounds``; returns how many."""
    count = 0
    start = last = -1
    for i in range(observed.size):
        if not observed[i]:
            continue
        if start >= 0 and i - last > SPLITTING_GAP:
            bounds[count, 0], bounds[count, 1] = start, last
            count += 1
            start = i
        elif start < 0:
            start = i
        last = i
    if start >= 0:
        bounds[count, 0], bounds[count, 1] = start, last
        count += 1
    return count


@njit(cache=True, nogil=True)
def _turns_of_row(  # type: ignore[no-untyped-def]
    z, observed, outline, outline_noise, least_swing, shallow, index, is_peak, piece
):
    """Turns of one series into ``index``, ``is_peak`` and ``piece``; returns how many."""
    bounds = np.empty((z.size // SPLITTING_GAP + 2, 2), np.int64)
    pieces = _pieces(observed, bounds)
    low = np.inf
    high = -np.inf
    for p in range(pieces):
        for i in range(bounds[p, 0], bounds[p, 1] + 1):
            low = min(low, outline[i])
            high = max(high, outline[i])
    delta = max(MIN_SWING_SHARE * (high - low), least_swing * outline_noise)
    found = np.empty(z.size, np.int64)
    found_peak = np.empty(z.size, np.bool_)
    count = 0
    for p in range(pieces):
        start, stop = bounds[p, 0], bounds[p, 1] + 1
        if observed[start:stop].sum() < MIN_OBSERVATIONS:
            continue
        new = turning_points(outline[start:stop], delta, found, found_peak)
        new = _merge_shallow(outline[start:stop], shallow, found, found_peak, new)
        _refine(z[start:stop], found, found_peak, new)
        for k in range(min(new, index.size - count)):
            index[count] = found[k] + start
            is_peak[count] = found_peak[k]
            piece[count, 0], piece[count, 1] = start, stop - 1
            count += 1
    return count


@njit(cache=True, nogil=True)
def _turns_of_rows(  # type: ignore[no-untyped-def]
    z, observed, outline, outline_noise, least_swing, shallow, index, is_peak, piece, count
):
    for row in range(z.shape[0]):
        if observed[row].any():
            count[row] = _turns_of_row(
                z[row],
                observed[row],
                outline[row],
                outline_noise[row],
                least_swing,
                shallow,
                index[row],
                is_peak[row],
                piece[row],
            )
