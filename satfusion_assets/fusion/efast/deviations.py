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
from satfusion_assets.fusion.efast.tallies import (
    add_four,
    any_broken,
    conclude,
    conclude_band,
    copy,
    half_of,
    mark,
    members,
    predict_scene,
    repeat,
    spread_corners,
    tally_bands,
    tally_corners,
    tally_pixels,
)


class Scratch(NamedTuple):
    """What is known of a chunk of a row; bands lie one after another, so that loops are long.

    Per scene: residuals and present (n, b * x) as in ``blend``, seen (n, x) in any band, errors, departures and squares
    (m, b * x), whole (m, 2 * cells + 1) halves of cells without a missing pixel, and all of them. n: from the first
    scene that predictions of scenes use; m: from the first that a day uses. Per day: centres (k, cells + 1) and lines
    (4, b * x) of weights, corners and shares (of ``tallies``), tallied (3, b * x). sums: (2, b * x) of weights and of
    weighted residuals.
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
    tallied: Any
    sums: Any


@inlined
def _scratch(used: int, assessed: int, bands: int, step: int, size: int, dtype: Any) -> Scratch:
    # Scenes are added in groups of four, so that sums are read and written once for all of a group. Groups begin with a
    # day's window and are the same in every chunk.
    long = bands * size
    return Scratch(
        np.zeros((used, long), dtype),
        np.zeros((used, long), dtype),
        np.zeros((used, size), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, long), dtype),
        np.zeros((assessed, 2 * step + 1), np.bool_),
        np.zeros((assessed + 4, step + 1), dtype),
        np.zeros((4, long + LANES), dtype),
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
                    copy(scratch.errors[s], first, width, x, errors[s, b, index])
                    copy(scratch.departures[s], first, width, x, departures[s, b, index])
                    copy(scratch.squares[s], first, width, x, squares[s, b, index])


@compiled
def assess(scenes: SceneEvidence, evidence: DayEvidence, row_first: int, row_last: int, layers: Layers) -> None:
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
                spread_corners(scratch.corners, cells, ratio, fractions, shares)
                _sum_broken(first, last, begin, lowest, cells, lags[p], scenes.grid, scratch)
                reach = lags[p, last - 1] if last > first else values.dtype.type(0)
                conclude(shares, offset, reach, x, stop - x, nearest[p, y], effective[p, y])
                for b in range(bands):
                    upsample_line(noise[p, b], row, cell, cells, ratio, fractions, scratch.centres[0], line)
                    known, out = values[p, b, y], deviation[p, b, y]
                    conclude_band(line, shares, scratch.tallied, b * size, drift[b], offset, x, stop - x, known, out)


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
            predict_scene(
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
            mark(pixels, x, offset, width, scratch.seen[s])
    return together


@inlined
def _gather(weights: Any, p: int, start: int, grid: Any, place: Any, centres: Any, lines: Any, long: int) -> bool:
    """Weights of scenes ``start`` ... ``start + 4`` of day p at centres and, ``long`` numbers, at the pixels of as
    many bands; False = all zero."""
    _, row, cell, cells, _, _, _ = place
    ratio, _, _, fractions = grid
    something = False
    for k in range(len(lines)):
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
        for k in range(len(lines)):
            spread(centres[k], cells, ratio, fractions, lines[k])
            repeat(lines[k], size, long)
    return something


@inlined
def _blend_others(left_out: Any, p: int, lowest: int, grid: Any, place: Any, together: bool, scratch: Scratch) -> None:
    """Sums of scene p's day without it; where together, sums of weights of the first band alone."""
    sums, lines, residuals, present = scratch.sums, scratch.lines, scratch.residuals, scratch.present
    sums[:] = 0
    first, last, long = left_out.first[p], left_out.last[p], sums.shape[1]
    counted = scratch.seen.shape[1] if together else long
    for start in range(first, last, len(scratch.lines)):
        if _gather(left_out, p, start, grid, place, scratch.centres, lines, long):
            a, b, c, d = members(start, last, lowest)
            add_four(lines, present[a], present[b], present[c], present[d], sums[0, :counted])
            add_four(lines, residuals[a], residuals[b], residuals[c], residuals[d], sums[1])


@inlined
def _find_whole(seen: Any, place: Any, ratio: int, whole: Any) -> None:
    """Which halves of cells a scene shows in every pixel that is there; the last: all of them."""
    _, _, _, cells, _, size, offset = place
    whole[:] = True
    for half in range(2 * cells):
        first, last = half_of(half, ratio)
        for i in range(max(first, offset), min(last, offset + size)):
            whole[half] = whole[half] and seen[i] > 0
        whole[-1] = whole[-1] and whole[half]


@inlined
def _sum_day(weights: Any, p: int, begin: int, grid: Any, place: Any, lags: Any, scratch: Scratch) -> None:
    """Sums of day p over departures and squares of every band."""
    first, last = weights.first[p], weights.last[p]
    tallied, departures, squares = scratch.tallied, scratch.departures, scratch.squares
    tallied[:] = 0
    for start in range(first, last, len(scratch.lines)):
        centres = scratch.centres[start - first :]
        some = _gather(weights, p, start, grid, place, centres, scratch.lines, tallied.shape[1])
        if some:
            a, b, c, d = members(start, last, 0)
            when = (lags[a], lags[b], lags[c], lags[d])
            a, b, c, d = members(start, last, begin)
            tally_bands(
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
                tallied,
            )


@inlined
def _sum_corners(first: int, last: int, cells: int, lags: Any, scratch: Scratch) -> None:
    """Sums over a day's scenes at coarse centres."""
    corners = scratch.corners
    corners[:] = 0
    corners[12] = np.inf
    before = lags.dtype.type(0)
    for s in range(first, last):
        tally_corners(scratch.centres[s - first], lags[s], before, cells, corners)
        before = lags[s]


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
