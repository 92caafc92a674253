"""Reading a pixel's season from an analysis-ready pack; the pack describes itself (CF attributes)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from satfusion_assets.errors import ProductCorrupt
from satfusion_assets.viewer.rasters import mean_of_present

_EPOCH = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class PixelLayer:
    """One layer of a pack at one place: days (t,) ISO, values (t, b) physical with NaN, names of the b bands."""

    days: list[str]
    values: np.ndarray
    bands: tuple[str, ...]


def read_pixel(path: Path, name: str, east: float, north: float, side: int) -> dict[str, PixelLayer] | None:
    """All layers of the pack at ``path``, averaged over ``side`` x ``side`` pixels around a point; None = outside."""
    try:
        root = zarr.open_group(path, mode="r")
        window = _window(root, east, north, side)
        if window is None:
            return None
        return {key: _layer(root, key, window) for key in sorted(root.array_keys()) if f"time_{key}" in root}
    except (KeyError, ValueError, RuntimeError, OSError) as error:
        raise ProductCorrupt(f"{name} is not a readable pack ({error}); materialise it again.") from error


def _window(root: zarr.Group, east: float, north: float, side: int) -> tuple[slice, slice] | None:
    x, y = _array(root, "x"), _array(root, "y")
    column, row = _cell(x, east), _cell(y, north)
    if column is None or row is None:
        return None
    reach = side // 2
    return slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)


def _cell(centres: np.ndarray, coordinate: float) -> int | None:
    """Index of the pixel that holds ``coordinate``, on an evenly spaced axis of pixel centres."""
    step = centres[1] - centres[0]
    index = int(np.floor((coordinate - centres[0]) / step + 0.5))
    return index if 0 <= index < len(centres) else None


def _layer(root: zarr.Group, key: str, window: tuple[slice, slice]) -> PixelLayer:
    variable: Any = root[key]
    stored = np.asarray(variable[(slice(None), slice(None), *window)])
    scale, missing = variable.attrs["scale_factor"], variable.attrs["_FillValue"]
    values = np.where(stored == missing, np.nan, stored * float(scale))
    days = (_EPOCH + _array(root, f"time_{key}").astype("timedelta64[D]")).astype(str).tolist()
    return PixelLayer(days, mean_of_present(values), tuple(variable.attrs["band_names"]))


def _array(root: zarr.Group, key: str) -> np.ndarray:
    found: Any = root[key]
    return np.asarray(found[...])
