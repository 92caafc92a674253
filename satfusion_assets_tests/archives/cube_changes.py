"""A real cube, and changes of its structure, its numbers and its bytes by a seeded generator."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from pyproj import CRS

from satfusion_assets.archives.copernicus import (
    CUBE_PRODUCTS,
    CubeRequest,
    quarterly_requests,
)
from satfusion_assets.sandbox.server.spoilt import Form, rewrite
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES

GRID = site_grid(Site(name="innsbruck", latitude=47.116171, longitude=11.320308))
START, END = date(2023, 7, 1), date(2023, 9, 30)
OLCI, SYN = CUBE_PRODUCTS[S3Product.OLCI_L1B], CUBE_PRODUCTS[S3Product.SYN_L2]
REQUESTS = {product: quarterly_requests(product, GRID, START, END)[0] for product in (OLCI, SYN)}
SAMPLE: Final = FIXTURES / "gfmap_openEO_0_B02B03B04_LAEA_2023JJAS.nc"

Change = Callable[[xr.Dataset, random.Random], xr.Dataset]


def sample(request: CubeRequest) -> xr.Dataset:
    """The real file as it is stored, cut to the site's size: other axes and names, and its numbers as reflectance."""
    with xr.open_dataset(SAMPLE, engine="h5netcdf", decode_cf=False) as real:
        part = real.isel(t=slice(2, 10), y=slice(0, 11), x=slice(0, 11)).load()
    box = GRID.coarse.boundingbox
    part = part.assign_coords(
        x=part.x.copy(data=box.left - 750 + 300 * np.arange(11.0)),
        y=part.y.copy(data=box.top + 750 - 300 * np.arange(11.0)),
        t=part.t.copy(data=part.t.values + np.int32((START - date(2023, 7, 1)).days + 5)),
    )
    part["crs"].attrs |= dict.fromkeys(("crs_wkt", "spatial_ref"), CRS.from_epsg(GRID.epsg).to_wkt())
    names = [name for name in part.data_vars if str(name).startswith("S2")]
    source = [part[names[index % len(names)]] for index in range(4)]
    reflectance = (np.clip(one.values.view("u2").astype("f4") / 1e4, 0.02, 1.2) for one in source)
    bands = {
        name: (("t", "y", "x"), values, {"_FillValue": np.float32(0), "units": "", "grid_mapping": "crs"})
        for name, values in zip(request.product.bands, reflectance, strict=True)
    }
    if request.product.flags:
        bands[request.product.flags] = (("t", "y", "x"), (part[names[0]].values % 16).astype("u1"), {})
    return part.drop_vars(names).assign(bands)


def any_band(cube: xr.Dataset, rng: random.Random) -> str:
    bands = [str(name) for name in cube.data_vars if "Oa" in str(name) or re.fullmatch(r"B\d\d", str(name))]
    return rng.choice(bands or [str(next(iter(cube.variables)))])


