"""Cutting an area into blocks whose fusion gives the same numbers as the whole, bit for bit.

A fine pixel depends on the four coarse centres around it, so a block needs one coarse pixel more on every side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from satfusion_assets.fusion.efast.inputs import Images

HALO = 1
"""Coarse pixels on every side that a block looks at without predicting them."""


@dataclass(frozen=True)
class Block:
    """A rectangle of coarse pixels: ``rows`` and ``columns`` are predicted, ``wide_*`` are looked at."""

    rows: slice
    columns: slice
    wide_rows: slice
    wide_columns: slice

    def fine(self, ratio: int) -> tuple[slice, slice]:
        """Rows and columns of the fine pixels that are predicted."""
        return _scaled(self.rows, ratio), _scaled(self.columns, ratio)

    @property
    def halo(self) -> tuple[int, int]:
        """Coarse pixels above and left of the predicted ones."""
        return self.rows.start - self.wide_rows.start, self.columns.start - self.wide_columns.start


def blocks(height: int, width: int, rows: int, columns: int) -> Iterator[Block]:
    """Blocks of at most ``rows`` x ``columns`` coarse pixels that tile an area of ``height`` x ``width``."""
    for row in range(0, height, rows):
        for column in range(0, width, columns):
            inner_rows, wide_rows = _cut(row, rows, height)
            inner_columns, wide_columns = _cut(column, columns, width)
            yield Block(inner_rows, inner_columns, wide_rows, wide_columns)


def around(row: int, column: int, ratio: int, halo: int, height: int, width: int) -> Block:
    """The block of coarse pixels, of ``height`` x ``width``, under the 3x3 window at a fine pixel and ``halo`` more."""
    places = []
    for pixel, size in ((row, height), (column, width)):
        first = max((pixel - 1) // ratio - halo, 0)
        places.append(_cut(first, min((pixel + 1) // ratio + halo + 1, size) - first, size))
    (rows, wide_rows), (columns, wide_columns) = places
    return Block(rows, columns, wide_rows, wide_columns)


def cut(images: Images, block: Block, ratio: int) -> Images:
    """The images of one block: fine pixels that are predicted, coarse pixels with their halo."""
    rows, columns = block.fine(ratio)
    return Images(
        images.coarse[..., block.wide_rows, block.wide_columns],
        images.coarse_days,
        images.fine[..., rows, columns],
        images.fine_days,
        images.order,
        images.cloud_distance[..., block.wide_rows, block.wide_columns],
    )


def _cut(start: int, size: int, limit: int) -> tuple[slice, slice]:
    stop = min(start + size, limit)
    return slice(start, stop), slice(max(start - HALO, 0), min(stop + HALO, limit))


def _scaled(part: slice, ratio: int) -> slice:
    return slice(part.start * ratio, part.stop * ratio)
