"""Loops over the pixels of a row of ``deviations``: what scenes add to a day's sums, and what follows from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import inlined
from satfusion_assets.fusion.efast.rows import clamp

LEAST_VARIANCE = 1e-7
"""Nothing goes below: reflectance of 16-bit data is not known better than 0.0003."""

NO_SCENE = 255
"""Days to the nearest scene where there is none."""

Where = tuple[int, int, int, int]
"""A scene among those that are read and those that are written, the first of a band's numbers, and how many."""

GROUP = 4
"""Scenes that are added at once."""

STRIDE = 272
WIDE_STRIDE = 528
"""Numbers from a band's first to the next one's, where a chunk is not longer. Compiled code that knows one of them adds
four bands at once; they are no powers of two, or many bands would share few places of the core's cache."""

CORNERS = 21
"""Sums of ``tally_corners``."""


@inlined
def mark(pixels: Any, x: int, offset: int, size: int, seen: Any) -> None:
    one, start, shift = seen.dtype.type(1), np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        seen[shift + i] = one if abs(pixels[start + i]) < np.inf else seen[shift + i]


@inlined
def members(start: int, last: int, base: int) -> tuple[int, int, int, int]:
    """Places of a group's scenes, counted from ``base``; behind the last it stands for those without weight."""
    return (
        start - base,
        min(start + 1, last - 1) - base,
        min(start + 2, last - 1) - base,
        min(start + 3, last - 1) - base,
    )


@inlined
def spread_group(centres: Any, first: int, cells: int, ratio: int, fractions: Any, lines: Any) -> bool:
    """Weights of a group of scenes at pixels, from those at centres; False = all zero. Writes behind a cell, as
    ``spread`` does."""
    something = False
    for k in range(GROUP):
        for j in range(cells + 1):
            something = something or centres[first + k, j] != 0
    if something:
        for k in range(GROUP):
            for j in range(cells):
                start = centres[first + k, j]
                step = centres[first + k, j + 1] - start
                pixel = np.uint64(j * ratio)
                for i in range(np.uint64(len(fractions))):
                    lines[k, pixel + i] = start + fractions[i] * step
    return something


@inlined
def add_four(lines: Any, values: Any, four: tuple[int, int, int, int], first: int, size: int, total: Any) -> None:
    """Add four scenes' values (n, b * x) times their weights, to ``size`` sums from ``first`` on.

    No part of an array is cut out: to count who uses it takes as long as to add half a row.
    """
    a, b, c, d = four
    shift = np.uint64(first)
    for i in range(np.uint64(size)):
        j = shift + i
        total[j] += (lines[0, i] * values[a, j] + lines[1, i] * values[b, j]) + (
            lines[2, i] * values[c, j] + lines[3, i] * values[d, j]
        )


@inlined
def add_bands(lines: Any, values: Any, four: tuple[int, int, int, int], stride: int, size: int, total: Any) -> None:
    """The same for all bands, of which ``size`` numbers each lie ``stride`` apart, with the same bits."""
    if len(total) == 4 * stride and stride == STRIDE:
        _add_four_bands(lines, values, four, STRIDE, size, total)
    elif len(total) == 4 * stride and stride == WIDE_STRIDE:
        _add_four_bands(lines, values, four, WIDE_STRIDE, size, total)
    else:
        for first in range(0, len(total), stride):
            add_four(lines, values, four, first, size, total)


@inlined
def _add_four_bands(
    lines: Any, values: Any, four: tuple[int, int, int, int], stride: int, size: int, total: Any
) -> None:
    a, b, c, d = four
    second, third, fourth = np.uint64(stride), np.uint64(2 * stride), np.uint64(3 * stride)
    for i in range(np.uint64(size)):
        k, m, n, o = lines[0, i], lines[1, i], lines[2, i], lines[3, i]
        total[i] += (k * values[a, i] + m * values[b, i]) + (n * values[c, i] + o * values[d, i])
        j = i + second
        total[j] += (k * values[a, j] + m * values[b, j]) + (n * values[c, j] + o * values[d, j])
        j = i + third
        total[j] += (k * values[a, j] + m * values[b, j]) + (n * values[c, j] + o * values[d, j])
        j = i + fourth
        total[j] += (k * values[a, j] + m * values[b, j]) + (n * values[c, j] + o * values[d, j])


