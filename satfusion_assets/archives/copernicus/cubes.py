"""Reading the back-end's NetCDF, holding it against what was asked for, and putting each overpass on the coarse grid.

x and y are pixel centres. A file is refused when it is not an answer to the request: other times, another grid or
place, numbers that are no reflectance (collections of similar names hold radiance). A single step that is not one is
left out and named, and a single value that cannot be reflectance is missing: one bad thing costs one thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd
import pyproj
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from satfusion_assets.archives.copernicus.netcdf import UnknownForm, open_netcdf
from satfusion_assets.archives.copernicus.requests import CubeProduct, CubeRequest
from satfusion_assets.archives.resampling import Patch, interpolate
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets.vocabulary.grid import COARSE_M, SiteGrid

HIGHEST_REFLECTANCE: Final = 2.0
"""No reflectance of land, snow or cloud is above this; radiances and scaled integers are."""
LOWEST_REFLECTANCE: Final = -0.2
_TYPICAL: Final = (1e-3, 1.5)
"""Range of a median reflectance: no band is above it, and not all are below (water is black in the near infrared)."""
MOST_IMPOSSIBLE: Final = 0.1
"""Share of impossible values beyond which a step is no measurement; fewer are specks and glint."""
NO_REFLECTANCE: Final = "no reflectance"
"""Kind of a step that is dropped for its values."""
_OTHER_QUANTITIES: Final = frozenset({"sr", "steradian", "radiance", "%", "percent", "dn", "kelvin"})
"""Words in a band's ``units`` that name something else than reflectance, which is a plain number."""
_HIGHEST_FLAGS: Final = 2**16 - 1
_EVEN: Final = 1e-3
_SECONDS: Final = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 1e-3}
_LONGEST_TIME_S: Final = 1e10
"""Three hundred years: what is farther from its origin is no time of a satellite, and may not be a date at all."""
_CALENDARS: Final = ("standard", "gregorian", "proleptic_gregorian")
_MOST_PIXELS: Final = 10_000
"""Along an axis of whatever grid; how many there may be is seen when their size is known."""
_WIDEST_RIM: Final = 40
"""Pixels more than the site's, of 7 that are asked for; a box in degrees is not one in metres."""
_MOST_STEPS_A_DAY: Final = 40
"""Two satellites of 14 orbits a day each, seen from a pole, and room for repeated steps."""
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
"""What the HDF5 library, xarray and SciPy make of damaged files."""


@dataclass(frozen=True)
class DroppedStep:
    """A step of a cube that is not used. time: UTC, None when it has none. kind: for counting; reason: one sentence."""

    time: datetime | None
    kind: str
    reason: str


@dataclass(frozen=True)
class Cube:
    """A back-end's answer, as far as it was asked for.

    values: (t, 4, y, x) float32 within LOWEST_REFLECTANCE to HIGHEST_REFLECTANCE, NaN = missing or cloudy, north up.
    cloudy: pixels masked by cloud flags for each time. impossible: values taken out for each time. times: UTC.
    """

    values: NDArray[np.float32]
    cloudy: NDArray[np.int64]
    impossible: NDArray[np.int64]
    times: tuple[datetime, ...]
    geobox: GeoBox
    dropped: tuple[DroppedStep, ...] = field(default=())


@dataclass(frozen=True)
class Overpass:
    """One overpass on the coarse grid. values: (4, h, w) float32, NaN = missing.

    cloudy: masked pixels of the cube. impossible: values of it that cannot be reflectance and were taken out.
    """

    name: str
    time: datetime
    values: NDArray[np.float32]
    cloudy: int
    impossible: int


def read_cube(content: bytes, request: CubeRequest, source: str) -> Cube:
    """The cube in a NetCDF; ArchiveAnswerInvalid names ``source`` and what is wrong with it."""
    try:
        with open_netcdf(content) as dataset:
            return _cube(dataset, request)
    except (_Unusable, UnknownForm) as error:
        raise ArchiveAnswerInvalid(f"{source} is not what was asked for: {error}.") from error
    except _UNREADABLE as error:
        raise ArchiveAnswerInvalid(f"{source} is not a readable NetCDF of the back-end.") from error


