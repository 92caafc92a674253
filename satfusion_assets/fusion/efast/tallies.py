"""Loops over the pixels of a row of ``deviations``: what scenes add to a day's sums, and what follows from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import inlined

LEAST_VARIANCE = 1e-7
"""Nothing goes below: reflectance of 16-bit data is not known better than 0.0003."""

NO_SCENE = 255
"""Days to the nearest scene where there is none."""


@inlined
def copy(source: Any, first: int, width: int, x: int, out: Any) -> None:
    for i in range(width):
        out[x + i] = source[first + i]


@inlined
def mark(pixels: Any, x: int, offset: int, size: int, seen: Any) -> None:
    one, start, shift = seen.dtype.type(1), np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        seen[shift + i] = one if abs(pixels[start + i]) < np.inf else seen[shift + i]


@inlined
def repeat(line: Any, size: int, long: int) -> None:
    for start in range(size, long, size):
        shift = np.uint64(start)
        for i in range(np.uint64(size)):
            line[shift + i] = line[i]


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
def add_four(lines: Any, first: Any, second: Any, third: Any, fourth: Any, total: Any) -> None:
    for i in range(len(total)):
        total[i] += (lines[0, i] * first[i] + lines[1, i] * second[i]) + (
            lines[2, i] * third[i] + lines[3, i] * fourth[i]
        )


@inlined
def predict_scene(
    residuals: Any,
    present: Any,
    total: Any,
    blended: Any,
    shared: Any,
    seen: Any,
    typical: Any,
    errors: Any,
    departures: Any,
    squares: Any,
) -> None:
    """A scene's error (NaN = unknown), its departure (as predicted where a band is missing) and its squared error."""
    zero = typical - typical
    for i in range(len(total)):
        predicted = blended[i] / total[i]
        error = residuals[i] - predicted if present[i] > 0 else np.nan
        departure = residuals[i] if present[i] > 0 else predicted
        square = error * error / (1 + shared[i])
        errors[i] = error
        departures[i] = departure if (seen[i] > 0) & (abs(departure) < np.inf) else zero
        squares[i] = (square if square == square else typical) * seen[i]