@inlined
def add_lines(lines: Any, first: int, size: int, total: Any) -> None:
    """The same for values of 1, with the same bits."""
    shift = np.uint64(first)
    for i in range(np.uint64(size)):
        total[shift + i] += (lines[0, i] + lines[1, i]) + (lines[2, i] + lines[3, i])


@inlined
def is_filled(present: Any, s: int, stride: int, offset: int, width: int) -> bool:
    """Whether scene s has every band of the ``width`` pixels from ``offset`` on."""
    missing = False
    for first in range(offset, present.shape[1], stride):
        start = np.uint64(first)
        for i in range(np.uint64(width)):
            missing = missing | (present[s, start + i] != present.dtype.type(1))
    return not missing


@inlined
def reciprocals(total: Any, first: int, shared: Any, counted: Any, scale: Any) -> None:
    """One over a scene's sums of weights, from ``first`` on, and over what the others' noise adds to its squared
    error."""
    one, start = total.dtype.type(1), np.uint64(first)
    for i in range(np.uint64(len(counted))):
        counted[i] = one / total[start + i]
        scale[i] = one / (one + shared[i])


@inlined
def find_errors(residuals: Any, present: Any, counted: Any, blended: Any, where: Where, errors: Any) -> None:
    """A scene's errors, NaN = unknown."""
    none, unknown = errors.dtype.type(0), errors.dtype.type(np.nan)
    s, out, first, size = where
    for i in range(np.uint64(size)):
        j = np.uint64(first) + i
        errors[out, j] = residuals[s, j] - blended[j] * counted[i] if present[s, j] > none else unknown


@inlined
def find_departures(
    residuals: Any, present: Any, seen: Any, counted: Any, blended: Any, where: Where, departures: Any
) -> None:
    """A scene's departures, as predicted where a band is missing, 0 where all are."""
    none, infinite = departures.dtype.type(0), departures.dtype.type(np.inf)
    s, out, first, size = where
    for i in range(np.uint64(size)):
        j = np.uint64(first) + i
        departure = residuals[s, j] if present[s, j] > none else blended[j] * counted[i]
        departures[out, j] = departure if (seen[s, i] > none) & (abs(departure) < infinite) else none


@inlined
def find_squares(
    residuals: Any,
    present: Any,
    seen: Any,
    counted: Any,
    blended: Any,
    scale: Any,
    typical: Any,
    where: Where,
    squares: Any,
) -> None:
    """A scene's squared errors, the typical one where unknown, 0 where all bands are missing."""
    none, infinite = squares.dtype.type(0), squares.dtype.type(np.inf)
    s, out, first, size = where
    for i in range(np.uint64(size)):
        j = np.uint64(first) + i
        error = residuals[s, j] - blended[j] * counted[i]
        square = error * error * scale[i]
        known = square if present[s, j] > none else typical
        squares[out, j] = (known if known < infinite else typical) * seen[s, i]


