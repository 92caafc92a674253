"""From a smoothed curve to seasons: alternating troughs and peaks, and the dates between them.

A season is a peak with the rise before and the fall after it. Amplitudes are taken on each side by itself, so that the
base before and the base after may differ: base = median of the curve from the trough to the foot of the rise, top =
90th percentile from there to the peak, and the 10, 25 and 50 % dates are where the curve crosses these shares of the
amplitude (Richardson et al. 2018, Scientific Data 5, 180028; the definitions of the published PhenoCam dates). The
fall is the rise of the reversed series.

Troughs and peaks are found by hysteresis: a turn counts when the curve swings back by more than a share of the series'
range and by more than its noise can make. Everything here works on indices of a daily grid and is compiled.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from satfusion_assets.processing.phenology.labels import Label

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

SPLITTING_GAP = 183
"""A gap longer than a dormant season ends one series and begins another [d]."""

MIN_SWING_SHARE = 0.20
"""Smallest swing that counts as a season, of the range of the whole outline."""

MIN_SWING_SE = 8.0
"""Smallest swing that counts, in standard errors of the outline: noise alone makes about six between its extremes."""

SHALLOW_SHARE = 0.5
"""A trough above this share of both neighbouring peaks (cut, grazing, dry spell) does not end the growing season."""

INTERVAL_Z = 1.96
"""Half-width of the intervals in standard errors (95 %)."""

_OK, _GAP, _TRUNCATED = int(Label.OK), int(Label.GAP), int(Label.TRUNCATED)


def most_seasons(days: int) -> int:
    """Room for the seasons of so many days: peaks lie at least a fortnight apart on the outline."""
    return days // BOUNDARY_DAYS + 2


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
def _cross(z, i, level):  # type: ignore[no-untyped-def]
    """Where between i and i + 1 the curve passes ``level``, which lies between the two values."""
    step = z[i + 1] - z[i]
    return i + (level - z[i]) / step if step != 0.0 else i + 0.5


@njit(cache=True, nogil=True)
def _last_below(z, start, stop, level):  # type: ignore[no-untyped-def]
    """Last index in [start, stop) whose value is at most ``level``; start if none."""
    for i in range(stop - 1, start, -1):
        if z[i] <= level:
            return i
    return start


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
def _first_reaching(z, start, stop, level):  # type: ignore[no-untyped-def]
    """First index in (start, stop] whose value is at least ``level``; stop if none."""
    for i in range(start + 1, stop):
        if z[i] >= level:
            return i
    return stop


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
def _interval(z, se, level, level_se, at, trough, peak):  # type: ignore[no-untyped-def]
    """Around the crossing ``at``: from where the curve may already be above ``level`` to where it surely is."""
    lower = float(trough)
    for i in range(int(np.floor(at)), trough - 1, -1):
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
def rise(z, se, information, observed, first, foot, base, peak, open_base, open_top, dates):  # type: ignore[no-untyped-def]
    """Dates of one rise into ``dates`` (3 fractions; date, lower, upper, label); returns its top.

    first, foot, base: the dormant stretch before it. open_base, open_top: the series ends on that stretch (on this
    peak), so that what lies beyond is unknown.
    """
    half = _first_reaching(z, foot, peak, 0.5 * (base + z[peak]))
    top = np.quantile(z[half : peak + 1], 0.9)
    amplitude = top - base
    crown = _first_reaching(z, foot, peak, base + 0.9 * amplitude)
    truncated = (open_base and foot - first < BOUNDARY_DAYS) or (open_top and z.size - 1 - crown < BOUNDARY_DAYS)
    unseen_level = _beside_long_gap(observed, foot) or _beside_long_gap(observed, peak)
    base_se = _level_se(se, information, first, foot)
    top_se = _level_se(se, information, crown, peak)
    until = peak
    for k in range(FRACTIONS.size - 1, -1, -1):
        share = FRACTIONS[k]
        level = base + share * amplitude
        if k == FRACTIONS.size - 1:
            index = _first_reaching(z, foot, peak, level) - 1
        else:
            index = _last_below(z, foot, until, level)
        until = index + 1
        at = _cross(z, index, level)
        level_se = np.sqrt(((1.0 - share) * base_se) ** 2 + (share * top_se) ** 2)
        lower, upper = _interval(z, se, level, level_se, at, first, peak)
        label = _GAP if unseen_level else _OK
        before, after = _surrounding_gap(observed, at)
        if after - before > MAX_SPANNED_GAP:
            label = _GAP
            lower = min(lower, float(before))
            upper = max(upper, float(after))
        if truncated:
            label = _TRUNCATED
        if truncated or after - before > MAX_DATED_GAP:
            at = lower = upper = np.nan
        dates[k, 0], dates[k, 1], dates[k, 2], dates[k, 3] = at, lower, upper, label
    return top


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
def find_seasons(z, se, information, observed, outline, delta, dates, heights):  # type: ignore[no-untyped-def]
    """Seasons of one unbroken series; returns how many.

    z, se, information, observed: (n,) curve, its standard error, independent observations per day, days with data.
    outline: (n,) coarser curve on which turns are found; delta: smallest swing of it that counts.
    dates: (seasons, 6, 4) filled with day index, lower, upper, label of rising 10, 25, 50 and falling 10, 25, 50 %.
    heights: (seasons, 4) filled with peak day, base before, base after, height of the peak.
    """
    n = z.size
    index = np.empty(n, np.int64)
    is_peak = np.empty(n, np.bool_)
    turns = turning_points(outline, delta, index, is_peak)
    _refine(z, index, is_peak, turns)
    lows = np.empty((turns, 2), np.int64)
    bases = np.empty(turns)
    for k in range(turns):
        if not is_peak[k]:
            before = index[k - 1] if k > 0 else -1
            after = index[k + 1] if k < turns - 1 else -1
            first, last, bases[k] = dormancy(z, before, index[k], after)
            lows[k, 0], lows[k, 1] = first, last
    seasons = 0
    for k in range(turns):
        if not is_peak[k] or seasons == dates.shape[0]:
            continue
        own = dates[seasons]
        own[:, :3] = np.nan
        own[:, 3] = _TRUNCATED
        heights[seasons, 0], heights[seasons, 3] = index[k], z[index[k]]
        heights[seasons, 1:3] = np.nan
        if k > 0:
            heights[seasons, 1] = bases[k - 1]
            first, foot = lows[k - 1, 0], lows[k - 1, 1]
            rise(z, se, information, observed, first, foot, bases[k - 1], index[k], k == 1, k == turns - 1, own[:3])
        if k < turns - 1:
            heights[seasons, 2] = bases[k + 1]
            foot, last = lows[k + 1, 0], lows[k + 1, 1]
            fall = own[3:]
            rise(
                z[::-1],
                se[::-1],
                information[::-1],
                observed[::-1],
                n - 1 - last,
                n - 1 - foot,
                bases[k + 1],
                n - 1 - index[k],
                k == turns - 2,
                k == 0,
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
def find_in_pieces(z, se, information, observed, outline, outline_se, least, dates, heights):  # type: ignore[no-untyped-def]
    """`find_seasons` on every unbroken stretch with at least ``least`` observations; returns how many seasons."""
    bounds = np.empty((z.size // SPLITTING_GAP + 2, 2), np.int64)
    pieces = _pieces(observed, bounds)
    low = np.inf
    high = -np.inf
    for p in range(pieces):
        for i in range(bounds[p, 0], bounds[p, 1] + 1):
            low = min(low, outline[i])
            high = max(high, outline[i])
    noise = np.median(outline_se[observed])
    delta = max(MIN_SWING_SHARE * (high - low), MIN_SWING_SE * noise)
    seasons = 0
    for p in range(pieces):
        start, stop = bounds[p, 0], bounds[p, 1] + 1
        if observed[start:stop].sum() < least:
            continue
        new = find_seasons(
            z[start:stop],
            se[start:stop],
            information[start:stop],
            observed[start:stop],
            outline[start:stop],
            delta,
            dates[seasons:],
            heights[seasons:],
        )
        dates[seasons : seasons + new, :, :3] += start
        heights[seasons : seasons + new, 0] += start
        seasons += new
    return seasons


@njit(cache=True, nogil=True)
def growing_season(dates, heights, seasons, year_start, year_end):  # type: ignore[no-untyped-def]
    """The main growing season that ends in [year_start, year_end): indices of the seasons it begins and ends with.

    Neighbouring seasons belong together when the trough between them is shallow. A growing season counts for the year
    of its 50 % fall (of its peak, if it has no such date); the largest wins, a complete one before a partial one.
    (-1, -1) if there is none.
    """
    lowest = np.inf
    for k in range(seasons):
        for j in (1, 2):
            if heights[k, j] < lowest:
                lowest = heights[k, j]
    best_first = best_last = -1
    best_size = -np.inf
    best_complete = False
    first = 0
    for k in range(seasons):
        if k < seasons - 1:
            smaller = min(heights[k, 3], heights[k + 1, 3])
            if heights[k, 2] - lowest > SHALLOW_SHARE * (smaller - lowest):
                continue
        end = dates[k, 5, 0]
        complete = np.isfinite(end) and np.isfinite(dates[first, 2, 0])
        if not np.isfinite(end):
            end = heights[k, 0]
        size = -np.inf
        for i in range(first, k + 1):
            size = max(size, heights[i, 3])
        size -= lowest
        if year_start <= end < year_end and (complete, size) > (best_complete, best_size):
            best_first, best_last, best_size, best_complete = first, k, size, complete
        first = k + 1
    return best_first, best_last
