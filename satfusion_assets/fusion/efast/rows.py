"""A fine row, cell by cell: where its pixels lie between coarse centres, and what is interpolated to them.

``U`` is bilinear on cell centres with edge replication; where coarse corners are missing, the finite ones share their
weight, so that a missing coarse pixel leaves a hole only where all four corners are missing (between missing
neighbours, and in the outer quarter at a corner of the area).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import inlined

CHUNK = 512
"""Fine pixels of a row that are worked on together: a season's residuals of a chunk stay in the core's cache.

Chunks are whole interpolation cells. Cell 0 lies before the first coarse centre, cell k between centres k - 1 and k;
a fine pixel's place in this row of cells is its column, plus ``margin_of``.
"""

LANES = 16
"""Numbers that the widest registers take at once: short loops run over multiples of it, with room behind."""


@inlined
def margin_of(halo: int, ratio: int) -> int:
    """Fine pixels from the beginning of cell 0 to the first fine pixel."""
    return halo + ratio - ratio // 2


@inlined
def cells_of(halo: int, ratio: int, width: int) -> tuple[int, int, int]:
    """The margin, and the half-open range of cells that hold fine pixels."""
    margin = margin_of(halo, ratio)
    return margin, margin // ratio, (margin + width - 1) // ratio + 1


@inlined
def chunk_of(cell: int, cells: int, margin: int, ratio: int, width: int) -> tuple[int, int, int, int]:
    """Number of cells, first and last fine pixel (half-open), and the first one's place in the row of cells."""
    x = max(cell * ratio - margin, 0)
    return cells, x, min((cell + cells) * ratio - margin, width), x + margin - cell * ratio


@inlined
def clamp(index: int, size: int) -> int:
    return min(max(index, 0), size - 1)


@inlined
def corner_mean(image: Any, upper: int, lower: int, left: int, right: int, down: float, along: float) -> float:
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
def in_one(images: Any) -> Any:
    """Images (n, b, h, w) one after another: (n * b, h, w)."""
    n, bands, height, width = images.shape
    return images.reshape(n * bands, height, width)


@inlined
def interpolate_down(
    images: Any, n: int, row: int, cell: int, cells: int, ratio: int, fractions: Any, centres: Any, k: int
) -> bool:
    """Image n of ``images`` interpolated down to a fine row, at the coarse centres around ``cells`` cells, into row k
    of ``centres``; False = all zero.

    Whole arrays and places in them, here and below: to count who uses a part that was cut out takes as long as its use.
    """
    _, height, width = images.shape
    upper, lower = clamp(row // ratio - 1, height), clamp(row // ratio, height)
    down = fractions[row % ratio]
    # Centres beyond the area repeat its last ones; those inside lie one after another.
    first, last = max(1 - cell, 0), min(cells, width - cell) + 1
    for j in range(first, last):
        at = np.uint64(cell - 1 + j)
        centres[k, j] = images[n, upper, at] + down * (images[n, lower, at] - images[n, upper, at])
    for j in range(first):
        centres[k, j] = centres[k, first]
    for j in range(last, cells + 1):
        centres[k, j] = centres[k, last - 1]
    something = False
    for j in range(cells + 1):
        something = something or centres[k, j] != 0
    return something


@inlined
def spread(centres: Any, cells: int, ratio: int, fractions: Any, out: Any) -> None:
    """From the first row of ``centres`` to the fine pixels of ``out`` (cells * ratio + LANES,).

    What a cell's loop writes beyond its own pixels, the next cell overwrites.
    """
    for k in range(cells):
        start = centres[0, k]
        step = centres[0, k + 1] - start
        pixel = np.uint64(k * ratio)
        for i in range(np.uint64(len(fractions))):
            out[pixel + i] = start + fractions[i] * step


@inlined
def upsample_line(
    images: Any, n: int, row: int, cell: int, cells: int, ratio: int, fractions: Any, centres: Any, out: Any
) -> None:
    """``U`` of image n, a fine row of it, in ``out`` (see ``spread``), from the finite corners where some are
    missing."""
    _, height, width = images.shape
    interpolate_down(images, n, row, cell, cells, ratio, fractions, centres, 0)
    spread(centres, cells, ratio, fractions, out)
    for k in range(cells):
        if np.isnan(centres[0, k]) or np.isnan(centres[0, k + 1]):
            upper, lower = clamp(row // ratio - 1, height), clamp(row // ratio, height)
            west, east = clamp(cell + k - 1, width), clamp(cell + k, width)
            for i in range(ratio):
                out[k * ratio + i] = corner_mean(
                    images[n], upper, lower, west, east, fractions[row % ratio], fractions[i]
                )


@inlined
def subtract(
    fine: Any,
    scene: int,
    band: int,
    y: int,
    line: Any,
    x: int,
    offset: int,
    size: int,
    s: int,
    first: int,
    residuals: Any,
    present: Any,
) -> None:
    """Residuals and presence (1 or 0) of pixels ``x`` ... ``x + size`` of a row of fine images: in row s, from
    ``first + offset`` on."""
    zero, one = residuals.dtype.type(0), residuals.dtype.type(1)
    start, shift, out = np.uint64(x), np.uint64(offset), np.uint64(first + offset)
    for i in range(np.uint64(size)):
        residual = fine[scene, band, y, start + i] - line[shift + i]
        here = abs(residual) < np.inf
        residuals[s, out + i] = residual if here else zero
        present[s, out + i] = one if here else zero


@inlined
def same(first: Any, second: Any) -> bool:
    """Two bands are present in the same pixels."""
    differ = 0
    for i in range(len(first)):
        differ += 0 if first[i] == second[i] else 1
    return differ == 0


@inlined
def span(first: Any, last: Any) -> tuple[int, int]:
    """The scenes that any day uses."""
    begin, end = 0, 0
    for p in range(len(first)):
        if last[p] > first[p]:
            begin = first[p] if end == 0 else min(begin, first[p])
            end = max(end, last[p])
    return begin, end
