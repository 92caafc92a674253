"""The valid window: one per scenario, the bounding box of every pixel that was ever fused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

VALID_ABOVE: Final = 0.001
"""A pixel counts when it is finite and above this value (reflectance or GCC)."""


@dataclass(frozen=True)
class Window:
    """Rows and columns of the fine grid, half open."""

    row: int
    col: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    def cut(self, fine: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """This window of a fine raster (..., H, W), as a view."""
        return fine[(..., *self.slices)]

    def coarse_places(self, ratio: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Row and column of the coarse pixel that each fine row and column lies in."""
        return np.arange(self.row, self.row + self.height) // ratio, np.arange(self.col, self.col + self.width) // ratio


def valid_pixels(images: Iterable[npt.NDArray[np.floating]], shape: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Pixels (H, W) of ``shape`` that are valid on any day in any band of ``images``, each (b, H, W)."""
    valid = np.zeros(tuple(shape), bool)
    for image in images:
        valid |= (np.isfinite(image) & (image > VALID_ABOVE)).any(axis=0)
        if valid.all():
            break
    return valid


def valid_window(valid: npt.NDArray[np.bool_]) -> Window | None:
    """Bounding box of the valid pixels (H, W); None when there is none."""
    rows, cols = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    if not rows.size:
        return None
    row, col = int(rows[0]), int(cols[0])
    return Window(row, col, int(rows[-1]) - row + 1, int(cols[-1]) - col + 1)
