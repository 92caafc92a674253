"""What each day's estimate rests on, in one pass over rows: scenes from their neighbours, then every day's deviation.

What ``uncertainty`` asks of scenes (departures and squared errors of leave-one-out) is formed for a chunk of a row and
used there by all days; no image of it is ever written. Sums over scenes that do not ask what a pixel shows come from
those of its corners: with a weight ``w = (1 - f) a + f b`` between coarse centres, ``sum w^2 = (1 - f)^2 sum a^2 +
2 f (1 - f) sum ab + f^2 sum b^2``, likewise times lags. Where a scene with weight is missing in a half of a cell (the
part in one coarse pixel, so that no number depends on blocks), its pixels are summed one by one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.efast.operands import DayEvidence, Layers, SceneEvidence
from satfusion_assets.fusion.efast.rows import (
    CHUNK,
    LANES,
    cells_of,
    chunk_of,
    interpolate_down,
    margin_of,
    same,
    span,
    spread,
    subtract,
    upsample_line,
)

LEAST_VARIANCE = 1e-7
"""Nothing goes below: reflectance of 16-bit data is not known better than 0.0003."""

NO_SCENE = 255
"""Days to the nearest scene where there is none."""

GROUP = 4
"""Scenes that are added together, so that sums are read and written once for all of them. Groups begin with a day's
window and are the same in every chunk."""


class Scratch(NamedTuple):
    """What is known of a chunk of a row; bands lie one after another, so that loops are long.

    Per scene: residuals and present (n, b * x) as in ``blend``, seen (n, x) in any band, errors, departures and squares
    (m, b * x), whole (m, 2 * cells + 1) halves of cells without a missing pixel, and all of them. n: from the first
    scene that predictions of scenes use; m: from the first that a day uses. Per day: centres (k, cells + 1) and lines
    (GROUP, b * x) of weights, corners and shares (``_tally_corners``, ``_tally``), told (3, b * x). sums: (2, b * x) of
    weights and of weighted residuals.
    """

    residuals: Any
    present: Any
    seen: Any
    errors: Any
    departures: Any
    squares: Any
    whole: Any
    centres: Any
    lines: Any
    corners: Any
    shares: Any
    told: Any
    sums: Any


@inlined
def _scratch(used: int, judged: int, bands: int, step: int, size: int, dtype: Any) -> Scratch:
    long = bands * size
    return Scratch(
        np.zeros((used, long), dtype),
        np.zeros((used, long), dtype),
        np.zeros((used, size), dtype),
        np.zeros((judged, long), dtype),
        np.zeros((judged, long), dtype),
        np.zeros((judged, long), dtype),
        np.zeros((judged, 2 * step + 1), np.bool_),
        np.zeros((judged + GROUP, step + 1), dtype),
        np.zeros((GROUP, long + LANES), dtype),
        np.empty((13, step + 1), dtype),
        np.empty((9, size + LANES), dtype),
        np.empty((3, long), dtype),
        np.empty((2, long), dtype),
    )


@compiled
def predict_scenes(evidence: SceneEvidence, rows: Any, errors: Any, departures: Any, squares: Any) -> None:
    """Every scene predicted from the others on ``rows`` (r,): fill errors, departures and squares (n, b, r, W)."""
    ratio, top, left, _ = evidence.grid
    scenes, bands, _, columns = errors.shape
    margin, cell_first, cell_last = cells_of(left, ratio, columns)
    step = min(max(1, CHUNK // ratio), cell_last - cell_first)
    size = step * ratio
    scratch = _scratch(scenes, scenes, bands, step, size, errors.dtype)
    for index in range(len(rows)):
        row = rows[index] + margin_of(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = chunk_of(cell, min(step, cell_last - cell), margin, ratio, columns)
            _study_scenes(evidence, 0, scenes, 0, (rows[index], row, cell, cells, x, stop - x, offset), scratch)
            for s in range(scenes):
                for b in range(bands):
                    first, width = b * size + offset, stop - x
                    _copy(scratch.errors[s], first, width, x, errors[s, b, index])
                    _copy(scratch.departures[s], first, width, x, departures[s, b, index])
                    _copy(scratch.squares[s], first, width, x, squares[s, b, index])


@inlined
def _copy(source: Any, first: int, width: int, x: int, out: Any) -> None:
    for i in range(width):
        out[x + i] = source[first + i]


@compiled
def judge(scenes: SceneEvidence, evidence: DayEvidence, row_first: int, row_last: int, layers: Layers) -> None:
    """Fill rows ``row_first:row_last`` of ``layers`` with what each day's estimate rests on (``uncertainty``)."""
    lags, noise, drift, values, weights = evidence
    nearest, effective, deviation = layers
    ratio, top, left, fractions = scenes.grid
    days, bands, _, width = values.shape
    begin, end, lowest, highest = _reach(weights, scenes.left_out)
    margin, cell_first, cell_last = cells_of(left, ratio, width)
    step = min(max(1, CHUNK // ratio), cell_last - cell_first)
    size = step * ratio
    scratch = _scratch(highest - lowest, end - begin, bands, step, size, values.dtype)
    line, shares = scratch.lines[0], scratch.shares
    for y in range(row_first, row_last):
        row = y + margin_of(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = chunk_of(cell, min(step, cell_last - cell), margin, ratio, width)
            place = (y, row, cell, cells, x, stop - x, offset)
            _study_scenes(scenes, begin, end, lowest, place, scratch)
            for p in range(days):
                first, last = weights.first[p], weights.last[p]
                _sum_day(weights, p, begin, scenes.grid, place, lags[p], scratch)
                _sum_corners(first, last, cells, lags[p], scratch)
                _spread_corners(scratch.corners, cells, ratio, fractions, shares)
                _sum_broken(first, last, begin, lowest, cells, lags[p], scenes.grid, scratch)
                reach = lags[p, last - 1] if last > first else values.dtype.type(0)
                _conclude(shares, offset, reach, x, stop - x, nearest[p, y], effective[p, y])
                for b in range(bands):
                    upsample_line(noise[p, b], row, cell, cells, ratio, fractions, scratch.centres[0], line)
                    known, out = values[p, b, y], deviation[p, b, y]
                    _conclude_band(line, shares, scratch.told, b * size, drift[b], offset, x, stop - x, known, out)


@inlined
def _reach(weights: Any, left_out: Any) -> tuple[int, int, int, int]:
    """The scenes that any day uses, and those that their predictions use; half-open."""
    begin, end = span(weights.first, weights.last)
    lowest, highest = begin, end
    for s in range(begin, end):
        lowest, highest = min(lowest, left_out.first[s]), max(highest, left_out.last[s])
    return begin, end, lowest, highest


@inlined
def _study_scenes(evidence: Any, begin: int, end: int, lowest: int, place: Any, scratch: Scratch) -> None:
    """Scenes ``begin:end`` predicted from the others, which begin with ``lowest``, in a chunk."""
    _, row, cell, cells, _, _, _ = place
    _, _, _, left_out, shared, typical, grid = evidence
    ratio, _, _, fractions = grid
    together = _form_residuals(evidence, lowest, place, scratch)
    size, line = scratch.seen.shape[1], scratch.lines[0]
    for s in range(begin, end):
        _blend_others(left_out, s, lowest, grid, place, together, scratch)
        interpolate_down(shared[s], row, cell, cells, ratio, fractions, scratch.centres[0])
        spread(scratch.centres[0], cells, ratio, fractions, line)
        for b in range(len(typical)):
            here = slice(b * size, (b + 1) * size)
            _differ(
                scratch.residuals[s - lowest, here],
                scratch.present[s - lowest, here],
                scratch.sums[0, :size] if together else scratch.sums[0, here],
                scratch.sums[1, here],
                line,
                scratch.seen[s - lowest],
                typical[b],
                scratch.errors[s - begin, here],
                scratch.departures[s - begin, here],
                scratch.squares[s - begin, here],
            )
        _find_whole(scratch.seen[s - lowest], place, ratio, scratch.whole[s - begin])


@inlined
def _form_residuals(evidence: Any, lowest: int, place: Any, scratch: Scratch) -> bool:
    """Residuals and presence of scenes from ``lowest`` on; True where each has all its bands in the same pixels."""
    y, row, cell, cells, x, width, offset = place
    ratio, _, _, fractions = evidence.grid
    line, size = scratch.lines[0], scratch.seen.shape[1]
    if width < size:
        scratch.residuals[:] = 0
        scratch.present[:] = 0
    scratch.seen[:] = 0
    together = True
    for s in range(len(scratch.seen)):
        first_band = scratch.present[s, :size]
        for b in range(len(evidence.typical)):
            pixels, here = evidence.fine[evidence.order[lowest + s], b, y], slice(b * size, (b + 1) * size)
            coarse = evidence.coarse_then[lowest + s, b]
            upsample_line(coarse, row, cell, cells, ratio, fractions, scratch.centres[0], line)
            subtract(pixels, line, x, offset, width, scratch.residuals[s, here], scratch.present[s, here])
            together = together and same(first_band, scratch.present[s, here])
            _mark(pixels, x, offset, width, scratch.seen[s])
    return together


@inlined
def _mark(pixels: Any, x: int, offset: int, size: int, seen: Any) -> None:
    one, start, shift = seen.dtype.type(1), np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        seen[shift + i] = one if abs(pixels[start + i]) < np.inf else seen[shift + i]


@inlined
def _gather(weights: Any, p: int, start: int, grid: Any, place: Any, centres: Any, lines: Any, long: int) -> bool:
    """Weights of scenes ``start`` ... ``start + GROUP`` of day p at centres and, ``long`` numbers, at the pixels of as
    many bands; False = all zero."""
    _, row, cell, cells, _, _, _ = place
    ratio, _, _, fractions = grid
    something = False
    for k in range(GROUP):
        s = start + k
        some = False
        if s < weights.last[p]:
            image = weights.values[weights.offsets[p] + s - weights.first[p]]
            some = interpolate_down(image, row, cell, cells, ratio, fractions, centres[k])
        if not some:
            centres[k] = 0
        something = something or some
    if something:
        size = (centres.shape[1] - 1) * ratio
        for k in range(GROUP):
            spread(centres[k], cells, ratio, fractions, lines[k])
            _repeat(lines[k], size, long)
    return something


@inlined
def _repeat(line: Any, size: int, long: int) -> None:
    for start in range(size, long, size):
        shift = np.uint64(start)
        for i in range(np.uint64(size)):
            line[shift + i] = line[i]


@inlined
def _blend_others(left_out: Any, p: int, lowest: int, grid: Any, place: Any, together: bool, scratch: Scratch) -> None:
    """Sums of scene p's day without it; where together, sums of weights of the first band alone."""
    sums, lines, residuals, present = scratch.sums, scratch.lines, scratch.residuals, scratch.present
    sums[:] = 0
    first, last, long = left_out.first[p], left_out.last[p], sums.shape[1]
    counted = scratch.seen.shape[1] if together else long
    for start in range(first, last, GROUP):
        if _gather(left_out, p, start, grid, place, scratch.centres, lines, long):
            a, b, c, d = _members(start, last, lowest)
            _add(lines, present[a], present[b], present[c], present[d], sums[0, :counted])
            _add(lines, residuals[a], residuals[b], residuals[c], residuals[d], sums[1])


@inlined
def _members(start: int, last: int, base: int) -> tuple[int, int, int, int]:
    """Places of a group's scenes, counted from ``base``; behind the last it stands for those without weight."""
    return (
        start - base,
        min(start + 1, last - 1) - base,
        min(start + 2, last - 1) - base,
        min(start + 3, last - 1) - base,
    )


@inlined
def _add(lines: Any, first: Any, second: Any, third: Any, fourth: Any, total: Any) -> None:
    for i in range(len(total)):
        total[i] += (lines[0, i] * first[i] + lines[1, i] * second[i]) + (
            lines[2, i] * third[i] + lines[3, i] * fourth[i]
        )


@inlined
def _differ(
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
def _find_whole(seen: Any, place: Any, ratio: int, whole: Any) -> None:
    """Which halves of cells a scene shows in every pixel that is there; the last: all of them."""
    _, _, _, cells, _, size, offset = place
    whole[:] = True
    for half in range(2 * cells):
        first, last = _half(half, ratio)
        for i in range(max(first, offset), min(last, offset + size)):
            whole[half] = whole[half] and seen[i] > 0
        whole[-1] = whole[-1] and whole[half]


@inlined
def _half(half: int, ratio: int) -> tuple[int, int]:
    """Pixels (half-open) of a half of a cell, in the row of cells: coarse pixels meet between the halves."""
    first = (half // 2) * ratio + (0 if half % 2 == 0 else ratio - ratio // 2)
    return first, first + (ratio - ratio // 2 if half % 2 == 0 else ratio // 2)


@inlined
def _sum_day(weights: Any, p: int, begin: int, grid: Any, place: Any, lags: Any, scratch: Scratch) -> None:
    """Sums of day p over departures and squares of every band."""
    first, last = weights.first[p], weights.last[p]
    told, departures, squares = scratch.told, scratch.departures, scratch.squares
    told[:] = 0
    for start in range(first, last, GROUP):
        centres = scratch.centres[start - first :]
        some = _gather(weights, p, start, grid, place, centres, scratch.lines, told.shape[1])
        if some:
            a, b, c, d = _members(start, last, 0)
            when = (lags[a], lags[b], lags[c], lags[d])
            a, b, c, d = _members(start, last, begin)
            _tally_bands(
                scratch.lines,
                when,
                departures[a],
                departures[b],
                departures[c],
                departures[d],
                squares[a],
                squares[b],
                squares[c],
                squares[d],
                told,
            )


@inlined
def _sum_corners(first: int, last: int, cells: int, lags: Any, scratch: Scratch) -> None:
    """Sums over a day's scenes at coarse centres."""
    corners = scratch.corners
    corners[:] = 0
    corners[12] = np.inf
    before = lags.dtype.type(0)
    for s in range(first, last):
        _tally_corners(scratch.centres[s - first], lags[s], before, cells, corners)
        before = lags[s]


@inlined
def _tally_bands(
    lines: Any, lags: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, told: Any
) -> None:
    """Weighted sums of four scenes' departures (a ... d), of these times lags, and of squares (e ... h)."""
    first, second, third, fourth = lags
    for i in range(told.shape[1]):
        u, v, w, x = lines[0, i], lines[1, i], lines[2, i], lines[3, i]
        p, q, r, s = u * a[i], v * b[i], w * c[i], x * d[i]
        told[0, i] += (p + q) + (r + s)
        told[1, i] += (p * first + q * second) + (r * third + s * fourth)
        told[2, i] += (u * u * e[i] + v * v * f[i]) + (w * w * g[i] + x * x * h[i])


@inlined
def _tally_corners(weights: Any, lag: Any, before: Any, cells: int, corners: Any) -> None:
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
def _spread_corners(corners: Any, cells: int, ratio: int, fractions: Any, sums: Any) -> None:
    """The sums of ``_tally`` at every pixel, from those at the centres. Writes behind a cell, as ``spread`` does."""
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
def _sum_broken(
    first: int, last: int, begin: int, lowest: int, cells: int, lags: Any, grid: Any, scratch: Scratch
) -> None:
    """Sum pixel by pixel where a scene with weight is missing in a part of a half of a cell."""
    ratio, _, _, fractions = grid
    centres, whole, sums = scratch.centres, scratch.whole, scratch.shares
    if not _any_broken(whole, first - begin, last - begin):
        return
    for half in range(2 * cells):
        k = half // 2
        broken = False
        for s in range(first, last):
            weighs = (centres[s - first, k] > 0) | (centres[s - first, k + 1] > 0)
            broken = broken or (weighs and not whole[s - begin, half])
        if not broken:
            continue
        start, stop = _half(half, ratio)
        sums[:8, start:stop] = 0
        sums[8, start:stop] = np.inf
        before = lags.dtype.type(0)
        for s in range(first, last):
            lag, a, b = lags[s], centres[s - first, k], centres[s - first, k + 1]
            if a > 0 or b > 0 or s == last - 1:
                seen = scratch.seen[s - lowest]
                _tally(a, b - a, fractions, start - k * ratio, start, stop, seen, lag, before, sums)
                before = lag


@inlined
def _any_broken(whole: Any, first: int, last: int) -> bool:
    broken = False
    for s in range(first, last):
        broken = broken or not whole[s, -1]
    return broken


@inlined
def _tally(
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
    """Add a scene's weights at pixels; sums as in ``_tally_corners``, without products."""
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
def _conclude(sums: Any, offset: int, last: Any, x: int, size: int, nearest: Any, effective: Any) -> None:
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
def _conclude_band(
    noise: Any,
    sums: Any,
    told: Any,
    band: int,
    drift: Any,
    offset: int,
    x: int,
    size: int,
    known: Any,
    out: Any,
) -> None:
    """The deviation; a slope is told by scenes whose lags have a variance of a day or more. band: where it begins."""
    start, shift, begin, zero = np.uint64(x), np.uint64(offset), np.uint64(band), drift - drift
    least = sums.dtype.type(LEAST_VARIANCE)
    for i in range(np.uint64(size)):
        s = shift + i
        total, mean, variance = sums[0, s], sums[2, s], sums[3, s]
        own = told[2, begin + s] / (total * total)
        slope = (told[1, begin + s] - mean * told[0, begin + s]) / (total * variance)
        excess = slope * slope - own * sums[4, s]
        bias = excess * mean * mean if (excess > 0) & (variance >= 1) else zero
        square = noise[s] + own + bias + drift * sums[6, s]
        deviation = np.sqrt(least if square < least else square)
        out[start + i] = deviation if known[start + i] == known[start + i] else np.nan