@inlined
def half_of(half: int, ratio: int) -> tuple[int, int]:
    """Pixels (half-open) of a half of a cell, in the row of cells: coarse pixels meet between the halves."""
    first = (half // 2) * ratio + (0 if half % 2 == 0 else ratio - ratio // 2)
    return first, first + (ratio - ratio // 2 if half % 2 == 0 else ratio // 2)


@inlined
def pull_lines(lines: Any, lags: Any, mean: Any, size: int, pulls: Any, squared: Any) -> None:
    """Of four scenes' weights: times the lag's distance from the mean one, and squared."""
    for k in range(GROUP):
        lag = lags[k]
        for i in range(np.uint64(size)):
            weight = lines[k, i]
            pulls[k, i] = weight * (lag - mean[i])
            squared[k, i] = weight * weight


@inlined
def tally_corners(image: Any, lags: Any, row: int, column: int, below: int, beside: int, corners: Any) -> None:
    """Sums over a day's scenes of their weights (k, h', w') at a coarse centre, and with those below and beside.

    corners: (21,) w; w lag; w lag^2; the integral over time, after the day, of W, the sum of weights so far. Then,
    for the products of weights at the centre with themselves, with those below, with those beside, and across both
    diagonals of the cell: the product; times lag; times lag^2; the integral over time of W W. Last, days to the nearest
    scene.
    """
    before = 0.0
    corners[:] = 0
    corners[20] = np.inf
    w, x, y, z = 0.0, 0.0, 0.0, 0.0
    for s in range(len(image)):
        lag = float(lags[s])
        a, b = float(image[s, row, column]), float(image[s, below, column])
        c, d = float(image[s, row, beside]), float(image[s, below, beside])
        passed = lag - before
        later = max(lag, 0.0) - max(before, 0.0)
        corners[0] += a
        corners[1] += a * lag
        corners[2] += a * lag * lag
        corners[3] += w * later
        for n in range(4):
            product = (a * a, a * b, a * c, a * d + b * c)[n]
            corners[4 + 4 * n] += product
            corners[5 + 4 * n] += product * lag
            corners[6 + 4 * n] += product * lag * lag
            corners[7 + 4 * n] += (w * w, w * x, w * y, w * z + x * y)[n] * passed
        if a > 0 and abs(lag) < corners[20]:
            corners[20] = abs(lag)
        w, x, y, z = w + a, x + b, y + c, z + d
        before = lag


@inlined
def spread_corners(corners: Any, row: int, cell: int, cells: int, ratio: int, fractions: Any, sums: Any) -> None:
    """The sums of ``tally_pixels`` at pixels, from those at centres: corners (21, h', w'). Writes behind a cell, as
    ``spread`` does."""
    _, height, width = corners.shape
    upper, lower = clamp(row // ratio - 1, height), clamp(row // ratio, height)
    down = fractions[row % ratio] if upper < lower else fractions.dtype.type(0)
    one = fractions.dtype.type(1)
    up = one - down
    for k in range(cells):
        west, east = clamp(cell - 1 + k, width), clamp(cell + k, width)
        pixel = np.uint64(k * ratio)
        for n in range(4):
            start = up * corners[n, upper, west] + down * corners[n, lower, west]
            end = up * corners[n, upper, east] + down * corners[n, lower, east]
            for i in range(np.uint64(len(fractions))):
                sums[n, pixel + i] = (one - fractions[i]) * start + fractions[i] * end
        for n in range(4, 8):
            start = _squared(corners, n, upper, lower, west, up, down)
            end = _squared(corners, n, upper, lower, east, up, down)
            cross = start
            if west < east:
                cross = up * up * corners[n + 8, upper, west] + down * down * corners[n + 8, lower, west]
                cross += up * down * corners[n + 12, upper, west]
            cross += cross
            for i in range(np.uint64(len(fractions))):
                f = fractions[i]
                g = one - f
                sums[n, pixel + i] = g * g * start + g * f * cross + f * f * end
        start = _nearer(corners, upper, lower, west, down)
        end = min(start, _nearer(corners, upper, lower, east, down))
        for i in range(np.uint64(len(fractions))):
            sums[8, pixel + i] = end if fractions[i] > 0 else start


@inlined
def _squared(corners: Any, n: int, upper: int, lower: int, column: int, up: Any, down: Any) -> Any:
    across = up * down * corners[n + 4, upper, column]
    return up * up * corners[n, upper, column] + (across + across) + down * down * corners[n, lower, column]


@inlined
def _nearer(corners: Any, upper: int, lower: int, column: int, down: Any) -> Any:
    here, below = corners[20, upper, column], corners[20, lower, column]
    return min(here, below) if down > 0 else here


@inlined
def any_broken(whole: Any, first: int, last: int) -> bool:
    broken = False
    for s in range(first, last):
        broken = broken or not whole[s, -1]
    return broken


@inlined
def tally_pixels(
    weight: Any,
    step: Any,
    fractions: Any,
    fraction: int,
    start: int,
    stop: int,
    seen: Any,
    lag: Any,
    before: Any,
    sums: Any,
) -> None:
    """Add a scene's weights at pixels.

    sums: (9, x) of w; w lag; w lag^2; the integral over time, after the day, of W, the sum of weights so far; w^2; w^2
    lag; w^2 lag^2; the integral over time of W^2; days to the nearest scene.
    """
    zero = lag - lag
    passed, later = lag - before, max(lag, zero) - max(before, zero)
    for i in range(start, stop):
        w = (weight + fractions[fraction + i - start] * step) * seen[i]
        so_far, squared = sums[0, i], w * w
        sums[0, i] = so_far + w
        sums[1, i] += w * lag
        sums[2, i] += w * lag * lag
        sums[3, i] += so_far * later
        sums[4, i] += squared
        sums[5, i] += squared * lag
        sums[6, i] += squared * lag * lag
        sums[7, i] += so_far * so_far * passed
        sums[8, i] = abs(lag) if (w > 0) & (abs(lag) < sums[8, i]) else sums[8, i]


@inlined
def conclude(sums: Any, offset: int, last: Any, x: int, size: int, nearest: Any, effective: Any) -> None:
    """What all bands share, from the sums: two layers, and in place of sums 1 to 4 and 7 what the bands need.

    These are: mean lag; its square where a slope can be told, from scenes whose lags have a variance of a day or more,
    else 0; over the sum of weights and the variance of lags; over the squared sum of weights; the Cramer distance in
    days. Sum 5: what a slope's own variance is of the scenes'.
    """
    start, shift, reach = np.uint64(x), np.uint64(offset), abs(last)
    one, none = sums.dtype.type(1), sums.dtype.type(0)
    for i in range(np.uint64(size)):
        s = shift + i
        total, squared = sums[0, s], sums[4, s]
        over = one / total
        mean = sums[1, s] * over
        variance = sums[2, s] * over - mean * mean
        away = sums[6, s] - (mean + mean) * sums[5, s] + mean * mean * squared
        distance = (sums[7, s] * over - (sums[3, s] + sums[3, s])) * over + reach
        nearest[start + i] = min(sums[8, s], NO_SCENE - 1) if total > none else NO_SCENE
        effective[start + i] = total * total / squared if total > none else none
        sums[1, s] = mean
        sums[2, s] = mean * mean if variance >= one else none
        sums[3, s] = over / variance
        sums[4, s] = over * over
        sums[5, s] = away / (squared * variance * variance)
        sums[7, s] = distance


@inlined
def conclude_band(
    noise: Any, sums: Any, pulled: Any, owned: Any, drift: Any, offset: int, x: int, size: int, known: Any, out: Any
) -> None:
    """The deviation, from the sums of weights and those of a band."""
    start, shift, zero = np.uint64(x), np.uint64(offset), drift - drift
    least = sums.dtype.type(LEAST_VARIANCE)
    for i in range(np.uint64(size)):
        s = shift + i
        own = owned[s] * sums[4, s]
        slope = pulled[s] * sums[3, s]
        excess = slope * slope - own * sums[5, s]
        bias = excess * sums[2, s] if (excess > zero) & (sums[2, s] > zero) else zero
        square = noise[s] + own + bias + drift * sums[7, s]
        deviation = np.sqrt(least if square < least else square)
        out[start + i] = deviation if known[start + i] == known[start + i] else np.nan