def overpasses_on_grid(cubes: list[Cube], grid: SiteGrid) -> tuple[list[Overpass], list[DroppedStep]]:
    """Every overpass of ``cubes`` on the coarse grid, oldest first, and the steps that are none.

    Equal times are one overpass: of steps in one cube the one with most pixels, of several cubes (a site that is cut
    in two) together. Resampled once, bilinearly; named ``{YYYYMMDD}_{n}`` with n = rank of the site's local day by
    time. A time of midnight is the label of a mosaic of one UTC day.
    """
    steps = [(time, at, index) for at, cube in enumerate(cubes) for index, time in enumerate(cube.times)]
    found: list[Overpass] = []
    dropped = [step for cube in cubes for step in cube.dropped]
    ranks: dict[str, int] = {}
    for time, same in groupby(sorted(steps), key=lambda step: step[0]):
        chosen = []
        for at, repeated in groupby(same, key=lambda step: step[1]):
            best, *others = sorted((index for _, _, index in repeated), key=lambda index: -_valid(cubes[at], index))
            chosen.append((cubes[at], best))
            dropped += [DroppedStep(time, "repeated", "Its time comes again in the same file.") for _ in others]
        values = _together(chosen, grid)
        if not np.isfinite(values).any():
            dropped.append(DroppedStep(time, "empty", "No valid pixel over the site."))
            continue
        mosaic = time.time() == datetime.min.time()
        day = f"{grid.local_day_of_mosaic(time.date()) if mosaic else grid.local_day(time):%Y%m%d}"
        rank = ranks.get(day, 0)
        ranks[day] = rank + 1
        cloudy = sum(int(cube.cloudy[index]) for cube, index in chosen)
        impossible = sum(int(cube.impossible[index]) for cube, index in chosen)
        found.append(Overpass(f"{day}_{rank}", time, values, cloudy, impossible))
    return found, dropped


def _valid(cube: Cube, index: int) -> int:
    return int(np.isfinite(cube.values[index]).sum())


def _together(layers: list[tuple[Cube, int]], grid: SiteGrid) -> NDArray[np.float32]:
    """The steps on the coarse grid, what is missing in one taken from the next."""
    placed = [interpolate(Patch(cube.values[index], cube.geobox), grid.coarse) for cube, index in layers]
    values = placed[0]
    for other in placed[1:]:
        values = np.where(np.isfinite(values), values, other)
    return values


class _Unusable(Exception):
    pass


def _cube(dataset: xr.Dataset, request: CubeRequest) -> Cube:
    product = request.product
    wanted = [*product.bands, "crs", "t", "x", "y", *([product.flags] if product.flags else [])]
    if absent := [name for name in wanted if name not in dataset.variables]:
        raise _Unusable(f"it has no variable {absent[0]!r}")
    _refuse_other_sizes(dataset, request)
    geobox, flip = _geobox(dataset, request)
    times, dropped = _times_asked_for(_times(dataset["t"]), request)
    kept = sorted(times)
    values = np.stack([_band(dataset, band, product) for band in product.bands], axis=1)[kept]
    if product.missing is not None:
        values[values == product.missing] = np.nan
    cloudy = np.zeros(values[:, 0].shape, bool)
    if product.flags:
        cloudy, known = _cloudy(_layers(dataset, product.flags)[kept], product)
        # A pixel without flags cannot be called clear.
        values[np.broadcast_to((cloudy | ~known)[:, np.newaxis], values.shape)] = np.nan
    if flip:
        values, cloudy = values[:, :, ::-1], cloudy[:, ::-1]
    impossible = np.isinf(values) | (values > HIGHEST_REFLECTANCE) | (values < LOWEST_REFLECTANCE)
    good = _steps_of_reflectance(values, impossible, product)
    dropped += [
        DroppedStep(times[index], NO_REFLECTANCE, f"Most of its values are not {product.quantity}.")
        for index, is_good in zip(kept, good, strict=True)
        if not is_good
    ]
    values = np.where(impossible, np.float32(np.nan), values)[good]
    used = tuple(times[index] for index, is_good in zip(kept, good, strict=True) if is_good)
    counts = impossible[good].sum(axis=(1, 2, 3))
    return Cube(values, cloudy[good].sum(axis=(1, 2)), counts, used, geobox, tuple(dropped))


