"""What each day's estimate rests on, in one pass over rows: scenes from their neighbours, then every day's deviation.

What ``uncertainty`` asks of scenes (departures and squared errors of leave-one-out) is formed for a chunk of a row and
used there by all days; no image of it is ever written. Sums over scenes that do not ask what a pixel shows come from
those of its corners: with a weight ``w = (1 - f) a + f b`` between coarse centres, ``sum w^2 = (1 - f)^2 sum a^2 +
2 f (1 - f) sum ab + f^2 sum b^2``, likewise times lags, downwards as along a row. Where a scene with weight is missing
in a half of a cell (the part in one coarse pixel, so that no number depends on blocks), its pixels are summed one by
one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.efast.operands import DayEvidence, Layers, SceneEvidence, Weights
from satfusion_assets.fusion.efast.rows import (
    LANES,
    cells_of,
    chunk_of,
    clamp,
    in_one,
    interpolate_down,
    margin_of,
    same,
    span,
    spread,
    subtract,
    upsample_line,
)
from satfusion_assets.fusion.efast.tallies import (
    GROUP,
    STRIDE,
    WIDE_STRIDE,
    add_bands,
    add_four,
    add_lines,
    any_broken,
    conclude,
    conclude_band,
    find_departures,
    find_errors,
    find_squares,
    half_of,
    is_filled,
    mark,
    members,
    pull_lines,
    reciprocals,
    spread_corners,
    spread_group,
    tally_corners,
    tally_pixels,
)

CHUNK = 256
"""As in ``rows``, of which these chunks are a half: what is known of one takes that much more of the core's cache."""
FEW_SCENES = 32
"""Up to as many, chunks are twice as long: so many scenes of 512 pixels take as much as a season's of 256."""


