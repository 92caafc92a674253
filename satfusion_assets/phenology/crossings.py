"""From a smoothed curve and its turns to seasons and their dates.

A season is a peak with the rise before and the fall after it. Amplitudes are taken on each side by itself, so that the
base before and the base after may differ: base = median of the curve over the dormant stretch, top = 90th percentile
of the upper half of the way to the peak, and the 10, 25 and 50 % dates are where the curve crosses these shares of the
amplitude (after Richardson et al. 2018, Scientific Data 5, 180028, the definitions of the published PhenoCam dates).
The fall is the rise of the reversed series.

Everything works on indices of a daily grid and is compiled; a compiled function calls none of another module, since
the cache on disk would not notice that one changing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from satfusion_assets.phenology.labels import Label
from satfusion_assets.phenology.turns import Turns

FRACTIONS = np.array([0.10, 0.25, 0.50])
"""Shares of the amplitude at which dates are read."""

BOUNDARY_DAYS = 14
"""Base (below 10 %) or top (above 90 %) must be seen this long where the series ends on it [d]."""

MAX_SPANNED_GAP = 14
"""A crossing further than this between two observations is labelled GAP, its interval spans the gap [d]."""

MAX_DATED_GAP = 60
"""A crossing inside a longer gap gets no date [d]."""

LONG_LEVEL_GAP = 30
"""A trough or peak inside or beside a longer gap was not observed: its dates are labelled GAP [d]."""

INTERVAL_Z = 1.96
"""Half-width of the intervals in standard errors (95 %)."""

DEVIATES = np.array([-1.886, -1.061, -0.617, -0.289, 0.0, 0.289, 0.617, 1.061, 1.886])
"""Deciles of the t distribution with two degrees of freedom, which errors of scenes have (`scene_errors.FREEDOM`): a
date is the mean of the crossings at these errors of curve and level. Where a regrowth only just reaches a level or
misses it, no date can be right that is sure of either."""

BORROWED_BASE_SE = 0.05
"""Standard error of a base taken from the other side of the season, as a share of the amplitude."""

_OK, _BORROWED, _GAP, _TRUNCATED = int(Label.OK), int(Label.BORROWED), int(Label.GAP), int(Label.TRUNCATED)


class Seasons(NamedTuple):
    """Seasons of many series, a row each, in the order of days; only the first ``total`` of a row mean anything."""

    dates: NDArray[np.float64]
    """(m, k, 6, 4) rising 10, 25, 50, falling 10, 25, 50 %: day index, lower and upper end of the interval, label."""
    heights: NDArray[np.float64]
    """(m, k, 4) day of the peak, base before, base after (NaN where not seen), value of the peak."""
    total: NDArray[np.int64]
    """(m,)"""


def find_seasons(
    value: NDArray[np.float64],
    se: NDArray[np.float64],
    information: NDArray[np.float64],
    observed: NDArray[np.bool_],
    turns: Turns,
) -> Seasons:
    """Seasons of many curves between their turns.

    value, se, information: (m, n) curves, standard errors, independent observations per day (`smoothing.Curves`);
    observed: (m, n) days with an observation.
    """
    rows, room = turns.position.shape
    seasons = Seasons(np.full((rows, room, 6, 4), np.nan), np.full((rows, room, 4), np.nan), np.zeros(rows, np.int64))
    _seasons_of_rows(value, se, information, observed, *turns, *seasons)
    return seasons


@njit(cache=True, nogil=True)
def _last_below(z, start, stop, level):  # type: ignore[no-untyped-def]
    """Last index in [start, stop) whose value is at most ``level``; start if none."""
    for i in range(stop - 1, start, -1):
        if z[i] <= level:
            return i
    return start


@njit(cache=True, nogil=True)
def _first_reaching(z, start, stop, level):  # type: ignore[no-untyped-def]
    """First index in (start, stop] whose value is at least ``level``; stop if none."""
    for i in range(start + 1, stop):
        if z[i] >= level:
            return i
    return stop


@njit(cache=True, nogil=True)
def _first_below(z, start, stop, level):  # type: ignore[no-untyped-def]
    """First index in (start, stop) whose value is at most ``level``; stop if none."""
    for i in range(start, stop):
        if z[i] <= level:
            return i
    return stop


@njit(cache=True, nogil=True)
def _last_reaching(z, start, stop, level):  # type: ignore[no-untyped-def]
    """Last index in [start, stop) whose value is at least ``level``; start if none."""
    for i in range(stop - 1, start, -1):
        if z[i] >= level:
            return i
    return start


@njit(cache=True, nogil=True)
def dormancy(z, before, trough, after):  # type: ignore[no-untyped-def]
    """First day, last day and median of the low stretch around ``trough``, between the peaks ``before`` and ``after``.

    Its ends lie 10 % up either side; where there is no peak on a side (-1) the series' end takes its place. The median
    passes over dips too short to be a season's base (brown litter, snow).
    """
    base = z[trough]
    first = last = trough
    share = 0.25  # wide at first, so that the base does not settle in a dip
    for _ in range(6):
        rising = z[after if after >= 0 else before] - base
        falling = z[before if before >= 0 else after] - base
        half = _first_reaching(z, trough, after if after >= 0 else z.size - 1, base + 0.5 * rising)
        last = _last_below(z, trough, half + 1, base + share * rising)
        half = _last_reaching(z, max(before, 0), trough, base + 0.5 * falling)
        first = _first_below(z, half, trough, base + share * falling)
        settled = np.median(z[first : last + 1])
        if settled == base and share == FRACTIONS[0]:
            break
        base = settled
        share = FRACTIONS[0]
    return first, last, base


@njit(cache=True, nogil=True)
def _level_se(se, information, start, stop):  # type: ignore[no-untyped-def]
    """Standard error of a level taken over [start, stop]: mean variance over the independent pieces it spans."""
    variance = 0.0
    pieces = 0.0
    for i in range(start, stop + 1):
        variance += se[i] * se[i]
        pieces += information[i]
    return np.sqrt(variance / (stop + 1 - start) / max(pieces, 1.0))


@njit(cache=True, nogil=True)
def _surrounding_gap(observed, i):  # type: ignore[no-untyped-def]
    """The observations before and after position i (inclusive ends of the gap it lies in)."""
    before = int(np.floor(i))
    after = int(np.ceil(i))
    while before > 0 and not observed[before]:
        before -= 1
    while after < observed.size - 1 and not observed[after]:
        after += 1
    return before, after


@njit(cache=True, nogil=True)
def _beside_long_gap(observed, i):  # type: ignore[no-untyped-def]
    before, after = _surrounding_gap(observed, i - 0.5 if i > 0 else i)
    if after - before > LONG_LEVEL_GAP:
        return True
    before, after = _surrounding_gap(observed, i + 0.5 if i < observed.size - 1 else i)
    return after - before > LONG_LEVEL_GAP


@njit(cache=True, nogil=True)
def _crossings(z, se, levels, level_se, foot, peak, deviate, at):  # type: ignore[no-untyped-def]
    """Where a curve passes the levels into ``at``, lying ``deviate`` standard errors of both above the likeliest one.

    The highest level: first crossing after ``foot``; each lower one: last crossing before that.
    """
    until = peak
    for k in range(levels.size - 1, -1, -1):
        index = foot
        if k == levels.size - 1:
            index = peak - 1
            for i in range(foot + 1, peak):
                if z[i] + deviate * np.sqrt(se[i] ** 2 + level_se[k] ** 2) >= levels[k]:
                    index = i - 1
                    break
        else:
            for i in range(until - 1, foot, -1):
                if z[i] + deviate * np.sqrt(se[i] ** 2 + level_se[k] ** 2) <= levels[k]:
                    index = i
                    break
        until = index + 1
        here = z[index] + deviate * np.sqrt(se[index] ** 2 + level_se[k] ** 2) - levels[k]
        beyond = z[until] + deviate * np.sqrt(se[until] ** 2 + level_se[k] ** 2) - levels[k]
        share = here / (here - beyond) if here != beyond else 0.5
        at[k] = index + min(max(share, 0.0), 1.0)


@njit(cache=True, nogil=True)
def _interval(z, se, level, level_se, at, trough, foot, peak):  # type: ignore[no-untyped-def]
    """Around the crossing ``at``: from where the curve may already be above ``level`` to where it surely is.

    It may have been so before a dip that lies clear below the level (a hump of a rise, the regrowth after a cut of a
    fall), from ``foot`` on, where the dormant stretch ends.
    """
    from_below = at
    for i in range(foot, int(np.floor(at))):
        if z[i] + INTERVAL_Z * np.sqrt(se[i] ** 2 + level_se**2) >= level:
            from_below = float(i)
            break
    lower = float(trough)
    for i in range(int(np.floor(from_below)), trough - 1, -1):
        here = z[i] + INTERVAL_Z * np.sqrt(se[i] ** 2 + level_se**2) - level
        if here < 0.0:
            beyond = z[i + 1] + INTERVAL_Z * np.sqrt(se[i + 1] ** 2 + level_se**2) - level
            lower = min(at, i + here / (here - beyond) if here != beyond else float(i))
            break
    upper = float(peak)
    for i in range(int(np.ceil(at)), peak + 1):
        here = z[i] - INTERVAL_Z * np.sqrt(se[i] ** 2 + level_se**2) - level
        if here > 0.0:
            before = z[i - 1] - INTERVAL_Z * np.sqrt(se[i - 1] ** 2 + level_se**2) - level
            upper = max(at, i - here / (here - before) if here != before else float(i))
            break
    return lower, upper


@njit(cache=True, nogil=True)
def rise(  # type: ignore[no-untyped-def]
    z, se, information, observed, first, foot, base, peak, open_base, open_top, other_base, dates
):
    """Dates of one rise into ``dates`` (3 fractions; date, lower, upper, label).

    first, foot, base: the dormant stretch before it. open_base, open_top: the series ends on that stretch (on this
    peak), so that what lies beyond is unknown. other_base: the base on the far side of the peak, NaN where unknown.
    """
    borrowed = open_base and foot - first < BOUNDARY_DAYS
    base_se = _level_se(se, information, first, foot)
    if borrowed:
        base = other_base
        foot = first
    truncated = np.isnan(base) or base >= z[peak]
    dates[:, :3] = np.nan
    dates[:, 3] = _TRUNCATED
    if truncated:
        return
    half = _first_reaching(z, foot, peak, 0.5 * (base + z[peak]))
    top = np.quantile(z[half : peak + 1], 0.9)
    amplitude = top - base
    crown = _first_reaching(z, foot, peak, base + 0.9 * amplitude)
    if open_top and z.size - 1 - crown < BOUNDARY_DAYS:
        return
    if borrowed:
        base_se = np.hypot(base_se, BORROWED_BASE_SE * amplitude)
    label = _BORROWED if borrowed else _OK
    if _beside_long_gap(observed, foot) or _beside_long_gap(observed, peak):
        label = _GAP
    top_se = _level_se(se, information, crown, peak)
    levels = base + FRACTIONS * amplitude
    level_se = np.sqrt(((1.0 - FRACTIONS) * base_se) ** 2 + (FRACTIONS * top_se) ** 2)
    at, shifted, mean = np.empty(FRACTIONS.size), np.empty(FRACTIONS.size), np.zeros(FRACTIONS.size)
    _crossings(z, se, levels, level_se, foot, peak, 0.0, at)
    for deviate in DEVIATES:
        _crossings(z, se, levels, level_se, foot, peak, deviate, shifted)
        mean += shifted / DEVIATES.size
    for k in range(FRACTIONS.size - 1, -1, -1):
        if borrowed and z[int(np.floor(at[k]))] > levels[k]:
            return
        lower, upper = _interval(z, se, levels[k], level_se[k], at[k], first, foot, peak)
        dates[k, 3] = label
        before, after = _surrounding_gap(observed, at[k])
        if after - before > MAX_SPANNED_GAP:
            dates[k, 3] = _GAP
            lower = min(lower, float(before))
            upper = max(upper, float(after))
        if after - before <= MAX_DATED_GAP:
            dates[k, 0], dates[k, 1], dates[k, 2] = min(max(mean[k], lower), upper), lower, upper


@njit(cache=True, nogil=True)
def _known_base(k, turns, lows, bases):  # type: ignore[no-untyped-def]
    """Base at turn ``k``; NaN where the series ends on it too soon to tell, or there is no such turn."""
    if k < 0 or k >= turns:
        return np.nan
    seen = lows[k, 1] - lows[k, 0] >= BOUNDARY_DAYS
    return bases[k] if seen or 0 < k < turns - 1 else np.nan


@njit(cache=True, nogil=True)
def _seasons_of_piece(z, se, information, observed, index, is_peak, dates, heights):  # type: ignore[no-untyped-def]
    """Seasons of one unbroken series between its turns into ``dates`` and ``heights``; returns how many."""
    n = z.size
    turns = index.size
    lows = np.empty((turns, 2), np.int64)
    bases = np.empty(turns)
    for k in range(turns):
        if not is_peak[k]:
            before = index[k - 1] if k > 0 else -1
            after = index[k + 1] if k < turns - 1 else -1
            first, last, bases[k] = dormancy(z, before, index[k], after)
            lows[k, 0], lows[k, 1] = first, last
    back_z, back_se, back_information = z[::-1].copy(), se[::-1].copy(), information[::-1].copy()
    back_observed = observed[::-1].copy()
    seasons = 0
    for k in range(turns):
        if not is_peak[k]:
            continue
        own = dates[seasons]
        own[:, :3] = np.nan
        own[:, 3] = _TRUNCATED
        heights[seasons, 0], heights[seasons, 3] = index[k], z[index[k]]
        heights[seasons, 1:3] = np.nan
        if k > 0:
            heights[seasons, 1] = bases[k - 1]
            first, foot = lows[k - 1, 0], lows[k - 1, 1]
            rise(
                z,
                se,
                information,
                observed,
                first,
                foot,
                bases[k - 1],
                index[k],
                k == 1,
                k == turns - 1,
                _known_base(k + 1, turns, lows, bases),
                own[:3],
            )
        if k < turns - 1:
            heights[seasons, 2] = bases[k + 1]
            foot, last = lows[k + 1, 0], lows[k + 1, 1]
            fall = own[3:]
            rise(
                back_z,
                back_se,
                back_information,
                back_observed,
                n - 1 - last,
                n - 1 - foot,
                bases[k + 1],
                n - 1 - index[k],
                k == turns - 2,
                k == 0,
                _known_base(k - 1, turns, lows, bases),
                fall,
            )
            for j in range(3):
                lower = n - 1 - fall[j, 2]
                fall[j, 2] = n - 1 - fall[j, 1]
                fall[j, 1] = lower
                fall[j, 0] = n - 1 - fall[j, 0]
        seasons += 1
    return seasons


@njit(cache=True, nogil=True)
def _seasons_of_rows(  # type: ignore[no-untyped-def]
    z, se, information, observed, index, is_peak, piece, turns, dates, heights, count
):
    for row in range(z.shape[0]):
        k = 0
        while k < turns[row]:
            start, stop = piece[row, k, 0], piece[row, k, 1] + 1
            end = k
            while end < turns[row] and piece[row, end, 0] == start:
                end += 1
            done = count[row]
            new = _seasons_of_piece(
                z[row, start:stop],
                se[row, start:stop],
                information[row, start:stop],
                observed[row, start:stop],
                index[row, k:end] - start,
                is_peak[row, k:end],
                dates[row, done:],
                heights[row, done:],
            )
            dates[row, done : done + new, :, :3] += start
            heights[row, done : done + new, 0] += start
            count[row] += new
            k = end
