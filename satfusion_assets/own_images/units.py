"""Whether all images of a folder are in one unit: digital numbers and reflectance together mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.own_images.folder_images import FolderImages, Rasters
from satfusion_assets.vocabulary.errors import InvalidInput

BEYOND_REFLECTANCE: Final = 3.0
"""Above the reflectance of any ground, snow in low sun and the rim of clouds included; GCC is below 1."""
LEAST_WHOLE: Final = 1.0
"""Least digital number that is a measurement: a dark image among digital numbers has 1, and is in their unit."""
OTHER_UNIT: Final = 30.0
"""Least ratio of two levels that no ground explains; percent is 100 and digital numbers are 10 000 times as much as
reflectance, snow about ten times as much as what it covers."""
_WINDOWS: Final = 3
"""Windows looked at along each side of an image."""
_PIXELS: Final = 16
"""Pixels of a window's side."""


def refuse_two_units(images: FolderImages, threads: int) -> None:
    """InvalidInput names an image that lies beyond reflectance, and one that does not, when both are there."""
    paths = (*images.scenes.paths, *images.composites.paths)
    levels = np.concatenate([_levels(images.scenes, threads), _levels(images.composites, threads)])
    high = levels > BEYOND_REFLECTANCE
    low = (levels > 0) & (levels < LEAST_WHOLE)
    if not high.any() or not low.any() or np.median(levels[high]) < OTHER_UNIT * np.median(levels[low]):
        return
    raise InvalidInput(
        f"{_about(paths, levels, high)} and {_about(paths, levels, low)}: they are not in one unit. Give whole numbers "
        f"their scale and offset, missing pixels their nodata value, and all images one unit."
    )


def _about(paths: tuple[Path, ...], levels: NDArray[np.float64], which: NDArray[np.bool_]) -> str:
    first = int(np.flatnonzero(which)[0])
    return f"{paths[first]} holds values about {levels[first]:.3g}"


def _levels(rasters: Rasters, threads: int) -> NDArray[np.float64]:
    """(k,) the median magnitude of each image, of windows spread over it; 0 where nothing there is known."""
    height, width = rasters.geobox.shape
    seen = [
        rasters.read(rows, columns, range(len(rasters.paths)), threads).reshape(len(rasters.paths), -1)
        for rows in _windows(height)
        for columns in _windows(width)
    ]
    return np.array([_median(np.abs(one)) for one in np.concatenate(seen, axis=1)])


def _median(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 0.0


def _windows(length: int) -> list[slice]:
    """Up to ``_WINDOWS`` windows from one end of a side to the other."""
    size = min(_PIXELS, length)
    return [slice(start, start + size) for start in np.unique(np.linspace(0, length - size, _WINDOWS).astype(int))]
