"""The pixels of deflated blocks, which are inflated for their checksum anyway (TIFF 6.0, sections 14 and 15).

GDAL would open the file once more and inflate every block a second time. It still reads every other form: packed,
big-endian, not deflated, or of a predictor that is another or is not told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

_DEFLATE: Final = frozenset({"DEFLATE", "ADOBE_DEFLATE"})
_DIFFERENCES: Final = "2"
"""Predictor: each pixel as its difference from its left neighbour, as all of the archive's files have it."""
_LITTLE_ENDIAN: Final = b"II"

Blocks = Mapping[tuple[int, int], bytes]
"""Inflated blocks by row and column; those that the file does not have are missing."""


@dataclass(frozen=True)
class BlockForm:
    """How a file of one band holds its pixels.

    shape: rows and columns of a block. size: rows and columns of the file. bytes: of a block's pixels. plain: inflated
    bytes are the differences of neighbouring pixels. missing: what a block that is not there stands for.
    """

    dtype: str
    shape: tuple[int, int]
    size: tuple[int, int]
    bytes: int
    deflated: bool
    plain: bool
    missing: int


def block_form(dataset: DatasetReader, dtype: str) -> BlockForm:
    """Of a local ``dataset`` of one band of ``dtype``; bands may be packed (15 bits a pixel), rows to whole bytes."""
    height, width = dataset.block_shapes[0]
    packed = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", "")
    bits = int(packed) if packed.isdecimal() else 8 * np.dtype(dtype).itemsize
    deflated = str(dataset.compression.value if dataset.compression else "").upper() in _DEFLATE
    differences = dataset.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR") == _DIFFERENCES
    with Path(dataset.name).open("rb") as file:
        little_endian = file.read(len(_LITTLE_ENDIAN)) == _LITTLE_ENDIAN
    missing = dataset.nodata or 0.0
    fits = missing in range(np.iinfo(dtype).max + 1)
    return BlockForm(
        dtype=dtype,
        shape=(height, width),
        size=(dataset.height, dataset.width),
        bytes=height * math.ceil(width * bits / 8),
        deflated=deflated,
        plain=deflated and little_endian and differences and fits and not packed,
        missing=int(missing) if fits else 0,
    )


def assemble(blocks: Blocks, form: BlockForm, window: tuple[int, int, int, int]) -> NDArray[Any]:
    """The pixels (H, W) of ``window`` (row, column, H, W), which lies in the file; ValueError for a block cut short."""
    top, left, height, width = window
    values = np.full((height, width), form.missing, form.dtype)
    for (row, column), content in blocks.items():
        first_row, first_column = row * form.shape[0], column * form.shape[1]
        pixels = np.frombuffer(content, np.dtype(form.dtype).newbyteorder("<"))
        rows = min(form.shape[0], form.size[0] - first_row)  # a last strip has no more, a last tile is filled up
        if len(pixels) < rows * form.shape[1]:
            raise ValueError("has a block without all of its pixels")
        pixels = pixels[: rows * form.shape[1]].reshape(rows, form.shape[1])
        inside = slice(max(top - first_row, 0), top + height - first_row)
        pixels = np.cumsum(pixels[inside, : left + width - first_column], axis=1, dtype=form.dtype)
        pixels = pixels[:, max(left - first_column, 0) :]
        at_row, at_column = max(first_row - top, 0), max(first_column - left, 0)
        values[at_row : at_row + pixels.shape[0], at_column : at_column + pixels.shape[1]] = pixels
    return values
