"""The blend itself: eq. 2 of Senty et al. 2024 for all days of a season, row by row.

Rows are the unit of work: the residuals ``F_i - U(C(t_i))`` of a row are formed once and serve every day whose
window holds scene i. ``U`` is bilinear on cell centres with edge replication; where coarse corners are missing, the
finite ones share their weight, so that a missing coarse pixel leaves a hole only where all four corners are missing
(between missing neighbours, and in the outer quarter at a corner of the area). Every decision is taken per pixel or per
interpolation cell (the square between four coarse centres), so no number depends on where a strip, chunk or block of
the image begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.efast.operands import BlendGrid, DeviationEvidence, Layers, Sources

CHUNK = 512
"""Fine pixels of a row that are worked on together: a season's residuals of a chunk stay in the core's cache.

Chunks are whole interpolation cells. Cell 0 lies before the first coarse centre, cell k between centres k - 1 and k;
a fine pixel's place in this row of cells is its column, plus ``_margin``.
"""

LEAST_VARIANCE = 1e-7
"""Nothing goes below: reflectance of 16-bit data is not known better than 0.0003."""

NO_SCENE = 255
"""Days to the nearest scene where there is none."""

LANES = 16
"""Numbers that the widest registers take at once: short loops run over multiples of it, with room behind."""


@inlined
def _margin(halo: int, ratio: int) -> int:
    """Fine pixels from the beginning of cell 0 to the first fine pixel."""
    return halo + ratio - ratio // 2


@inlined
def _cells(halo: int, ratio: int, width: int) -> tuple[int, int, int]:
    """The margin, and the half-open range of cells that hold fine pixels."""
    margin = _margin(halo, ratio)
    return margin, margin // ratio, (margin + width - 1) // ratio + 1


@inlined
def _chunk(cell: int, cells: int, margin: int, ratio: int, width: int) -> tuple[int, int, int, int]:
    """Number of cells, first and last fine pixel (half-open), and the first one's place in the row of cells."""
    x = max(cell * ratio - margin, 0)
    return cells, x, min((cell + cells) * ratio - margin, width), x + margin - cell * ratio


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
def _centres(image: Any, row: int, cell: int, cells: int, ratio: int, fractions: Any, centres: Any) -> bool:
    """``image`` interpolated down to a fine row, at the coarse centres around ``cells`` cells; False = all zero."""
    height, width = image.shape
    upper, lower = _clamp(row // ratio - 1, height), _clamp(row // ratio, height)
    down = fractions[row % ratio]
    something = False
    for j in range(cells + 1):
        k = _clamp(cell - 1 + j, width)
        centres[j] = image[upper, k] + down * (image[lower, k] - image[upper, k])
        something = something or centres[j] != 0
    return something


@inlined
def _spread(centres: Any, cells: int, ratio: int, fractions: Any, out: Any) -> None:
    """From centres to the fine pixels of ``out`` (cells * ratio + LANES,).

    What a cell's loop writes beyond its own pixels, the next cell overwrites.
    """
    for k in range(cells):
        start = centres[k]
        step = centres[k + 1] - start
        pixel = np.uint64(k * ratio)
        for i in range(np.uint64(len(fractions))):
            out[pixel + i] = start + fractions[i] * step


@inlined
def _upsample(image: Any, row: int, cell: int, cells: int, ratio: int, fractions: Any, centres: Any, out: Any) -> None:
    """``U(image)`` of a fine row in ``out`` (see ``_spread``), from the finite corners where some are missing."""
    height, width = image.shape
    _centres(image, row, cell, cells, ratio, fractions, centres)
    _spread(centres, cells, ratio, fractions, out)
    for k in range(cells):
        if np.isnan(centres[k]) or np.isnan(centres[k + 1]):
            upper, lower = _clamp(row // ratio - 1, height), _clamp(row // ratio, height)
            west, east = _clamp(cell + k - 1, width), _clamp(cell + k, width)
            for i in range(ratio):
                out[k * ratio + i] = _corner_mean(image, upper, lower, west, east, fractions[row % ratio], fractions[i])


@inlined
def _subtract(pixels: Any, line: Any, x: int, offset: int, size: int, residuals: Any, present: Any) -> None:
    """Residuals and presence (1 or 0) of pixels ``x`` ... ``x + size``, from ``offset`` on in the row of cells."""
    zero, one = residuals.dtype.type(0), residuals.dtype.type(1)
    start, shift = np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        residual = pixels[start + i] - line[shift + i]
        here = abs(residual) < np.inf
        residuals[shift + i] = residual if here else zero
        present[shift + i] = one if here else zero


@inlined
def _same(present: Any, s: int, b: int) -> bool:
    """Band b of scene s is present in the pixels of its first band."""
    differ = 0
    for i in range(present.shape[2]):
        differ += 0 if present[s, b, i] == present[s, 0, i] else 1
    return differ == 0


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
def blend(sources: Sources, row_first: int, row_last: int, out: Any) -> None:
    """Fill rows ``row_first:row_last`` of ``out`` (p, b, H, W) with ``U(C(t)) + sum(U(w_i) R_i) / sum(U(w_i))``."""
    fine, order, coarse_then, coarse_now, weights, grid = sources
    ratio, top, left, fractions = grid
    shares, offsets, first, last = weights
    days, bands, _, width = out.shape
    begin, end = _span(first, last)
    dtype = out.dtype
    margin, cell_first, cell_last = _cells(left, ratio, width)
    step = min(max(1, CHUNK // ratio), cell_last - cell_first)
    size = step * ratio
    residuals = np.zeros((end - begin, bands, size), dtype)
    present = np.zeros((end - begin, bands, size), dtype)
    centres = np.empty(step + 1, dtype)
    line = np.empty(size + LANES, dtype)
    total = np.empty((bands, size), dtype)
    blended = np.empty((bands, size), dtype)
    for y in range(row_first, row_last):
        row = y + _margin(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = _chunk(cell, min(step, cell_last - cell), margin, ratio, width)
            if stop - x < size:
                present[:] = 0
                residuals[:] = 0
            together = True
            for s in range(end - begin):
                for b in range(bands):
                    _upsample(coarse_then[begin + s, b], row, cell, cells, ratio, fractions, centres, line)
                    pixels = fine[order[begin + s], b, y]
                    _subtract(pixels, line, x, offset, stop - x, residuals[s, b], present[s, b])
                    together = together and _same(present, s, b)
            for p in range(days):
                total[:] = 0
                blended[:] = 0
                for s in range(first[p], last[p]):
                    weight = shares[offsets[p] + s - first[p]]
                    if _centres(weight, row, cell, cells, ratio, fractions, centres):
                        _spread(centres, cells, ratio, fractions, line)
                        _accumulate(line, s - begin, residuals, present, together, total, blended)
                for b in range(bands):
                    _upsample(coarse_now[p, b], row, cell, cells, ratio, fractions, centres, line)
                    norm = total[0] if together else total[b]
                    _estimate(line, offset, norm, blended[b], x, stop - x, out[p, b, y])


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
def reblend_cells(sources: Sources, cells: Any, out: Any) -> None:
    """Evaluate ``cells`` again, where a day lacks coarse pixels that its scenes' days have.

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
        upper, lower = _clamp(row, rows), _clamp(row + 1, rows)
        west, east = _clamp(column, columns), _clamp(column + 1, columns)
        for y in range(max(ys, 0), min(ys + ratio, height)):
            for x in range(max(xs, 0), min(xs + ratio, width)):
                down, along = float(fractions[y - ys]), float(fractions[x - xs])
                total, blended = 0.0, 0.0
                for s in range(first[p], last[p]):
                    value = float(fine[order[s], b, y, x])
                    weight = _corner_mean(shares[offsets[p] + s - first[p]], upper, lower, west, east, down, along)
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


@compiled
def assess(evidence: DeviationEvidence, row_first: int, row_last: int, layers: Layers) -> None:
    """Fill rows ``row_first:row_last`` of ``layers`` with what each day's estimate rests on (``uncertainty``)."""
    departures, squares, seen, lags, noise, drift, values, weights, grid = evidence
    nearest, effective, deviation = layers
    ratio, top, left, fractions = grid
    shares, offsets, first, last = weights
    days, bands, _, width = values.shape
    dtype = departures.dtype
    margin, cell_first, cell_last = _cells(left, ratio, width)
    step = min(max(1, CHUNK // ratio), cell_last - cell_first)
    size = step * ratio
    centres = np.empty(step + 1, dtype)
    line = np.empty(size + LANES, dtype)
    sums = np.empty((9, size), dtype)
    tallies = np.empty((bands, 3, size), dtype)
    for y in range(row_first, row_last):
        row = y + _margin(top, ratio)
        for cell in range(cell_first, cell_last, step):
            cells, x, stop, offset = _chunk(cell, min(step, cell_last - cell), margin, ratio, width)
            for p in range(days):
                sums[:] = 0
                sums[8] = np.inf
                tallies[:] = 0
                before = dtype.type(0)
                for s in range(first[p], last[p]):
                    weight = shares[offsets[p] + s - first[p]]
                    if not _centres(weight, row, cell, cells, ratio, fractions, centres):
                        continue
                    _spread(centres, cells, ratio, fractions, line)
                    lag = dtype.type(lags[p, s])
                    _tally(line, offset, seen[s, y], x, stop - x, lag, before, sums)
                    before = lag
                    for b in range(bands):
                        _tally_band(line, offset, departures[s, b, y], squares[s, b, y], x, stop - x, lag, tallies[b])
                _conclude(sums, offset, before, x, stop - x, nearest[p, y], effective[p, y])
                for b in range(bands):
                    _upsample(noise[p, b], row, cell, cells, ratio, fractions, centres, line)
                    known, out = values[p, b, y], deviation[p, b, y]
                    _conclude_band(line, sums, tallies[b], drift[b], offset, x, stop - x, known, out)


@inlined
def _tally(line: Any, offset: int, seen: Any, x: int, size: int, lag: Any, before: Any, sums: Any) -> None:
    """Weight the scene's pixels in ``line``, and add them to the sums that all bands share.

    Sums: w; w^2; w lag; w lag^2; w^2 lag; w^2 lag^2; the integrals over time of W^2 and, after the day, of W, with W
    the sum of weights so far; days to the nearest scene. before: lag of the scene before.
    """
    start, shift = np.uint64(x), np.uint64(offset)
    zero = lag - lag
    passed, later = lag - before, max(lag, zero) - max(before, zero)
    for i in range(np.uint64(size)):
        weight = line[shift + i] * seen[start + i]
        line[shift + i] = weight
        so_far, squared = sums[0, shift + i], weight * weight
        sums[0, shift + i] = so_far + weight
        sums[1, shift + i] += squared
        sums[2, shift + i] += weight * lag
        sums[3, shift + i] += weight * lag * lag
        sums[4, shift + i] += squared * lag
        sums[5, shift + i] += squared * lag * lag
        sums[6, shift + i] += so_far * so_far * passed
        sums[7, shift + i] += so_far * later
        nearest = sums[8, shift + i]
        sums[8, shift + i] = abs(lag) if (weight > 0) & (abs(lag) < nearest) else nearest


@inlined
def _tally_band(
    line: Any, offset: int, departures: Any, squares: Any, x: int, size: int, lag: Any, tallies: Any
) -> None:
    start, shift = np.uint64(x), np.uint64(offset)
    for i in range(np.uint64(size)):
        weight = line[shift + i]
        part = weight * departures[start + i]
        tallies[0, shift + i] += part
        tallies[1, shift + i] += part * lag
        tallies[2, shift + i] += weight * weight * squares[start + i]


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
    noise: Any, sums: Any, tallies: Any, drift: Any, offset: int, x: int, size: int, known: Any, out: Any
) -> None:
    """The deviation; a slope is estimated from scenes whose lags have a variance of a day or more."""
    start, shift, zero = np.uint64(x), np.uint64(offset), drift - drift
    least = sums.dtype.type(LEAST_VARIANCE)
    for i in range(np.uint64(size)):
        s = shift + i
        total, mean, variance = sums[0, s], sums[2, s], sums[3, s]
        own = tallies[2, s] / (total * total)
        slope = (tallies[1, s] - mean * tallies[0, s]) / (total * variance)
        excess = slope * slope - own * sums[4, s]
        bias = excess * mean * mean if (excess > 0) & (variance >= 1) else zero
        square = noise[s] + own + bias + drift * sums[6, s]
        deviation = np.sqrt(least if square < least else square)
        out[start + i] = deviation if known[start + i] == known[start + i] else np.nan


@compiled
def upsample(images: Any, grid: BlendGrid, rows: Any, out: Any) -> None:
    """Fill ``out`` (k, r, W) with fine ``rows`` (r,) of ``U`` of coarse ``images`` (k, h', w')."""
    ratio, top, left, fractions = grid
    count, _, width = out.shape
    margin, first, last = _cells(left, ratio, width)
    cells = last - first
    centres = np.empty(cells + 1, out.dtype)
    line = np.empty(cells * ratio + LANES, out.dtype)
    offset = margin - first * ratio
    for k in range(count):
        for index in range(len(rows)):
            row = rows[index] + _margin(top, ratio)
            _upsample(images[k], row, first, cells, ratio, fractions, centres, line)
            out[k, index] = line[offset : offset + width]
