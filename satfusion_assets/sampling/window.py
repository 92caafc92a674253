"""Reading a raster in the 3x3 window at the site.

NDVI and the band means of the pre-selection use the pixels whose red and nir are finite and positive; GCC and the
band means of the published series use the pixels whose every band is positive, since one clipped band would make
the index or the spectrum lie. A window at the raster's edge is as much of it as there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, nan
from typing import Any

import numpy as np
import numpy.typing as npt
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.scenarios import BANDS

NO_BANDS = (nan,) * len(BANDS)


@dataclass(frozen=True)
class WindowSample:
    """What the 3x3 window at the site says; NaN = no usable pixel.

    ndvi: mean of the pixels' NDVI. gcc: mean of the pixels' GCC. bands: mean of each band over the pixels with
    positive red and nir (pre-selection). positive_bands: over the pixels whose every band is positive (series).
    Bands are in the raster's units and in the order blue, green, red, nir.
    """

    ndvi: float = nan
    gcc: float = nan
    bands: tuple[float, ...] = NO_BANDS
    positive_bands: tuple[float, ...] = NO_BANDS

    @classmethod
    def of_gcc(cls, gcc: float) -> WindowSample:
        """The reading of a raster that holds GCC alone."""
        return cls(gcc=gcc)


def site_pixel(grid: GeoBox, latitude: float, longitude: float) -> tuple[int, int] | None:
    """Row and column of the pixel that holds the point (WGS 84 degrees); None when it lies outside ``grid``."""
    x, y = Transformer.from_crs(4326, str(grid.crs), always_xy=True).transform(longitude, latitude)
    col, row = ~grid.affine @ (x, y)
    inside = 0 <= row < grid.shape[0] and 0 <= col < grid.shape[1]
    return (floor(row), floor(col)) if inside else None


def sample_window(image: npt.NDArray[Any], row: int, col: int) -> WindowSample:
    """Read ``image`` (4, H, W; blue, green, red, nir; NaN or 0 = missing) in the window around ``row, col``."""
    return _sample(_window(image, row, col).reshape(len(image), -1).astype(np.float64))


def sample_windows(images: Iterable[npt.NDArray[Any]], row: int, col: int) -> list[WindowSample]:
    """``sample_window`` of each image, the same numbers: windows without a gap are read together, in a tenth of the
    time.
    """
    windows = [_window(image, row, col).reshape(len(image), -1).astype(np.float64) for image in images]
    if len({window.shape for window in windows}) != 1 or not windows[0].size:
        return [_sample(window) for window in windows]
    pixels = np.stack(windows)
    whole: npt.NDArray[np.bool_] = np.all((pixels > 0) & np.isfinite(pixels), axis=(1, 2))
    if not whole.any():
        return [_sample(window) for window in windows]
    blue, green, red, nir = (np.ascontiguousarray(pixels[whole, band]) for band in range(pixels.shape[1]))
    ndvi, gcc = (index.mean(axis=1).tolist() for index in (indices.ndvi(red, nir), indices.gcc(blue, green, red)))
    bands = zip(*(band.mean(axis=1).tolist() for band in (blue, green, red, nir)), strict=True)
    together = (WindowSample(*read, seen, seen) for read, seen in zip(zip(ndvi, gcc, strict=True), bands, strict=True))
    return [next(together) if full else _sample(window) for full, window in zip(whole, windows, strict=True)]


def _sample(pixels: npt.NDArray[np.float64]) -> WindowSample:
    """What the pixels (4, k) of one window say."""
    blue, green, red, nir = pixels
    vegetation = (red > 0) & (nir > 0) & np.isfinite(red) & np.isfinite(nir)
    positive = (pixels > 0).all(axis=0) & np.isfinite(pixels).all(axis=0)
    colour = (pixels[:3] > 0).all(axis=0) & np.isfinite(pixels[:3]).all(axis=0)
    return WindowSample(
        ndvi=_mean(indices.ndvi(red[vegetation], nir[vegetation])),
        gcc=_mean(indices.gcc(blue[colour], green[colour], red[colour])),
        bands=tuple(_mean(band[vegetation]) for band in pixels),
        positive_bands=tuple(_mean(band[positive]) for band in pixels),
    )


def sample_gcc_window(gcc: npt.NDArray[Any], row: int, col: int) -> float:
    """Mean of the finite, positive values of a GCC raster (H, W) in the window; NaN when there is none."""
    values = _window(gcc, row, col).astype(np.float64)
    return _mean(values[values > 0])


def window_gcc(images: npt.NDArray[Any], row: int, col: int) -> npt.NDArray[np.float64]:
    """GCC at the site from each of many images (p, b, H, W), b = 4 bands of reflectance or 1 of GCC; NaN = none.

    The same numbers as reading the images one by one.
    """
    values = _window(images, row, col).astype(np.float64)
    with np.errstate(invalid="ignore"):
        usable = (values[:, :3] > 0).all(axis=1)
        share = values[:, 0] if images.shape[1] == 1 else values[:, 1] / values[:, :3].sum(axis=1)
    count = usable.sum(axis=(1, 2))
    total = np.where(usable, share, 0).sum(axis=(1, 2))
    return np.divide(total, count, out=np.full(len(images), nan), where=count > 0)


def window(shape: Sequence[int], row: int, col: int) -> tuple[slice, slice]:
    """Rows and columns of the 3x3 window around ``row, col`` in a raster of ``shape`` (..., H, W); none beyond it."""
    height, width = shape[-2:]
    return (
        slice(max(row - 1, 0), max(min(row + 2, height), 0)),
        slice(max(col - 1, 0), max(min(col + 2, width), 0)),
    )


def _window(raster: npt.NDArray[Any], row: int, col: int) -> npt.NDArray[Any]:
    return raster[(..., *window(raster.shape, row, col))]


def _mean(values: npt.NDArray[Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else nan
