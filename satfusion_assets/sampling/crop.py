"""The valid window: one per scenario, the bounding box of every pixel that was ever fused."""

from __future__ import annotations

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

    def cut_coarse(self, coarse: npt.NDArray[Any], ratio: int) -> npt.NDArray[Any]:
        """This window of a coarse raster (..., h, w) on the fine grid, by nearest neighbour; its pixels lie in the
        order of their axes, as writers want them.
        """
        rows = np.arange(self.row, self.row + self.height) // ratio
        cols = np.arange(self.col, self.col + self.width) // ratio
        return coarse.take(cols, axis=-1).take(rows, axis=-2)


def valid_pixels(values: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Pixels (H, W) that are valid on any day in any band of ``values`` (..., H, W); unite days with ``|``."""
    valid = np.zeros(values.shape[-2:], bool)
    for image in values.reshape(-1, *values.shape[-2:]):  # a season's flags at once would be a third of its images
        valid |= np.isfinite(image) & (image > VALID_ABOVE)
    return valid


def valid_window(valid: npt.NDArray[np.bool_]) -> Window | None:
    """Bounding box of the valid pixels (H, W); None when there is none."""
    rows, cols = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    if not rows.size:
        return None
    row, col = int(rows[0]), int(cols[0])
    return Window(row, col, int(rows[-1]) - row + 1, int(cols[-1]) - col + 1)
