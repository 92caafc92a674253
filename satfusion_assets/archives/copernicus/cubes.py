"""Reading the back-end's NetCDF and putting each overpass on the site's coarse grid.

x and y are pixel centres; the coordinate system is the file's own; t is decoded. Reflectance must look like
reflectance, else the file is refused: the archive has changed units between collections of similar names.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyproj
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from satfusion_assets.archives.copernicus.requests import CubeProduct
from satfusion_assets.archives.resampling import Patch, interpolate
from satfusion_assets.errors import ArchiveAnswerInvalid
from satfusion_assets.grid import COARSE_M, SiteGrid

HIGHEST_REFLECTANCE: Final = 2.0
"""No reflectance of land, snow or cloud is above this; radiances and scaled integers are."""
LOWEST_REFLECTANCE: Final = -0.2
_TYPICAL: Final = (1e-3, 1.5)
"""Range of a median reflectance."""
_EVEN: Final = 1e-3
_UNREADABLE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RuntimeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)
"""What the HDF5 library makes of damaged files."""


@dataclass(frozen=True)
class Cube:
    """A back-end's answer. values: (t, 4, y, x) float32, NaN = missing or cloudy, north up.

    cloudy: pixels masked by cloud flags for each time. times: UTC.
    """

    values: NDArray[np.float32]
    cloudy: NDArray[np.int64]
    times: tuple[datetime, ...]
    geobox: GeoBox


@dataclass(frozen=True)
class Overpass:
    """One overpass on the coarse grid. values: (4, h, w) float32, NaN = missing. cloudy: masked pixels of the cube."""

    name: str
    time: datetime
    values: NDArray[np.float32]
    cloudy: int


def read_cube(content: bytes, product: CubeProduct, source: str) -> Cube:
    """The cube in a NetCDF; ArchiveAnswerInvalid names ``source`` and what is wrong with it."""
    try:
        with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as dataset:
            return _cube(dataset.load(), product)
    except _Unusable as error:
        raise ArchiveAnswerInvalid(f"{source}: {error}.") from error
    except _UNREADABLE as error:
        raise ArchiveAnswerInvalid(f"{source} is not a readable NetCDF of the back-end.") from error


def overpasses_on_grid(cubes: list[Cube], grid: SiteGrid) -> tuple[list[Overpass], list[datetime]]:
    """Every overpass of ``cubes`` on the coarse grid, oldest first, and the times of those without a valid pixel.

    Resampled once, bilinearly; named ``{YYYYMMDD}_{n}`` with n = rank of the site's local day by time. A time of
    midnight is the label of a mosaic of one UTC day.
    """
    ordered = sorted(
        ((time, cube, index) for cube in cubes for index, time in enumerate(cube.times)), key=lambda entry: entry[0]
    )
    found: list[Overpass] = []
    empty: list[datetime] = []
    ranks: dict[str, int] = {}
    for time, cube, index in ordered:
        values = interpolate(Patch(cube.values[index], cube.geobox), grid.coarse)
        if not np.isfinite(values).any():
            empty.append(time)
            continue
        mosaic = time.time() == datetime.min.time()
        day = f"{grid.local_day_of_mosaic(time.date()) if mosaic else grid.local_day(time):%Y%m%d}"
        rank = ranks.get(day, 0)
        ranks[day] = rank + 1
        found.append(Overpass(f"{day}_{rank}", time, values, int(cube.cloudy[index])))
    return found, empty


class _Unusable(Exception):
    pass


def _cube(dataset: xr.Dataset, product: CubeProduct) -> Cube:
    absent = [name for name in (*product.bands, "crs", "t", "x", "y") if name not in dataset.variables]
    if product.flags and product.flags not in dataset.variables:
        absent.append(product.flags)
    if absent:
        raise _Unusable(f"it has no variable {absent[0]!r}")
    values = np.stack([_layers(dataset, band) for band in product.bands], axis=1)
    if product.missing is not None:
        values[values == product.missing] = np.nan
    cloudy = np.zeros(values[:, 0].shape, bool)
    if product.flags:
        flags = _layers(dataset, product.flags)
        known = np.isfinite(flags)
        bits = np.where(known, flags, 0).astype(np.int64)
        cloudy = known & ((bits & product.cloudy) > 0)
        # A pixel without flags cannot be called clear.
        values[np.broadcast_to((cloudy | ~known)[:, np.newaxis], values.shape)] = np.nan
    _check_units(values, product)
    geobox, flip = _geobox(dataset)
    if flip:
        values, cloudy = values[:, :, ::-1], cloudy[:, ::-1]
    times = tuple(_utc(time) for time in dataset["t"].values)
    return Cube(values, cloudy.sum(axis=(1, 2)), times, geobox)


def _layers(dataset: xr.Dataset, name: str) -> NDArray[np.float32]:
    return dataset[name].transpose("t", "y", "x").to_numpy().astype(np.float32)


def _check_units(values: NDArray[np.float32], product: CubeProduct) -> None:
    for band, name in zip(np.moveaxis(values, 1, 0), product.bands, strict=True):
        finite = band[np.isfinite(band)]
        if finite.size == 0:
            continue
        low, middle, high = (float(value) for value in np.percentile(finite, (0.1, 50, 99.9)))
        if high > HIGHEST_REFLECTANCE or low < LOWEST_REFLECTANCE or not _TYPICAL[0] <= middle <= _TYPICAL[1]:
            raise _Unusable(
                f"{name} ranges from {low:.4g} to {high:.4g} (median {middle:.4g}), which is not {product.quantity}"
            )


def _geobox(dataset: xr.Dataset) -> tuple[GeoBox, bool]:
    """The grid whose pixel centres are x and y, and whether the rows have to be turned north up."""
    x = dataset["x"].to_numpy().astype(float)
    y = dataset["y"].to_numpy().astype(float)
    flip = len(y) > 1 and y[1] > y[0]
    y = y[::-1] if flip else y
    width, height = _spacing(x, "x"), -_spacing(-y, "y")
    affine = Affine(width, 0, x[0] - width / 2, 0, height, y[0] - height / 2)
    attributes = dataset["crs"].attrs
    wkt = attributes.get("crs_wkt") or attributes.get("spatial_ref")
    if not wkt:
        raise _Unusable("its coordinate system is not named")
    try:
        crs = pyproj.CRS.from_user_input(wkt)
    except pyproj.exceptions.CRSError as error:
        raise _Unusable("its coordinate system cannot be understood") from error
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs  # the back-end adds a null transformation to WGS 84
    epsg = crs.to_epsg()
    return GeoBox((len(y), len(x)), affine, CRS(f"EPSG:{epsg}") if epsg else CRS(crs.to_wkt())), flip


def _spacing(centres: NDArray[Any], axis: str) -> float:
    if len(centres) < 2:
        return float(COARSE_M)
    steps = np.diff(centres)
    if not np.allclose(steps, steps[0], rtol=_EVEN) or steps[0] <= 0:
        raise _Unusable(f"its {axis} coordinates are not evenly spaced")
    return float((centres[-1] - centres[0]) / (len(centres) - 1))


def _utc(time: np.datetime64) -> datetime:
    seconds = time.astype("datetime64[s]").astype(int)
    return datetime.fromtimestamp(int(seconds), UTC)
