"""The blend itself: eq. 2 of Senty et al. 2024 for all days of a season, row by row.

Rows are the unit of work: the residuals ``F_i - U(C(t_i))`` of a row are formed once and serve every day whose
window holds scene i. Every decision is taken per pixel or per interpolation cell (the square between four coarse
centres), so no number depends on where a strip, chunk or block of the image begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.efast.operands import BlendGrid, Sources
from satfusion_assets.fusion.efast.rows import (
    CHUNK,
    LANES,
    cells_of,
    chunk_of,
    clamp,
    corner_mean,
    in_one,
    interpolate_down,
    margin_of,
    same,
    span,
    spread,
    subtract,
    upsample_line,
)


@inlined
def _accumulate(weights: Any, s: int, residuals: Any, present: Any, together: bool, total: Any, blended: Any) -> None:
    """Add scene s: weights (x,), residuals and present (s, b, x) to total and blended (b, x)."""
    bands, width = blended.shape
    if together:
        for i in range(width):
            weights[i] *= present[s, 0, i]
            total[0, i] += weights[i]
        for b in range(bands):
            for i in range(width):
                blended[b, i] += weights[i] * residuals[s, b, i]
    else:
        for b in range(bands):
            for i in range(width):
                total[b, i] += weights[i] * present[s, b, i]
                blended[b, i] += weights[i] * present[s, b, i] * residuals[s, b, i]


@inlined
def _estimate(line: Any, offset: int, total: Any, blended: Any, x: int, size: int, out: Any) -> None:
    start, shift = np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        out[start + i] = line[shift + i] + blended[shift + i] / total[shift + i]


@compiled
def blend(sources: Sources, row_first: int, row_last: int, top_row: int, out: Any) -> None:
    """Fill rows ``row_first:row_last`` of ``out`` (p, b, r, W), which begins with row ``top_row``, with ``U(C(t)) +
    sum(U(w_i) R_i) / sum(U(w_i))``."""
    fine, order, coarse_then, coarse_now, weights, grid = sources
    ratio, top, left, fractions = grid
    shares, offsets, first, last = weights
    days, bands, _, width = out.shape
    begin, end = span(first, last)
    dtype = out.dtype
    margin, cell_first, cell_last = cells_of(left, ratio, width)
    step = min(max(1, CHUNK // ratio), cell_last - cell_first)
    size = step * ratio
    residuals = np.zeros((end - begin, bands, size), dtype)
    present = np.zeros((end - begin, bands, size), dtype)
    in_rows = residuals.reshape(end - begin, bands * size), present.reshape(end - begin, bands * size)
    then, now = in_one(coarse_then), in_one(coarse_now)
    centres = np.empty((1, step + 1), dtype)
    line = np.empty(size + LANES, dtype)
    total = np.empty((bands, size), dtype)
    blended = np.empty((bands, size), dtype)
    for y in range(row_first, row_last):
        row = y + margin_of(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = chunk_of(cell, min(step, cell_last - cell), margin, ratio, width)
            if stop - x < size:
                present[:] = 0
                residuals[:] = 0
            together = True
            for s in range(end - begin):
                for b in range(bands):
                    upsample_line(then, (begin + s) * bands + b, row, cell, cells, ratio, fractions, centres, line)
                    scene = order[begin + s]
                    subtract(fine, scene, b, y, line, x, offset, stop - x, s, b * size, in_rows[0], in_rows[1])
                    together = together and same(present[s, 0], present[s, b])
            for p in range(days):
                total[:] = 0
                blended[:] = 0
                for s in range(first[p], last[p]):
                    n = offsets[p] + s - first[p]
                    if interpolate_down(shares, n, row, cell, cells, ratio, fractions, centres, 0):
                        spread(centres, cells, ratio, fractions, line)
                        _accumulate(line, s - begin, residuals, present, together, total, blended)
                for b in range(bands):
                    upsample_line(now, p * bands + b, row, cell, cells, ratio, fractions, centres, line)
                    norm = total[0] if together else total[b]
                    _estimate(line, offset, norm, blended[b], x, stop - x, out[p, b, y - top_row])


@compiled
def reblend_cells(sources: Sources, cells: Any, top_row: int, out: Any) -> None:
    """Evaluate ``cells`` again, where a day lacks coarse pixels that its scenes' days have, in the rows of ``out`` (p,
    b, r, W), which begins with row ``top_row``.

    There the coarse change ``C(t) - C(t_i)`` is formed first and upsampled from the corners that the day has, so that
    both sides of the difference rest on the same coarse pixels. cells: (c, 4) day, band, row and column of the cell
    between coarse centres (row, column) and (row + 1, column + 1), -1 = before the first.
    """
    fine, order, coarse_then, coarse_now, weights, grid = sources
    ratio, top, left, fractions = grid
    shares, offsets, first, last = weights
    _, _, height, width = out.shape
    rows, columns = coarse_now.shape[2:]
    change = np.empty((2, 2), np.float64)
    for c in range(len(cells)):
        p, b, row, column = cells[c]
        ys = row * ratio + ratio // 2 - top
        xs = column * ratio + ratio // 2 - left
        upper, lower = clamp(row, rows), clamp(row + 1, rows)
        west, east = clamp(column, columns), clamp(column + 1, columns)
        for y in range(max(ys, top_row), min(ys + ratio, top_row + height)):
            for x in range(max(xs, 0), min(xs + ratio, width)):
                down, along = float(fractions[y - ys]), float(fractions[x - xs])
                total, blended = 0.0, 0.0
                for s in range(first[p], last[p]):
                    value = float(fine[order[s], b, y, x])
                    weight = corner_mean(shares[offsets[p] + s - first[p]], upper, lower, west, east, down, along)
                    if not np.isfinite(value) or weight == 0.0:
                        continue
                    now, then = coarse_now[p, b], coarse_then[s, b]
                    change[0, 0] = now[upper, west] - then[upper, west]
                    change[0, 1] = now[upper, east] - then[upper, east]
                    change[1, 0] = now[lower, west] - then[lower, west]
                    change[1, 1] = now[lower, east] - then[lower, east]
                    total += weight
                    blended += weight * (value + corner_mean(change, 0, 1, 0, 1, down, along))
                out[p, b, y - top_row, x] = blended / total


@compiled
def upsample(images: Any, grid: BlendGrid, rows: Any, out: Any) -> None:
    """Fill ``out`` (k, r, W) with fine ``rows`` (r,) of ``U`` of coarse ``images`` (k, h', w')."""
    ratio, top, left, fractions = grid
    count, _, width = out.shape
    margin, first, last = cells_of(left, ratio, width)
    cells = last - first
    centres = np.empty((1, cells + 1), out.dtype)
    line = np.empty(cells * ratio + LANES, out.dtype)
    offset = margin - first * ratio
    for k in range(count):
        for index in range(len(rows)):
            row = rows[index] + margin_of(top, ratio)
            upsample_line(images, k, row, first, cells, ratio, fractions, centres, line)
            out[k, index] = line[offset : offset + width]


@compiled
def sample(images: Any, grid: BlendGrid, rows: Any, columns: Any, out: Any) -> None:
    """Fill ``out`` (k, r, c) with ``U`` of coarse ``images`` (k, h', w') at fine ``rows`` (r,) and ``columns`` (c,)."""
    ratio, top, left, fractions = grid
    height, width = images.shape[1:]
    beside, along = np.empty((2, len(columns)), np.intp), np.empty(len(columns), np.float64)
    for c in range(len(columns)):
        column = columns[c] + margin_of(left, ratio)
        beside[0, c], beside[1, c] = clamp(column // ratio - 1, width), clamp(column // ratio, width)
        along[c] = fractions[column % ratio]
    shares = np.empty((4, len(columns)), np.float64)
    for r in range(len(rows)):
        row = rows[r] + margin_of(top, ratio)
        upper, lower = clamp(row // ratio - 1, height), clamp(row // ratio, height)
        down = float(fractions[row % ratio])
        shares[0], shares[1] = (1.0 - down) * (1.0 - along), (1.0 - down) * along
        shares[2], shares[3] = down * (1.0 - along), down * along
        for k in range(len(images)):
            over, under, found = images[k, upper], images[k, lower], out[k, r]
            gaps = 0
            for c in range(len(columns)):
                west, east = beside[0, c], beside[1, c]
                value = 0.0 + shares[0, c] * over[west] + shares[1, c] * over[east]
                value += shares[2, c] * under[west]
                value += shares[3, c] * under[east]
                found[c] = value / (shares[0, c] + shares[1, c] + shares[2, c] + shares[3, c])
                gaps += 0 if np.isfinite(value) else 1
            for c in range(len(columns) if gaps else 0):
                if not np.isfinite(found[c]):
                    found[c] = corner_mean(images[k], upper, lower, beside[0, c], beside[1, c], down, along[c])