def _refuse_other_sizes(dataset: xr.Dataset, request: CubeRequest) -> None:
    """Before anything is unpacked: a small file may say that it holds terabytes."""
    most = {"x": _MOST_PIXELS, "y": _MOST_PIXELS, "t": _MOST_STEPS_A_DAY * ((request.end - request.start).days + 2)}
    for axis, limit in most.items():
        size = dataset.sizes.get(axis, 0)
        if dataset[axis].dims != (axis,) or not 0 < size <= limit:
            raise _Unusable(f"it has {size} steps along {axis}, where 1 to {limit} can be right")


def _times(stored: xr.DataArray) -> list[datetime | None]:
    """The steps' times, UTC; None for what is no time."""
    unit, _, since = str(stored.attrs.get("units", "")).partition(" since ")
    calendar = str(stored.attrs.get("calendar", "standard"))
    if unit.strip() not in _SECONDS or calendar not in _CALENDARS:
        raise _Unusable(f"its times are in {unit or 'no unit'!r} of calendar {calendar!r}")
    origin = pd.Timestamp(since.strip())
    origin = origin.tz_localize("UTC") if origin.tzinfo is None else origin.tz_convert("UTC")
    seconds = stored.to_numpy().astype(float) * _SECONDS[unit.strip()]
    return [
        origin.to_pydatetime() + timedelta(seconds=value) if abs(value) < _LONGEST_TIME_S else None for value in seconds
    ]


def _times_asked_for(
    times: list[datetime | None], request: CubeRequest
) -> tuple[dict[int, datetime], list[DroppedStep]]:
    """By index, the times within the request; the others are dropped, and refused when they are most."""
    start = datetime.combine(request.start, datetime.min.time(), UTC)
    end = datetime.combine(request.end + timedelta(days=1), datetime.min.time(), UTC)
    inside = {index: time for index, time in enumerate(times) if time is not None and start <= time < end}
    outside = [time for index, time in enumerate(times) if index not in inside]
    if len(outside) > len(inside):
        first = next((time for time in outside if time is not None), None)
        shown = f"such as {first:%Y-%m-%d}" if first else "or none at all"
        raise _Unusable(
            f"{len(outside)} of its {len(times)} times lie outside {request.start} to {request.end}, {shown}"
        )
    reason = f"Its time lies outside what was asked for ({request.start} to {request.end})."
    return inside, [DroppedStep(time, "outside the request", reason) for time in outside]


def _band(dataset: xr.Dataset, name: str, product: CubeProduct) -> NDArray[np.float32]:
    variable = dataset[name]
    stored = np.dtype(variable.encoding.get("dtype", variable.dtype))
    packed = "scale_factor" in variable.encoding
    if stored.kind not in "f" and not (stored.kind in "iu" and packed):
        raise _Unusable(f"{name} is stored as {stored}, which is not {product.quantity}")
    units = str(variable.attrs.get("units", "")).lower()
    if not _OTHER_QUANTITIES.isdisjoint(re.findall("[a-z]+|%", units)):
        raise _Unusable(f"{name} is in {units!r}, which is not {product.quantity}")
    return _layers(dataset, name)


