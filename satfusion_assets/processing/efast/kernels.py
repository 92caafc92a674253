"""The blend itself: eq. 2 of Senty et al. 2024 for all days of a season, row by row.

Rows are the unit of work: the residuals ``F_i - U(C(t_i))`` of a row are formed once and serve every day whose
window holds scene i. ``U`` is bilinear on cell centres with edge replication; where coarse corners are missing, the
finite ones share their weight. Every decision is taken per pixel or per interpolation cell (the square between four
coarse centres), so no number depends on where a strip, chunk or block of the image begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.processing.efast.compiled import compiled, inlined

CHUNK = 512
"""Fine pixels of a row that are worked on together: a season's residuals of a chunk stay in the core's cache."""


@inlined
def _cell(position: int, ratio: int) -> tuple[int, int]:
    """Interpolation cell (-1 = before the first coarse centre) of a fine position, and the position within it."""
    shifted = position + ratio - ratio // 2
    return shifted // ratio - 1, shifted % ratio


@inlined
def _clamp(index: int, size: int) -> int:
    return min(max(index, 0), size - 1)


@inlined
def _corner_mean(image: Any, upper: int, lower: int, left: int, right: int, down: float, along: float) -> float:
    """Bilinear through the finite corners of a cell; their plain mean where none has weight; NaN without any."""
    total, value, plain, count = 0.0, 0.0, 0.0, 0
    for side in range(4):
        corner = image[upper if side < 2 else lower, left if side % 2 == 0 else right]
        if np.isfinite(corner):
            weight = (1.0 - down if side < 2 else down) * (1.0 - along if side % 2 == 0 else along)
            total += weight
            value += weight * corner
            plain += corner
            count += 1
    if total > 0.0:
        return value / total
    return plain / count if count else np.nan


@inlined
def _upsample(image: Any, row: int, column: int, ratio: int, fractions: Any, centres: Any, out: Any) -> None:
    """``U(image)`` along ``out``, whose first pixel is fine (row, column) of the coarse image's grid."""
    height, width = image.shape
    above, phase = _cell(row, ratio)
    upper, lower = _clamp(above, height), _clamp(above + 1, height)
    down = fractions[phase]
    first = _cell(column, ratio)[0]
    last = _cell(column + len(out) - 1, ratio)[0] + 1
    for j in range(last - first + 1):
        k = _clamp(first + j, width)
        centres[j] = image[upper, k] + down * (image[lower, k] - image[upper, k])
    x = 0
    while x < len(out):
        cell, phase = _cell(column + x, ratio)
        size = min(ratio - phase, len(out) - x)
        left = centres[cell - first]
        right = centres[cell - first + 1]
        if np.isfinite(left) and np.isfinite(right):
            step = right - left
            for i in range(size):
                out[x + i] = left + fractions[phase + i] * step
        else:
            west, east = _clamp(cell, width), _clamp(cell + 1, width)
            for i in range(size):
                out[x + i] = _corner_mean(image, upper, lower, west, east, down, fractions[phase + i])
        x += size


@inlined
def _residuals(
    fine: Any,
    order: Any,
    coarse: Any,
    first: int,
    last: int,
    y: int,
    x: int,
    top: int,
    left: int,
    ratio: int,
    fractions: Any,
    centres: Any,
    line: Any,
    residuals: Any,
    present: Any,
) -> bool:
    """``F_i - U(C(t_i))`` and presence (1 or 0) of a chunk of a row; whether all bands are present together."""
    bands = fine.shape[1]
    together = True
    for s in range(first, last):
        for b in range(bands):
            _upsample(coarse[s, b], y + top, x + left, ratio, fractions, centres, line)
            pixels = fine[order[s], b, y, x : x + len(line)]
            differ = 0
            for i in range(len(line)):
                residual = pixels[i] - line[i]
                here = np.isfinite(residual)
                residuals[s - first, b, i] = residual if here else 0.0
                present[s - first, b, i] = 1.0 if here else 0.0
                differ += present[s - first, b, i] != present[s - first, 0, i]
            together = together and differ == 0
    return together


@inlined
def _accumulate(weights: Any, residuals: Any, present: Any, together: bool, total: Any, blended: Any) -> None:
    """Add one scene: weights (x,), residuals and present (b, x) to total and blended (b, x)."""
    bands, width = residuals.shape
    if together:
        for i in range(width):
            weights[i] *= present[0, i]
            total[0, i] += weights[i]
        for b in range(bands):
            for i in range(width):
                blended[b, i] += weights[i] * residuals[b, i]
    else:
        for b in range(bands):
            for i in range(width):
                total[b, i] += weights[i] * present[b, i]
                blended[b, i] += weights[i] * present[b, i] * residuals[b, i]