def without_a_variable(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    return cube.drop_vars(rng.choice([str(name) for name in cube.variables]))


def another_type(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    name = any_band(cube, rng)
    kind, factor = rng.choice([("i2", 1e4), ("u1", 100), ("f8", 1), ("i4", 1), ("f8", 1e4)])
    attributes = {key: value for key, value in cube[name].attrs.items() if key != "_FillValue"}
    return cube.assign({name: (cube[name].dims, (cube[name].values * factor).astype(kind), attributes)})


def packed(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    name = any_band(cube, rng)
    scale = rng.choice([1e-4, 1e-2, 1.0, 0.0, np.nan])
    attributes = {"scale_factor": scale, "add_offset": rng.choice([0.0, -0.1, 5.0])}
    return cube.assign({name: (cube[name].dims, (cube[name].values * 1e4).astype("i2"), attributes)})


def other_times(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    times = cube["t"].values.astype("f8")
    match rng.randrange(8):
        case 0:
            times = times + rng.choice([-400, -100, -60, -20, -1, 1, 30, 90, 365, 7305])
        case 1:
            times = np.repeat(times[:1], times.size)
        case 2:
            times = times[::-1]
        case 3:
            times[rng.randrange(times.size)] = rng.choice([np.nan, np.inf, 1e300, -1e12, 0.0])
        case 4:
            times = times * rng.choice([24.0, 86400.0, 0.0])
        case 5:
            times = np.sort(np.append(times[1:], times[-1]))
        case 6:
            times = times + 0.4
        case _:
            times = np.array([rng.uniform(-1e5, 1e5) for _ in times])
    kind = rng.choice(["f8", "i4"]) if np.isfinite(times).all() and np.abs(times).max() < 2e9 else "f8"
    return cube.assign_coords(t=("t", times.astype(kind), cube["t"].attrs))


def other_clock(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    units = rng.choice(
        [
            "seconds since 1990-01-01",
            "hours since 1990-01-01 00:00:00",
            "days since 1970-01-01",
            "months since 1990-01-01",
            "days since soon",
            "days",
            "",
            "days since 1990-01-01T00:00:00+05:00",
            "days since 0000-00-00",
        ]
    )
    attributes = cube["t"].attrs | {"units": units}
    if rng.random() < 0.3:
        attributes["calendar"] = rng.choice(["noleap", "standard", "360_day", "julian"])
    return cube.assign_coords(t=("t", cube["t"].values, attributes))


def other_axis(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    axis = rng.choice(["x", "y"])
    if axis not in cube.variables or cube[axis].dims != (axis,):
        return cube
    values = cube[axis].values.astype("f8")
    match rng.randrange(7):
        case 0:
            values = values + rng.choice([-1e6, -3000, -900, -450, -150, 75, 300, 1200, 5e4])
        case 1:
            values = values[0] + (values - values[0]) * rng.choice([0.1, 0.5, 0.999, 1.01, 2, 10, -1, 0])
        case 2:
            values = values[::-1]
        case 3:
            values[rng.randrange(values.size)] += rng.choice([1.0, 150.0, np.nan, np.inf])
        case 4:
            values = np.zeros_like(values)
        case 5:
            values = values.astype("f4").astype("f8") * 1e-5
        case _:
            values = np.where(values > values.mean(), values + 300, values)
    return cube.assign_coords({axis: (axis, values, cube[axis].attrs)})


def other_projection(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    if "crs" not in cube.variables:
        return cube
    text = rng.choice(["", "nonsense", *(CRS.from_epsg(code).to_wkt() for code in (32631, 32732, 3035, 4326, 25832))])
    names = rng.choice([("crs_wkt", "spatial_ref"), ("crs_wkt",), ("spatial_ref",)])
    changed = cube.copy(deep=True)
    changed["crs"].attrs |= dict.fromkeys(names, text)
    return changed


def other_numbers(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    name = any_band(cube, rng)
    values = cube[name].values.astype("f4")
    odd = [50.0, -5.0, np.inf, -np.inf, np.nan, 2.0001, -0.21, 3e38, 1e-40]
    match rng.randrange(5):
        case 0:
            for _ in range(rng.choice([1, 3, 40])):
                values.flat[rng.randrange(values.size)] = rng.choice(odd)
        case 1:
            values = values * np.float32(rng.choice([100, 1e4, 1e-4, -1, 3, 0]))
        case 2 if values.ndim == 3 and len(values):
            values[rng.randrange(len(values))] *= np.float32(rng.choice([100, 1e-5, np.inf, -1]))
        case 3:
            values = np.full_like(values, rng.choice(odd))
        case _:
            values = values + np.float32(rng.choice([-0.3, 0.5, 1.9, 40]))
    return cube.assign({name: (cube[name].dims, values, cube[name].attrs)})


def other_words(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    name, changed = any_band(cube, rng), cube.copy(deep=True)
    words = ["W m-2 sr-1 um-1", "%", "percent", "1", "reflectance", "mW.m-2.sr-1.nm-1", "K", "x" * 5000]
    changed[name].attrs["units"] = rng.choice(words)
    return changed


def other_order(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    return cube.transpose(*rng.sample(list(cube.sizes), len(cube.sizes)))


def other_size(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    axis = rng.choice([str(name) for name in cube.sizes])
    length = cube.sizes[axis]
    return cube.isel({axis: rng.choice([[], [0], slice(0, length // 2), [0] * length, slice(None, None, -1)])})


def other_flags(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    if "CLOUD_flags" not in cube.variables:
        return cube
    flags = cube["CLOUD_flags"].values.astype("f4")
    odd = rng.choice([0.5, -1.0, 1e9, np.nan, np.inf, 7.0])
    flags.flat[rng.randrange(max(flags.size, 1)) if flags.size else slice(0)] = odd
    return cube.assign(CLOUD_flags=(cube["CLOUD_flags"].dims, flags, {}))


def other_missing(cube: xr.Dataset, rng: random.Random) -> xr.Dataset:
    name, changed = any_band(cube, rng), cube.copy(deep=True)
    changed[name].attrs["_FillValue"] = np.float32(rng.choice([np.nan, -9999.0, 0.1, 1e30]))
    return changed


CHANGES: Final[tuple[Change, ...]] = (
    without_a_variable,
    another_type,
    packed,
    other_times,
    other_clock,
    other_axis,
    other_projection,
    other_numbers,
    other_words,
    other_order,
    other_size,
    other_flags,
    other_missing,
)


def as_bytes(cube: xr.Dataset, form: Form, folder: Path) -> bytes:
    """The cube as stored; the form on HDF5 when another one cannot hold it."""
    for name in cube.variables:
        cube[name].encoding = {}
    target = io.BytesIO()
    cube.to_netcdf(target, engine="h5netcdf")
    if form is Form.NETCDF4:
        return target.getvalue()
    path = folder / "cube.nc"
    path.write_bytes(target.getvalue())
    try:
        rewrite(path, form)
    except (KeyError, ValueError, TypeError, AttributeError):
        return target.getvalue()
    return path.read_bytes()


def damaged(content: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(rng.choice([1, 2, 8, 64])):
        at = rng.randrange(min(len(spoilt), rng.choice([512, 4096, len(spoilt)])))
        spoilt[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    if rng.random() < 0.3:
        del spoilt[rng.randrange(len(spoilt)) :]
    if rng.random() < 0.1:
        at = rng.randrange(len(spoilt) + 1)
        spoilt[at:at] = rng.randbytes(rng.choice([1, 4, 300]))
    return bytes(spoilt)
