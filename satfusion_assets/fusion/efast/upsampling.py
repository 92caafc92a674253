"""``U``: from coarse pixels to fine ones, bilinear on cell centres (Senty et al. 2024, section 2.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast import kernels
from satfusion_assets.fusion.efast.operands import BlendGrid
from satfusion_assets.fusion.efast.rows import LANES


def coarse_grid(ratio: int, top: int, left: int, dtype: np.dtype[Any]) -> BlendGrid:
    """The coarse grid that begins ``top`` and ``left`` fine pixels before the fine one, for images of ``dtype``."""
    fractions = np.zeros(-(-ratio // LANES) * LANES, dtype)
    fractions[:ratio] = (np.arange(ratio) + ratio // 2 + 0.5) / ratio - 0.5
    return BlendGrid(ratio, top, left, fractions)


def upsample(
    images: NDArray[np.floating[Any]], grid: BlendGrid, rows: NDArray[np.intp], width: int
) -> NDArray[np.floating[Any]]:
    """Fine ``rows`` (r,) of coarse images (..., h, w), ``width`` pixels each: (..., r, width).

    Edges replicate; where some corners of a cell are missing the finite ones share their weight.
    """
    out = np.empty((*images.shape[:-2], len(rows), width), images.dtype)
    kernels.upsample(images.reshape(-1, *images.shape[-2:]), grid, rows, out.reshape(-1, len(rows), width))
    return out


def sample(
    images: NDArray[np.floating[Any]], grid: BlendGrid, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.floating[Any]]:
    """The same at the pixels of a lattice alone, fine ``rows`` (r,) times ``columns`` (c,): (..., r * c)."""
    out = np.empty((*images.shape[:-2], len(rows) * len(columns)), images.dtype)
    kernels.sample(
        images.reshape(-1, *images.shape[-2:]), grid, rows, columns, out.reshape(-1, len(rows), len(columns))
    )
    return out
