"""Rasters for the browser: one frame as plain numbers, one pixel of one frame, one frame as a GeoTIFF of an index.

The browser needs no TIFF decoder; colours, indices and differences are made there from the numbers. It gets them as
they are stored, but for floating point up to 3.2 (reflectance, indices), which is rounded to 1e-4, the step of
Sentinel-2 itself: differences of neighbours are then small whole numbers, which compress to a third.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.windows import Window

from satfusion_assets.store.rasters import local_raster
from satfusion_assets.vocabulary.errors import InvalidInput, ProductCorrupt
from satfusion_assets.vocabulary.indices import gcc, ndvi

MAX_SIDE: Final = 2048
"""Longest side that is sent; larger rasters are thinned (nearest neighbour) and say by how much."""

RASTERS: Final = frozenset({".geotiff", ".tif", ".tiff"})

MAX_VALUES: Final = 4 * MAX_SIDE**2
"""Numbers that one answer carries: the four bands of the largest raster."""

_DTYPES: Final = {"uint8", "int16", "uint16", "int32", "float32"}
_REFLECTANCE_DN: Final = 1e-4
_MISSING: Final = -32768

logging.getLogger("rasterio").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Frame:
    """One raster, or some of its bands: values (bands, height, width) as stored, and what makes them physical."""

    values: np.ndarray
    header: dict[str, Any]

    def encode(self) -> bytes:
        """Length of the header (uint32, little-endian), header (JSON, padded to 8 bytes), values (little-endian).

        Values of 16 bits are differences from their left neighbour, modulo 2^16 (TIFF's horizontal predictor).
        """
        text = json.dumps(self.header, allow_nan=False, separators=(",", ":")).encode()
        text += b" " * (-(len(text) + 4) % 8)
        values = self.values
        if values.dtype.itemsize == 2:
            values = np.diff(values.view(np.uint16), axis=-1, prepend=np.uint16(0))
        values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        return len(text).to_bytes(4, "little") + text + values.tobytes()

    def rounded(self) -> Frame:
        """Floating point in steps of 1e-4 as int16, if the values have room there; else the frame itself."""
        if self.values.dtype != np.float32 or self.header["nodata"] is not None:
            return self
        if not np.nanmax(np.abs(self.values), initial=0.0) < -_MISSING * _REFLECTANCE_DN:
            return self
        steps = np.where(np.isnan(self.values), _MISSING, np.rint(self.values / np.float32(_REFLECTANCE_DN)))
        header = {"dtype": "int16", "scale": _REFLECTANCE_DN, "offset": 0.0, "nodata": _MISSING}
        return Frame(steps.astype(np.int16), self.header | header)


def read_frame(path: Path, name: str, bands: Sequence[int] | None = None) -> Frame:
    """Bands (from 1; all when None) of ``path``; ProductCorrupt when it cannot be read, by ``name``.

    InvalidInput for what is no raster at all, such as a table.
    """
    if path.suffix.lower() not in RASTERS:
        raise InvalidInput(f"{name} is no raster; ask for one of {', '.join(sorted(RASTERS))}.")
    try:
        with local_raster(path) as dataset:
            wanted = list(bands or dataset.indexes)
            if not set(wanted) <= set(dataset.indexes):
                raise InvalidInput(f"{name} has {dataset.count} bands; band {max(wanted)} was asked for.")
            step = max(1, -(-max(dataset.shape) // MAX_SIDE))
            shape = (len(wanted), -(-dataset.height // step), -(-dataset.width // step))
            if math.prod(shape) > MAX_VALUES:
                raise InvalidInput(
                    f"{len(wanted)} bands of {name} are more than one answer carries; ask for fewer, like ?bands=1."
                )
            values = dataset.read(wanted, out_shape=shape)
            header = _header(dataset, wanted, values, step)
    except RasterioError as error:
        raise ProductCorrupt(f"{name} is not a readable raster ({error}); materialise it again.") from error
    if values.dtype.name not in _DTYPES:
        values = values.astype(np.float32)
        header["dtype"] = "float32"
    return Frame(values, header)


def _header(dataset: DatasetReader, bands: list[int], values: np.ndarray, step: int) -> dict[str, Any]:
    first = bands[0] - 1
    nodata = dataset.nodata
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    return {
        "width": values.shape[2],
        "height": values.shape[1],
        "bands": [dataset.descriptions[band - 1] or f"band {band}" for band in bands],
        "dtype": values.dtype.name,
        "scale": _scale(dataset, first),
        "offset": dataset.offsets[first],
        "nodata": None if nodata is None or np.isnan(nodata) else nodata,
        "transform": [a * step, b, c, d, e * step, f],
        "epsg": dataset.crs.to_epsg() if dataset.crs else None,
        "thinned": step,
        "tags": dataset.tags(),
    }


def _scale(dataset: DatasetReader, band: int) -> float:
    """Scale of a band; 16-bit reflectance without a scale tag is DN, reflectance x 10 000, by the layout's contract."""
    scale = float(dataset.scales[band])
    reflectance = dataset.count >= 4 and dataset.dtypes[band] == "uint16"
    return _REFLECTANCE_DN if scale == 1 and reflectance else scale


def read_window(path: Path, name: str, east: float, north: float, side: int) -> np.ndarray | None:
    """Mean over the ``side`` x ``side`` window around a point, per band, physical; NaN = missing, None = outside."""
    try:
        with local_raster(path) as dataset:
            column, row = ~dataset.transform @ (east, north)
            reach = side // 2
            left, top = int(np.floor(column)) - reach, int(np.floor(row)) - reach
            if not (0 <= column < dataset.width and 0 <= row < dataset.height):
                return None
            window = Window(left, top, side, side).intersection(Window(0, 0, dataset.width, dataset.height))
            values = dataset.read(window=window).astype(np.float64)
            missing = ~np.isfinite(values)
            if dataset.nodata is not None:
                missing |= values == dataset.nodata
            scale, offset = _scale(dataset, 0), float(dataset.offsets[0])
    except RasterioError as error:
        raise ProductCorrupt(f"{name} is not a readable raster ({error}); materialise it again.") from error
    return mean_of_present(np.where(missing, np.nan, values * scale + offset))


def mean_of_present(values: np.ndarray) -> np.ndarray:
    """Mean over the last two axes without the NaN; NaN where nothing is present."""
    present = np.isfinite(values)
    count = present.sum(axis=(-2, -1))
    total = np.where(present, values, 0.0).sum(axis=(-2, -1))
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def read_tags(path: Path) -> dict[str, str]:
    """Tags of a raster; none where it cannot be read, which its own panel says."""
    try:
        with local_raster(path) as dataset:
            return dict(dataset.tags())
    except RasterioError:
        return {}


def index_geotiff(path: Path, name: str, index: str) -> bytes:
    """NDVI or GCC of a four-band raster, or a single-band raster itself, as a float32 GeoTIFF in memory."""
    frame = read_frame(path, name)
    values = index_of(physical(frame), index)
    profile = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": 1,
        "width": frame.header["width"],
        "height": frame.header["height"],
        "crs": f"EPSG:{frame.header['epsg']}" if frame.header["epsg"] else None,
        "transform": rasterio.Affine(*frame.header["transform"]),
        "nodata": float("nan"),
        "compress": "deflate",
        "predictor": 3,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(values.astype(np.float32), 1)
            dataset.set_band_description(1, index)
            dataset.update_tags(source=name, index=index)
        return bytes(memory.read())


def physical(frame: Frame) -> np.ndarray:
    """Values of ``frame`` in their unit, (bands, h, w), NaN = missing."""
    values = frame.values.astype(np.float64)
    nodata = frame.header["nodata"]
    missing = ~np.isfinite(values) if nodata is None else ~np.isfinite(values) | (values == nodata)
    return np.where(missing, np.nan, values * frame.header["scale"] + frame.header["offset"])


def index_of(bands: np.ndarray, index: str) -> np.ndarray:
    """``ndvi`` or ``gcc`` of bands (b, ...) blue, green, red, nir; one band is GCC itself. NaN where undefined."""
    if len(bands) == 1 and index == "gcc":
        return bands[0]
    if len(bands) < 4 or index not in {"ndvi", "gcc"}:
        raise InvalidInput(
            f"{index} cannot be made of {len(bands)} band(s); ask for ndvi or gcc of a four-band product."
        )
    blue, green, red, nir = bands[:4]
    return ndvi(red, nir) if index == "ndvi" else gcc(blue, green, red)