class Scratch(NamedTuple):
    """What is known of a chunk of a row; bands (b * x) lie one after another, ``_stride`` apart.

    Per scene: residuals and present (n, b * x) as in ``blend``, seen (n, x) in any band, errors, departures and squares
    (m, b * x), whole (m, 2 * cells + 1) halves of cells without a missing pixel, and all of them. n: from the first
    scene that predictions of scenes use; m: from the first that a day uses. Per day: centres (k, cells + 1) and lines
    (4, x) of weights, pulls and squared (4, x) of ``pull_lines``, shares (9, x) of ``tallies``. sums: (2, b * x) over
    scenes, of weights and of weighted residuals, or of what a day's deviation asks. inverse: (2, x) of ``reciprocals``.
    filled (n,): scenes without a missing value, whose weights are added as they are.
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
    pulls: Any
    squared: Any
    shares: Any
    sums: Any
    inverse: Any
    filled: Any


@inlined
def _chunk(scenes: int) -> int:
    return CHUNK if scenes > FEW_SCENES else 2 * CHUNK


@inlined
def _scratch(used: int, assessed: int, bands: int, step: int, size: int, dtype: Any) -> Scratch:
    # Scenes are added in groups, so that sums are read and written once for all of a group. Groups begin with a
    # day's window and are the same in every chunk.
    long = bands * (STRIDE if size <= STRIDE else max(size, WIDE_STRIDE))
    return Scratch(
        np.zeros((used, long), dtype),
        np.zeros((used, long), dtype),
        np.zeros((used, size), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, 2 * step + 1), np.bool_),
        np.zeros((used + GROUP, step + 1), dtype),
        np.zeros((GROUP, size + LANES), dtype),
        np.empty((GROUP, size), dtype),
        np.empty((GROUP, size), dtype),
        np.empty((9, size + LANES), dtype),
        np.empty((2, long), dtype),
        np.empty((2, size), dtype),
        np.zeros(used, np.bool_),
    )


@inlined
def _stride(scratch: Scratch, bands: int) -> int:
    return scratch.residuals.shape[1] // bands


@compiled
def predict_scenes(
    evidence: SceneEvidence, rows: Any, columns: Any, width: int, errors: Any, departures: Any, squares: Any
) -> None:
    """Every scene predicted from the others on ``rows`` (r,), at ``columns`` (c,) of ``width``: fill errors, departures
    and squares (n, b, r, c)."""
    ratio, top, left, _ = evidence.grid
    scenes, bands, _, _ = errors.shape
    margin, cell_first, cell_last = cells_of(left, ratio, width)
    step = min(max(1, _chunk(scenes) // ratio), cell_last - cell_first)
    size = step * ratio
    scratch = _scratch(scenes, scenes, bands, step, size, errors.dtype)
    stride = _stride(scratch, bands)
    for index in range(len(rows)):
        row = rows[index] + margin_of(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = chunk_of(cell, min(step, cell_last - cell), margin, ratio, width)
            asked = np.searchsorted(columns, x), np.searchsorted(columns, stop)
            if asked[0] == asked[1]:
                continue
            _study_scenes(evidence, 0, scenes, 0, (rows[index], row, cell, cells, x, stop - x, offset), True, scratch)
            for s in range(scenes):
                for b in range(bands):
                    first = b * stride + offset - x
                    for c in range(asked[0], asked[1]):
                        place = first + columns[c]
                        errors[s, b, index, c] = scratch.errors[s, place]
                        departures[s, b, index, c] = scratch.departures[s, place]
                        squares[s, b, index, c] = scratch.squares[s, place]


@compiled
def assess(
    scenes: SceneEvidence, evidence: DayEvidence, row_first: int, row_last: int, top_row: int, layers: Layers
) -> None:
    """Fill ``layers``, which begin with row ``top_row`` as ``evidence.values`` do, with what each day's estimate rests
    on in rows ``row_first:row_last`` (``uncertainty``)."""
    lags, noise, drift, values, weights, corners = evidence
    nearest, effective, deviation = layers
    ratio, top, left, fractions = scenes.grid
    days, bands, _, width = values.shape
    begin, end, lowest, highest = _reach(weights, scenes.left_out)
    margin, cell_first, cell_last = cells_of(left, ratio, width)
    step = min(max(1, _chunk(highest - lowest) // ratio), cell_last - cell_first)
    size = step * ratio
    scratch = _scratch(highest - lowest, end - begin, bands, step, size, values.dtype)
    line, shares, stride, noises = scratch.lines[0], scratch.shares, _stride(scratch, bands), in_one(noise)
    for y in range(row_first, row_last):
        row = y + margin_of(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = chunk_of(cell, min(step, cell_last - cell), margin, ratio, width)
            place = (y, row, cell, cells, x, stop - x, offset)
            together = _study_scenes(scenes, begin, end, lowest, place, False, scratch)
            departures = scratch.residuals[begin - lowest :] if together else scratch.departures
            for p in range(days):
                first, last = weights.first[p], weights.last[p]
                _interpolate(weights, p, scenes.grid, place, scratch.centres)
                spread_corners(corners[p], row, cell, cells, ratio, fractions, shares)
                _sum_broken(first, last, begin, lowest, cells, lags[p], scenes.grid, scratch)
                reach = lags[p, last - 1] if last > first else values.dtype.type(0)
                conclude(shares, offset, reach, x, stop - x, nearest[p, y - top_row], effective[p, y - top_row])
                _sum_day(weights, p, begin, scenes.grid, cells, lags[p], stride, departures, scratch)
                for b in range(bands):
                    upsample_line(noises, p * bands + b, row, cell, cells, ratio, fractions, scratch.centres, line)
                    known, out = values[p, b, y - top_row], deviation[p, b, y - top_row]
                    here = slice(b * stride, b * stride + size)
                    pulled, owned = scratch.sums[0, here], scratch.sums[1, here]
                    conclude_band(line, shares, pulled, owned, drift[b], offset, x, stop - x, known, out)


@compiled
def tally_centres(weights: Weights, lags: Any, corners: Any) -> None:
    """Fill ``corners`` (p, 21, h', w') with the sums of ``tally_corners`` over the scenes of every day."""
    days, _, height, width = corners.shape
    found = np.empty(corners.shape[1], np.float64)
    for p in range(days):
        first, last, start = weights.first[p], weights.last[p], weights.offsets[p]
        image, when = weights.values[start : start + last - first], lags[p, first:last]
        for row in range(height):
            for column in range(width):
                tally_corners(image, when, row, column, clamp(row + 1, height), clamp(column + 1, width), found)
                for n in range(len(found)):
                    corners[p, n, row, column] = found[n]


@inlined
def _reach(weights: Any, left_out: Any) -> tuple[int, int, int, int]:
    """The scenes that any day uses, and those that their predictions use; half-open."""
    begin, end = span(weights.first, weights.last)
    lowest, highest = begin, end
    for s in range(begin, end):
        lowest, highest = min(lowest, left_out.first[s]), max(highest, left_out.last[s])
    return begin, end, lowest, highest


@inlined
def _study_scenes(evidence: Any, begin: int, end: int, lowest: int, place: Any, every: bool, scratch: Scratch) -> bool:
    """Scenes ``begin:end`` predicted from the others, which begin with ``lowest``, in a chunk: squares and, where
    ``every``, errors.

    True where each scene has all its bands in the same pixels: then its departures are its residuals, and are found
    where ``every`` alone.
    """
    _, row, cell, cells, _, _, _ = place
    _, _, _, left_out, shared, typical, grid = evidence
    ratio, _, _, fractions = grid
    together = _form_residuals(evidence, lowest, place, scratch)
    residuals, present, seen, errors, departures, squares, whole, centres, lines, _, _, _, sums, inverse, _ = scratch
    size, line, counted, scale = seen.shape[1], lines[0], inverse[0], inverse[1]
    total, blended, stride = sums[0], sums[1], _stride(scratch, len(typical))
    for s in range(begin, end):
        _blend_others(left_out, s, lowest, grid, place, stride, together, scratch)
        interpolate_down(shared, s, row, cell, cells, ratio, fractions, centres, 0)
        spread(centres, cells, ratio, fractions, line)
        for b in range(len(typical)):
            if b == 0 or not together:
                reciprocals(total, b * stride, line, counted, scale)
            where = (s - lowest, s - begin, b * stride, size)
            find_squares(residuals, present, seen, counted, blended, scale, typical[b], where, squares)
            if every:
                find_errors(residuals, present, counted, blended, where, errors)
            if every or not together:
                find_departures(residuals, present, seen, counted, blended, where, departures)
        _find_whole(seen[s - lowest], place, ratio, whole[s - begin])
    return together


@inlined
def _form_residuals(evidence: Any, lowest: int, place: Any, scratch: Scratch) -> bool:
    """Residuals and presence of scenes from ``lowest`` on; True where each has all its bands in the same pixels."""
    y, row, cell, cells, x, width, offset = place
    fine, order, coarse_then, _, _, typical, grid = evidence
    ratio, _, _, fractions = grid
    residuals, present, seen, filled = scratch.residuals, scratch.present, scratch.seen, scratch.filled
    centres, line, then = scratch.centres, scratch.lines[0], in_one(coarse_then)
    bands, size, stride = len(typical), seen.shape[1], _stride(scratch, len(typical))
    if width < size:
        residuals[:] = 0
        present[:] = 0
    seen[:] = 0
    together = True
    for s in range(len(seen)):
        for b in range(bands):
            upsample_line(then, (lowest + s) * bands + b, row, cell, cells, ratio, fractions, centres, line)
            subtract(fine, order[lowest + s], b, y, line, x, offset, width, s, b * stride, residuals, present)
        filled[s] = is_filled(present, s, stride, offset, width)
        if filled[s]:
            seen[s, offset : offset + width] = 1
            continue
        for b in range(bands):
            together = together and same(present[s, :size], present[s, b * stride : b * stride + size])
            mark(fine[order[lowest + s], b, y], x, offset, width, seen[s])
    return together


@inlined
def _interpolate(weights: Any, p: int, grid: Any, place: Any, centres: Any) -> None:
    """Weights of the scenes of day p at the centres around a chunk of a row, and no weight behind the last."""
    _, row, cell, cells, _, _, _ = place
    ratio, _, _, fractions = grid
    count = weights.last[p] - weights.first[p]
    values, offset = weights.values, weights.offsets[p]
    for k in range(count):
        interpolate_down(values, offset + k, row, cell, cells, ratio, fractions, centres, k)
    centres[count : count + GROUP] = 0


@inlined
def _blend_others(
    left_out: Any, p: int, lowest: int, grid: Any, place: Any, stride: int, together: bool, scratch: Scratch
) -> None:
    """Sums of scene p's day without it; where together, sums of weights of the first band alone."""
    residuals, present, _, _, _, _, _, centres, lines, _, _, _, sums, _, filled = scratch
    sums[:] = 0
    total, blended = sums[0], sums[1]
    first, last, size, cells = left_out.first[p], left_out.last[p], scratch.seen.shape[1], place[3]
    ratio, _, _, fractions = grid
    _interpolate(left_out, p, grid, place, centres)
    whole = True
    for s in range(first, last):
        whole = whole and filled[s - lowest]
    counted = stride if together else len(total)
    for start in range(first, last, GROUP):
        if spread_group(centres, start - first, cells, ratio, fractions, lines):
            four = members(start, last, lowest)
            for x in range(0, counted, stride):
                if whole:
                    add_lines(lines, x, size, total)
                else:
                    add_four(lines, present, four, x, size, total)
            add_bands(lines, residuals, four, stride, size, blended)