@inlined
def half_of(half: int, ratio: int) -> tuple[int, int]:
    """Pixels (half-open) of a half of a cell, in the row of cells: coarse pixels meet between the halves."""
    first = (half // 2) * ratio + (0 if half % 2 == 0 else ratio - ratio // 2)
    return first, first + (ratio - ratio // 2 if half % 2 == 0 else ratio // 2)


@inlined
def tally_bands(
    lines: Any, lags: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, tallied: Any
) -> None:
    """Weighted sums of four scenes' departures (a ... d), of these times lags, and of squares (e ... h)."""
    first, second, third, fourth = lags
    for i in range(tallied.shape[1]):
        u, v, w, x = lines[0, i], lines[1, i], lines[2, i], lines[3, i]
        p, q, r, s = u * a[i], v * b[i], w * c[i], x * d[i]
        tallied[0, i] += (p + q) + (r + s)
        tallied[1, i] += (p * first + q * second) + (r * third + s * fourth)
        tallied[2, i] += (u * u * e[i] + v * v * f[i]) + (w * w * g[i] + x * x * h[i])


@inlined
def tally_corners(weights: Any, lag: Any, before: Any, cells: int, corners: Any) -> None:
    """Add a scene's weights at coarse centres.

    Sums: w; w^2; w lag; w lag^2; w^2 lag; w^2 lag^2; the integrals over time of W^2 and, after the day, of W, with W
    the sum of weights so far; the products with the next centre's for the second, fifth, sixth and seventh; days to
    the nearest scene. before: lag of the scene before.
    """
    zero = lag - lag
    passed, later = lag - before, max(lag, zero) - max(before, zero)
    for j in range(cells):
        cross = weights[j] * weights[j + 1]
        corners[8, j] += cross
        corners[9, j] += cross * lag
        corners[10, j] += cross * lag * lag
        corners[11, j] += corners[0, j] * corners[0, j + 1] * passed
    for j in range(cells + 1):
        weight, so_far = weights[j], corners[0, j]
        squared = weight * weight
        corners[0, j] = so_far + weight
        corners[1, j] += squared
        corners[2, j] += weight * lag
        corners[3, j] += weight * lag * lag
        corners[4, j] += squared * lag
        corners[5, j] += squared * lag * lag
        corners[6, j] += so_far * so_far * passed
        corners[7, j] += so_far * later
        corners[12, j] = abs(lag) if (weight > 0) & (abs(lag) < corners[12, j]) else corners[12, j]


@inlined
def spread_corners(corners: Any, cells: int, ratio: int, fractions: Any, sums: Any) -> None:
    """The sums of ``tally_pixels`` at pixels, from those at the centres. Writes behind a cell, as ``spread`` does."""
    for k in range(cells):
        pixel = np.uint64(k * ratio)
        for n in range(4):
            row = (0, 2, 3, 7)[n]
            start = corners[row, k]
            end = corners[row, k + 1]
            for i in range(np.uint64(len(fractions))):
                sums[row, pixel + i] = (1 - fractions[i]) * start + fractions[i] * end
        for n in range(4):
            row = (1, 4, 5, 6)[n]
            start, cross, end = corners[row, k], 2 * corners[8 + n, k], corners[row, k + 1]
            for i in range(np.uint64(len(fractions))):
                f = fractions[i]
                g = 1 - f
                sums[row, pixel + i] = g * g * start + g * f * cross + f * f * end
        start, end = corners[12, k], min(corners[12, k], corners[12, k + 1])
        for i in range(np.uint64(len(fractions))):
            sums[8, pixel + i] = end if fractions[i] > 0 else start


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
    """Add a scene's weights at pixels; sums as in ``tally_corners``, without products."""
    zero = lag - lag
    passed, later = lag - before, max(lag, zero) - max(before, zero)
    for i in range(start, stop):
        w = (weight + fractions[fraction + i - start] * step) * seen[i]
        so_far, squared = sums[0, i], w * w
        sums[0, i] = so_far + w
        sums[1, i] += squared
        sums[2, i] += w * lag
        sums[3, i] += w * lag * lag
        sums[4, i] += squared * lag
        sums[5, i] += squared * lag * lag
        sums[6, i] += so_far * so_far * passed
        sums[7, i] += so_far * later
        sums[8, i] = abs(lag) if (w > 0) & (abs(lag) < sums[8, i]) else sums[8, i]


@inlined
def conclude(sums: Any, offset: int, last: Any, x: int, size: int, nearest: Any, effective: Any) -> None:
    """What all bands share, from the sums: two layers, and in place of sums 2, 3, 4 and 6 what the bands need.

    These are: mean lag; variance of lags; what a slope's own variance is of the scenes'; the Cramer distance in days.
    """
    start, shift, reach = np.uint64(x), np.uint64(offset), abs(last)
    for i in range(np.uint64(size)):
        s = shift + i
        total, squared = sums[0, s], sums[1, s]
        mean = sums[2, s] / total
        variance = sums[3, s] / total - mean * mean
        away = sums[5, s] - 2 * mean * sums[4, s] + mean * mean * squared
        sums[2, s] = mean
        sums[3, s] = variance
        sums[4, s] = away / (squared * variance * variance)
        sums[6, s] = (sums[6, s] / total - 2 * sums[7, s]) / total + reach
        nearest[start + i] = min(sums[8, s], NO_SCENE - 1) if total > 0 else NO_SCENE
        effective[start + i] = total * total / squared if total > 0 else 0


@inlined
def conclude_band(
    noise: Any,
    sums: Any,
    tallied: Any,
    band: int,
    drift: Any,
    offset: int,
    x: int,
    size: int,
    known: Any,
    out: Any,
) -> None:
    """The deviation; a slope is estimated from scenes whose lags have a variance of a day or more. band: where it
    begins."""
    start, shift, begin, zero = np.uint64(x), np.uint64(offset), np.uint64(band), drift - drift
    least = sums.dtype.type(LEAST_VARIANCE)
    for i in range(np.uint64(size)):
        s = shift + i
        total, mean, variance = sums[0, s], sums[2, s], sums[3, s]
        own = tallied[2, begin + s] / (total * total)
        slope = (tallied[1, begin + s] - mean * tallied[0, begin + s]) / (total * variance)
        excess = slope * slope - own * sums[4, s]
        bias = excess * mean * mean if (excess > 0) & (variance >= 1) else zero
        square = noise[s] + own + bias + drift * sums[6, s]
        deviation = np.sqrt(least if square < least else square)
        out[start + i] = deviation if known[start + i] == known[start + i] else np.nan
