"""One resampling from an archive's grid onto the site's: the only place where pixels move.

Reflectance is interpolated bilinearly, classes are taken from the nearest pixel. Where the source pixels lie on the
target pixels nothing is resampled. A pixel is missing where its nearest source pixel is: neighbours fill no gap, and
what one band lacks the others keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.warp import reproject

_ONE_WARP: Final = Lock()
"""In-memory datasets of concurrent warps have been seen without their geotransform; a warp takes a millisecond."""
_ALIGNED: Final = 1e-3
"""Pixel fraction within which two grids are the same."""


@dataclass(frozen=True)
class Patch:
    """Pixels of an archive with where they lie. values: (H, W) or (bands, H, W)."""

    values: NDArray[Any]
    geobox: GeoBox


def interpolate(patch: Patch, target: GeoBox) -> NDArray[np.float32]:
    """Bilinear values of ``patch`` (float, NaN = missing) on ``target``; NaN outside and where missing."""
    values = patch.values.astype(np.float32)
    if (window := aligned_window(patch.geobox, target)) is not None:
        return cut(values, window, np.float32(np.nan))
    smooth = _smooth(values, patch.geobox, target)
    return np.where(np.isfinite(_nearest(values, patch.geobox, target, np.nan)), smooth, np.float32(np.nan))


def take_nearest(patch: Patch, target: GeoBox, outside: int) -> NDArray[Any]:
    """Values of ``patch`` nearest to each pixel of ``target``, in its own type; ``outside`` where it has none."""
    if (window := aligned_window(patch.geobox, target)) is not None:
        return cut(patch.values, window, outside)
    return _nearest(patch.values, patch.geobox, target, outside)


def aligned_window(source: GeoBox, target: GeoBox) -> tuple[int, int, int, int] | None:
    """Row, column, height, width of ``target`` within ``source`` when their pixels coincide, else None.

    Rows and columns may lie outside ``source``.
    """
    if source.crs != target.crs:
        return None
    shift = ~source.affine @ target.affine
    if not np.allclose((shift.a, shift.b, shift.d, shift.e), (1, 0, 0, 1), atol=_ALIGNED / max(target.shape)):
        return None
    row, column = round(shift.f), round(shift.c)
    if max(abs(shift.f - row), abs(shift.c - column)) > _ALIGNED:
        return None
    return row, column, target.shape[0], target.shape[1]


def cut(values: NDArray[Any], window: tuple[int, int, int, int], outside: Any) -> NDArray[Any]:
    """The window (row, column, height, width) of ``values``; ``outside`` where it reaches beyond them."""
    row, column, height, width = window
    result = np.full((*values.shape[:-2], height, width), outside, values.dtype)
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + height, values.shape[-2]), min(column + width, values.shape[-1])
    if top < bottom and left < right:
        result[..., top - row : bottom - row, left - column : right - column] = values[..., top:bottom, left:right]
    return result


def _smooth(values: NDArray[np.float32], source: GeoBox, target: GeoBox) -> NDArray[np.float32]:
    """``values`` (..., H, W), NaN = missing, bilinearly on ``target``.

    Several bands in one call of ``reproject`` share what is missing (its option UNIFIED_SRC_NODATA=YES): a pixel that
    one band lacks enters that band's sums as a value, unless every band lacks it. So they go together only where all
    lack the same pixels.
    """
    layers = values.reshape(-1, *values.shape[-2:])
    missing = np.isnan(layers)
    result = np.full((len(layers), *target.shape), np.nan, values.dtype)
    together = len(layers) and bool((missing == missing[0]).all())
    for group in [slice(None)] if together else [slice(n, n + 1) for n in range(len(layers))]:
        _warp(layers[group], result[group], source, target, Resampling.bilinear, np.nan)
    return result.reshape(*values.shape[:-2], *target.shape)


def _nearest(values: NDArray[Any], source: GeoBox, target: GeoBox, outside: Any) -> NDArray[Any]:
    """The pixel of ``values`` (..., H, W) nearest to each of ``target``; ``outside`` where there is none."""
    places = _nearest_places(source, target)
    found = values.reshape(*values.shape[:-2], -1)[..., np.maximum(places, 0)]
    return np.where(places >= 0, found, np.array(outside, values.dtype))


@lru_cache(maxsize=64)
def _nearest_places(source: GeoBox, target: GeoBox) -> NDArray[np.int64]:
    """Place of the nearest pixel of ``source``, row by row, for each of ``target``; -1 where it has none.

    Scenes and overpasses of a season share a few grids.
    """
    numbers = np.arange(source.shape[0] * source.shape[1], dtype=np.float64).reshape(source.shape)
    result = np.full(target.shape, -1.0)
    _warp(numbers, result, source, target, Resampling.nearest, -1.0)
    places = result.astype(np.int64)
    places.flags.writeable = False
    return places


def _warp(
    values: NDArray[Any],
    result: NDArray[Any],
    source: GeoBox,
    target: GeoBox,
    method: Resampling,
    nodata: float,
) -> None:
    """``reproject`` into ``result``."""
    with _ONE_WARP:
        reproject(
            values,
            result,
            src_transform=source.affine,
            src_crs=str(source.crs),
            src_nodata=nodata,
            dst_transform=target.affine,
            dst_crs=str(target.crs),
            dst_nodata=nodata,
            resampling=method,
        )