@inlined
def _find_whole(seen: Any, place: Any, ratio: int, whole: Any) -> None:
    """Which halves of cells a scene shows in every pixel that is there; the last: all of them."""
    _, _, _, cells, _, size, offset = place
    missing = 0
    for i in range(np.uint64(offset), np.uint64(offset + size)):
        missing += 0 if seen[i] > 0 else 1
    whole[:] = missing == 0
    for half in range(2 * cells if missing else 0):
        first, last = half_of(half, ratio)
        whole[half] = True
        for i in range(max(first, offset), min(last, offset + size)):
            whole[half] = whole[half] and seen[i] > 0


@inlined
def _sum_day(
    weights: Any, p: int, begin: int, grid: Any, cells: int, lags: Any, stride: int, departures: Any, scratch: Scratch
) -> None:
    """Sums over the scenes of day p, of every band: departures under the pulls, squares under squared weights."""
    first, last, size = weights.first[p], weights.last[p], scratch.seen.shape[1]
    sums, squares = scratch.sums, scratch.squares
    pulls, squared, lines, centres, mean = (
        scratch.pulls,
        scratch.squared,
        scratch.lines,
        scratch.centres,
        scratch.shares[1],
    )
    ratio, _, _, fractions = grid
    sums[:] = 0
    pulled, owned = sums[0], sums[1]
    for start in range(first, last, GROUP):
        if spread_group(centres, start - first, cells, ratio, fractions, lines):
            a, b, c, d = members(start, last, 0)
            pull_lines(lines, (lags[a], lags[b], lags[c], lags[d]), mean, size, pulls, squared)
            four = members(start, last, begin)
            add_bands(pulls, departures, four, stride, size, pulled)
            add_bands(squared, squares, four, stride, size, owned)


@inlined
def _sum_broken(
    first: int, last: int, begin: int, lowest: int, cells: int, lags: Any, grid: Any, scratch: Scratch
) -> None:
    """Sum pixel by pixel where a scene with weight is missing in a part of a half of a cell."""
    ratio, _, _, fractions = grid
    centres, whole, sums = scratch.centres, scratch.whole, scratch.shares
    if not any_broken(whole, first - begin, last - begin):
        return
    for half in range(2 * cells):
        k = half // 2
        broken = False
        for s in range(first, last):
            weighs = (centres[s - first, k] > 0) | (centres[s - first, k + 1] > 0)
            broken = broken or (weighs and not whole[s - begin, half])
        if not broken:
            continue
        start, stop = half_of(half, ratio)
        sums[:8, start:stop] = 0
        sums[8, start:stop] = np.inf
        before = lags.dtype.type(0)
        for s in range(first, last):
            lag, a, b = lags[s], centres[s - first, k], centres[s - first, k + 1]
            if a > 0 or b > 0 or s == last - 1:
                seen = scratch.seen[s - lowest]
                tally_pixels(a, b - a, fractions, start - k * ratio, start, stop, seen, lag, before, sums)
                before = lag