def _layers(dataset: xr.Dataset, name: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return dataset[name].transpose("t", "y", "x").to_numpy().astype(np.float32)


def _cloudy(flags: NDArray[np.float32], product: CubeProduct) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the product's cloud bits are set, and where flags are known at all."""
    known = np.isfinite(flags)
    stored = flags[known]
    if ((stored != np.floor(stored)) | (stored < 0) | (stored > _HIGHEST_FLAGS)).any() or np.isinf(flags).any():
        raise _Unusable(f"{product.flags} holds numbers that are no flags")
    bits = np.where(known, flags, 0).astype(np.int64)
    return known & ((bits & product.cloudy) > 0), known


def _steps_of_reflectance(
    values: NDArray[np.float32], impossible: NDArray[np.bool_], product: CubeProduct
) -> NDArray[np.bool_]:
    """(t,): which steps look like reflectance; _Unusable when most do not, for then the file holds something else."""
    some = np.isfinite(values) | np.isinf(values)
    filled = some.any(axis=(1, 2, 3))
    if not filled.any():
        return np.ones(len(values), bool)
    share = impossible.sum(axis=(1, 2, 3)) / np.maximum(some.sum(axis=(1, 2, 3)), 1)
    good = (share <= MOST_IMPOSSIBLE) & [_is_typical(step) for step in values]
    if not _is_typical(values[good]) or (filled & ~good).sum() > (filled & good).sum():
        raise _Unusable(_ranges(values, product))
    return good


def _is_typical(values: NDArray[np.float32]) -> bool:
    """Medians of the bands are reflectances. values: (4, y, x) or (t, 4, y, x)."""
    medians = [float(np.median(finite)) for _, finite in _by_band(values)]
    return not medians or (max(medians) <= _TYPICAL[1] and max(medians) >= _TYPICAL[0])


def _ranges(values: NDArray[np.float32], product: CubeProduct) -> str:
    """The band that is farthest from reflectance, in numbers."""
    band, finite = max(_by_band(values), key=lambda one: abs(float(np.median(one[1]))))
    name, (low, middle, high) = product.bands[band], np.percentile(finite, (0.1, 50, 99.9))
    return f"{name} ranges from {low:.4g} to {high:.4g} (median {middle:.4g}), which is not {product.quantity}"


def _by_band(values: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The finite values of each band that has some."""
    for band, part in enumerate(np.moveaxis(values, -3, 0)):
        finite = part[np.isfinite(part)]
        if finite.size:
            yield band, finite


def _geobox(dataset: xr.Dataset, request: CubeRequest) -> tuple[GeoBox, bool]:
    """The grid whose pixel centres are x and y, and whether the rows have to be turned north up.

    _Unusable unless it is the grid that was asked for: its projection, its pixels, over the site.
    """
    _refuse_other_projections(dataset, request)
    x = dataset["x"].to_numpy().astype(float)
    y = dataset["y"].to_numpy().astype(float)
    flip = len(y) > 1 and y[1] > y[0]
    y = y[::-1] if flip else y
    width, height = _spacing(x, "x"), _spacing(-y, "y")
    if max(abs(width - COARSE_M), abs(height - COARSE_M)) > _EVEN * COARSE_M:
        raise _Unusable(f"its pixels are {width:.6g} x {height:.6g} m instead of {COARSE_M} m")
    left, right, bottom, top = request.needed
    if max(len(x) - (right - left) / COARSE_M, len(y) - (top - bottom) / COARSE_M) > _WIDEST_RIM:
        raise _Unusable(f"it has {len(x)} x {len(y)} pixels, of a site of a few")
    # The back-end has been a pixel off.
    if x[0] > left + COARSE_M or x[-1] < right - COARSE_M or y[-1] > bottom + COARSE_M or y[0] < top - COARSE_M:
        raise _Unusable(
            f"it lies from {x[0]:.0f} to {x[-1]:.0f} m east and {y[-1]:.0f} to {y[0]:.0f} m north, and the site from "
            f"{left:.0f} to {right:.0f} and {bottom:.0f} to {top:.0f}"
        )
    affine = Affine(width, 0, x[0] - width / 2, 0, -height, y[0] + height / 2)
    return GeoBox((len(y), len(x)), affine, f"EPSG:{request.epsg}"), flip


def _refuse_other_projections(dataset: xr.Dataset, request: CubeRequest) -> None:
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
    asked = pyproj.CRS.from_epsg(request.epsg)
    if crs.to_epsg() != request.epsg and not crs.equals(asked, ignore_axis_order=True):
        raise _Unusable(f"its coordinate system is {crs.name!r} instead of {asked.name!r}")


def _spacing(centres: NDArray[Any], axis: str) -> float:
    if len(centres) < 2:
        return float(COARSE_M)
    steps = np.diff(centres)
    if not np.isfinite(centres).all() or not np.allclose(steps, steps[0], rtol=_EVEN, atol=0) or steps[0] <= 0:
        raise _Unusable(f"its {axis} coordinates are not evenly spaced")
    return float((centres[-1] - centres[0]) / (len(centres) - 1))