@compiled
def blend(
    fine: Any,
    order: Any,
    coarse_then: Any,
    coarse_now: Any,
    weights: Any,
    offsets: Any,
    first: Any,
    last: Any,
    top: int,
    left: int,
    ratio: int,
    fractions: Any,
    row_first: int,
    row_last: int,
    out: Any,
) -> None:
    """Fill rows ``row_first:row_last`` of ``out`` (p, b, H, W) with ``U(C(t)) + sum(U(w_i) R_i) / sum(U(w_i))``.

    fine: (n, b, H, W), scene s of the sorted days at ``order[s]``. coarse_then: (n, b, h', w') on scene days.
    coarse_now: (p, b, h', w') on prediction days. weights: (k, h', w'), those of day p from ``offsets[p]`` on, for
    the scenes ``first[p]:last[p]``. The coarse grid begins ``top`` and ``left`` fine pixels before the fine one.
    """
    days, bands, _, width = out.shape
    begin, end = _span(first, last)
    dtype = out.dtype
    residuals = np.empty((end - begin, bands, CHUNK), dtype)
    present = np.empty((end - begin, bands, CHUNK), dtype)
    centres = np.empty(CHUNK // ratio + 3, dtype)
    line = np.empty(CHUNK, dtype)
    total = np.empty((bands, CHUNK), dtype)
    blended = np.empty((bands, CHUNK), dtype)
    for y in range(row_first, row_last):
        for x in range(0, width, CHUNK):
            size = min(CHUNK, width - x)
            u = line[:size]
            together = _residuals(
                fine, order, coarse_then, begin, end, y, x, top, left, ratio, fractions, centres, u, residuals, present
            )
            for p in range(days):
                total[:] = 0
                blended[:] = 0
                for s in range(first[p], last[p]):
                    weight = weights[offsets[p] + s - first[p]]
                    _upsample(weight, y + top, x + left, ratio, fractions, centres, u)
                    r, m = residuals[s - begin, :, :size], present[s - begin, :, :size]
                    _accumulate(u, r, m, together, total[:, :size], blended[:, :size])
                for b in range(bands):
                    norm = total[0] if together else total[b]
                    _upsample(coarse_now[p, b], y + top, x + left, ratio, fractions, centres, u)
                    for i in range(size):
                        out[p, b, y, x + i] = u[i] + blended[b, i] / norm[i]


@inlined
def _span(first: Any, last: Any) -> tuple[int, int]:
    """The scenes that any day uses."""
    begin, end = 0, 0
    for p in range(len(first)):
        if last[p] > first[p]:
            begin = first[p] if end == 0 else min(begin, first[p])
            end = max(end, last[p])
    return begin, end


@compiled
def reblend_cells(
    fine: Any,
    order: Any,
    coarse_then: Any,
    coarse_now: Any,
    weights: Any,
    offsets: Any,
    first: Any,
    last: Any,
    top: int,
    left: int,
    ratio: int,
    fractions: Any,
    cells: Any,
    out: Any,
) -> None:
    """Evaluate ``cells`` again, where a day lacks coarse pixels that its scenes' days have.

    There the coarse change ``C(t) - C(t_i)`` is formed first and upsampled from the corners that the day has, so that
    both sides of the difference rest on the same coarse pixels. cells: (c, 4) day, band, row and column of the cell
    between coarse centres (row, column) and (row + 1, column + 1), -1 = before the first. Other arguments: ``blend``.
    """
    _, _, height, width = out.shape
    rows, columns = coarse_now.shape[2:]
    change = np.empty((2, 2), np.float64)
    half = ratio // 2
    for c in range(len(cells)):
        p, b, row, column = cells[c]
        ys = row * ratio + half - top
        xs = column * ratio + half - left
        upper, lower = _clamp(row, rows), _clamp(row + 1, rows)
        west, east = _clamp(column, columns), _clamp(column + 1, columns)
        for y in range(max(ys, 0), min(ys + ratio, height)):
            for x in range(max(xs, 0), min(xs + ratio, width)):
                down, along = float(fractions[y - ys]), float(fractions[x - xs])
                total, blended = 0.0, 0.0
                for s in range(first[p], last[p]):
                    value = float(fine[order[s], b, y, x])
                    weight = _corner_mean(weights[offsets[p] + s - first[p]], upper, lower, west, east, down, along)
                    if not np.isfinite(value) or weight == 0.0:
                        continue
                    now, then = coarse_now[p, b], coarse_then[s, b]
                    change[0, 0] = now[upper, west] - then[upper, west]
                    change[0, 1] = now[upper, east] - then[upper, east]
                    change[1, 0] = now[lower, west] - then[lower, west]
                    change[1, 1] = now[lower, east] - then[lower, east]
                    total += weight
                    blended += weight * (value + _corner_mean(change, 0, 1, 0, 1, down, along))
                out[p, b, y, x] = blended / total
