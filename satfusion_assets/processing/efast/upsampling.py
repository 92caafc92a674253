"""``U``: from coarse pixels to fine ones, bilinear on cell centres (Senty et al. 2024, section 2.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast import kernels


def cell_fractions(ratio: int, dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
    """(ratio,) weights of the second coarse centre at the fine pixels of an interpolation cell."""
    return ((np.arange(ratio) + ratio // 2 + 0.5) / ratio - 0.5).astype(dtype)


def upsample(
    images: NDArray[np.floating[Any]], ratio: int, top: int, left: int, shape: tuple[int, int]
) -> NDArray[np.floating[Any]]:
    """Coarse images (..., h, w) on the fine grid (..., *shape), which begins ``top`` and ``left`` fine pixels inside.

    Edges replicate; where some corners of a cell are missing the finite ones share their weight.
    """
    out = np.empty((*images.shape[:-2], *shape), images.dtype)
    flat = images.reshape(-1, *images.shape[-2:])
    kernels.upsample(flat, ratio, cell_fractions(ratio, images.dtype), top, left, out.reshape(-1, *shape))
    return out
