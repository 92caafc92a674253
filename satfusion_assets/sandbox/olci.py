"""The openEO collections made of OLCI's overpasses: L1B at the top of the atmosphere, SYN L2 at the surface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from satfusion_assets.sandbox.files import publish
from satfusion_assets.sandbox.geometry import FloatArray, generator
from satfusion_assets.sandbox.orbits import sun
from satfusion_assets.sandbox.sentinel3 import PER_DEGREE, SURFACE, Olci, Swath, SyntheticOverpass
from satfusion_assets.sandbox.signatures import BANDS, WAVELENGTHS
from satfusion_assets.sandbox.synthetic import LICENCE, NOTICE, PROVIDERS

L1B: Final = "SENTINEL3_OLCI_L1B"
SYN: Final = "SENTINEL3_SYN_L2_SYN"

_CENTRES: Final = (
    *(400.0, 412.5, 442.5, 490.0, 510.0, 560.0, 620.0, 665.0, 673.75, 681.25, 708.75),
    *(753.75, 761.25, 764.375, 767.5, 778.75, 865.0, 885.0, 900.0, 940.0, 1020.0),
)
"""Central wavelengths of OLCI's bands 1 ... 21 in nm."""
_ABSORBED: Final = {13: 0.45, 14: 0.6, 15: 0.8, 19: 0.85, 20: 0.55}
"""Transmission where oxygen or water vapour absorb."""
L1B_BANDS: Final = tuple(f"B{number:02d}" for number in range(1, 22))
_SYN_NUMBERS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 18, 21)
SYN_BANDS: Final = (*(f"Syn_Oa{number:02d}_reflectance" for number in _SYN_NUMBERS), "CLOUD_flags")
_SYN_SINCE: Final = date(2018, 9, 1)
NODATA: Final = {L1B: 0.0, SYN: math.nan}
# CLOUD_flags of the SYN product.
_CLOUD, _AMBIGUOUS, _MARGIN, _SNOW = 1, 2, 4, 8


@dataclass(frozen=True)
class Step:
    """One time step of a cube: its label in UTC and its pixels (bands, y, x)."""

    time: datetime
    pixels: FloatArray


class Cubes:
    """Both collections of one site, computed month by month and kept on disk."""

    def __init__(self, olci: Olci, folder: Path) -> None:
        self.olci = olci
        self._folder = folder

    def steps(self, collection: str, start: date, end: date) -> list[tuple[npt.NDArray[np.datetime64], FloatArray]]:
        """Months (times, pixels) that hold the days of [start, end]; pixels are (t, bands, y, x)."""
        months = sorted({(d.year, d.month) for d in _days(start, end)})
        return [self._month(collection, *month) for month in months]

    def _month(self, collection: str, year: int, month: int) -> tuple[npt.NDArray[np.datetime64], FloatArray]:
        path = self._folder / collection / f"{year}-{month:02d}.npz"
        if not path.exists():
            last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
            steps = [step for day in _days(date(year, month, 1), last) for step in self._day(collection, day)]
            times = np.array([step.time.replace(tzinfo=None) for step in steps], "datetime64[ns]")
            shape = (0, len(bands_of(collection)), self.olci.lattice.rows, self.olci.lattice.columns)
            pixels = np.stack([step.pixels for step in steps]) if steps else np.zeros(shape, np.float32)
            with publish(path) as partial, partial.open("wb") as file:
                np.savez(file, times=times, pixels=pixels)
        with np.load(path) as stored:
            return stored["times"], stored["pixels"]

    def _day(self, collection: str, day: date) -> list[Step]:
        overpasses = self.olci.overpasses(day)
        if collection == SYN:
            if day < _SYN_SINCE:
                return []
            return [Step(o.time, self._surface(o, self.olci.swath(o))) for o in overpasses]
        latest: FloatArray | None = None
        for overpass in overpasses:
            pixels = self._top(overpass, self.olci.swath(overpass))
            latest = pixels if latest is None else np.where(pixels == NODATA[L1B], latest, pixels)
        return [] if latest is None else [Step(datetime(day.year, day.month, day.day), latest)]

    def _top(self, overpass: SyntheticOverpass, swath: Swath) -> FloatArray:
        """Top-of-atmosphere reflectance of all bands: path + transmission x surface, clouds above most of the air."""
        landscape, day = self.olci.landscape, overpass.time.date()
        elevation, _ = sun(overpass.time, landscape.site.longitude, landscape.site.latitude)
        mu_sun, mu_view = max(math.sin(math.radians(elevation)), 0.12), 1 - 0.28 * overpass.offset**2
        sky = landscape.weather.sky(day)
        pressure = math.exp(-(landscape.site.elevation or 0.0) / 8400)
        rng = generator(landscape.seed, landscape.site.name, "olci", overpass.satellite, f"{overpass.time:%Y%m%d%H%M}")
        result = np.empty((len(L1B_BANDS), *swath.cloud.shape), np.float32)
        for number, wavelength in enumerate(_CENTRES, start=1):
            rayleigh = 0.00864 * (wavelength / 1000) ** -4.08 * pressure
            aerosol = (sky.aerosol + swath.haze) * (550 / wavelength) ** 1.2
            path = rayleigh * 1.2 / (4 * mu_sun * mu_view) + 0.11 * aerosol / mu_sun**0.5
            through = np.exp(-(0.5 * rayleigh + 0.16 * aerosol) * (1 / mu_sun + 1 / mu_view))
            ground = _at(swath.ground, wavelength)
            above = 0.35 * rayleigh / mu_sun
            clear = path * (1 - swath.cloud) + through * ground
            values = (clear + swath.bright * 1.06 + above * swath.cloud) * _ABSORBED.get(number, 1.0)
            values = values * _calibration(number) + _noise(rng, values, 0.0006, 0.004)
            # Zero means missing here, so a real value never is.
            result[number - 1] = np.where(swath.seen, np.maximum(values, 1e-4), NODATA[L1B])
        return result

    def _surface(self, overpass: SyntheticOverpass, swath: Swath) -> FloatArray:
        """Surface reflectance and CLOUD_flags; what lies under thick cloud is bright, not missing."""
        landscape = self.olci.landscape
        rng = generator(landscape.seed, landscape.site.name, "syn", overpass.satellite, f"{overpass.time:%Y%m%d%H%M}")
        result = np.full((len(SYN_BANDS), *swath.cloud.shape), np.nan, np.float32)
        error = rng.normal(0, 0.02)
        for index, number in enumerate(_SYN_NUMBERS):
            wavelength = _CENTRES[number - 1]
            ground = _at(swath.ground, wavelength) + swath.bright
            residual = (0.05 * swath.haze + 0.10 * error * (1 - swath.cloud)) * (550 / wavelength) ** 1.5
            values = ground * _calibration(number) + residual * 0.6
            values = values + _noise(rng, values, 0.0012, 0.012)
            result[index] = np.where(swath.seen, values, np.nan)
        result[-1] = np.where(swath.seen, self._flags(swath, rng), np.nan)
        return result

    def _flags(self, swath: Swath, rng: np.random.Generator) -> FloatArray:
        """Bits 1 cloud, 2 ambiguous, 4 margin, 8 snow, as sure as the real ones: thin cloud is missed."""
        doubt = swath.cloud + rng.normal(0, 0.03, swath.cloud.shape)
        cloud = doubt > 0.32
        flags = np.where(cloud, _CLOUD, 0)
        flags |= np.where((doubt > 0.14) & ~cloud, _AMBIGUOUS, 0)
        flags |= np.where(ndimage.binary_dilation(cloud) & ~cloud, _MARGIN, 0)
        flags |= np.where((swath.snow > 0.5) & ~cloud, _SNOW, 0)
        return flags.astype(np.float32)


_USED: Final = WAVELENGTHS[[BANDS.index(band) for band in SURFACE]]


def _at(ground: FloatArray, wavelength: float) -> FloatArray:
    """The surface at a wavelength, linear between the carried bands."""
    right = int(np.clip(np.searchsorted(_USED, wavelength), 1, len(_USED) - 1))
    share = float(np.clip((wavelength - _USED[right - 1]) / (_USED[right] - _USED[right - 1]), 0, 1))
    return ground[right - 1] * np.float32(1 - share) + ground[right] * np.float32(share)


def _calibration(number: int) -> float:
    """Gain of an OLCI band against the landscape's scale: narrower bands, another instrument."""
    return 1 + 0.012 * math.sin(2.1 * number)


def _noise(rng: np.random.Generator, values: FloatArray, absolute: float, relative: float) -> FloatArray:
    spread = absolute + relative * np.abs(values)
    return (rng.standard_normal(values.shape) * spread).astype(np.float32)


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def bands_of(collection: str) -> tuple[str, ...]:
    return L1B_BANDS if collection == L1B else SYN_BANDS


def assemble(
    cubes: Sequence[Cubes],
    collection: str,
    bounds: tuple[float, float, float, float],
    start: datetime,
    end: datetime,
    today: date,
    bands: Sequence[str],
) -> xr.DataArray:
    """Cut the pixels that touch ``bounds`` out of the sites' cubes for start <= t < end, up to ``today``.

    KeyError-free by contract: unknown bands raise ValueError. Ground outside every site's area is missing.
    """
    known = bands_of(collection)
    unknown = [band for band in bands if band not in known]
    if unknown:
        raise ValueError(f"{collection} has no band {unknown[0]!r}; it has {', '.join(known)}.")
    west, south, east, north = bounds
    first, last = math.floor((west + 180) * PER_DEGREE), math.ceil((east + 180) * PER_DEGREE)
    top, bottom = math.floor((90 - north) * PER_DEGREE), math.ceil((90 - south) * PER_DEGREE)
    x = (first + np.arange(last - first) + 0.5) / PER_DEGREE - 180
    y = 90 - (top + np.arange(bottom - top) + 0.5) / PER_DEGREE
    begin, stop = _naive(start), min(_naive(end), datetime.combine(today + timedelta(days=1), datetime.min.time()))
    merged: dict[np.datetime64, FloatArray] = {}
    columns = [known.index(band) for band in bands]
    for cube in cubes:
        lattice = cube.olci.lattice
        rows = slice(max(top, lattice.row), min(bottom, lattice.row + lattice.rows))
        cols = slice(max(first, lattice.column), min(last, lattice.column + lattice.columns))
        if rows.start >= rows.stop or cols.start >= cols.stop or begin >= stop:
            continue
        for times, pixels in cube.steps(collection, begin.date(), (stop - timedelta(microseconds=1)).date()):
            for time, image in zip(times, pixels, strict=True):
                if not np.datetime64(begin) <= time < np.datetime64(stop):
                    continue
                target = merged.setdefault(time, np.full((len(bands), len(y), len(x)), NODATA[collection], np.float32))
                source = image[
                    columns,
                    rows.start - lattice.row : rows.stop - lattice.row,
                    cols.start - lattice.column : cols.stop - lattice.column,
                ]
                target[:, rows.start - top : rows.stop - top, cols.start - first : cols.stop - first] = source
    times = np.array(sorted(merged), "datetime64[ns]")
    data = np.stack([merged[t] for t in times]) if len(times) else np.zeros((0, len(bands), len(y), len(x)), np.float32)
    return xr.DataArray(
        data,
        dims=("t", "bands", "y", "x"),
        coords={"t": times, "bands": list(bands), "y": y, "x": x},
        attrs={"nodata": NODATA[collection], "crs": "EPSG:4326"},
    )


def _naive(moment: datetime) -> datetime:
    """UTC without its zone."""
    offset = moment.utcoffset()
    return moment if offset is None else (moment - offset).replace(tzinfo=None)


def collections(bounds: list[list[float]]) -> list[dict[str, Any]]:
    """Both collections as the back-end describes them; ``bounds`` are the areas with data."""
    whole = [min(b[0] for b in bounds), min(b[1] for b in bounds), max(b[2] for b in bounds), max(b[3] for b in bounds)]
    titles = {
        L1B: ("Sentinel-3 OLCI L1B: top-of-atmosphere reflectance, one value a day", "2016-04-20T00:00:00Z"),
        SYN: ("Sentinel-3 SYN L2: surface reflectance and cloud flags, one step an overpass", "2018-09-01T00:00:00Z"),
    }
    return [_collection(identifier, *titles[identifier], whole, bounds) for identifier in (L1B, SYN)]


def _collection(
    identifier: str, title: str, since: str, whole: list[float], bounds: list[list[float]]
) -> dict[str, Any]:
    names = bands_of(identifier)
    wavelengths = {**dict(zip(L1B_BANDS, _CENTRES, strict=True))}
    wavelengths |= {f"Syn_Oa{n:02d}_reflectance": _CENTRES[n - 1] for n in _SYN_NUMBERS}
    described = [
        {"name": name} | ({"center_wavelength": wavelengths[name] / 1000} if name in wavelengths else {})
        for name in names
    ]
    axis = {"type": "spatial", "step": 1 / PER_DEGREE, "reference_system": 4326}
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/datacube/v2.2.0/schema.json",
            "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
        ],
        "id": identifier,
        "title": title,
        "description": f"{title}. On the real product's grid; {NOTICE}.",
        "license": LICENCE,
        "providers": PROVIDERS,
        "extent": {"spatial": {"bbox": [whole, *bounds]}, "temporal": {"interval": [[since, None]]}},
        "links": [],
        "cube:dimensions": {
            "x": axis | {"axis": "x", "extent": [whole[0], whole[2]]},
            "y": axis | {"axis": "y", "extent": [whole[1], whole[3]]},
            "t": {"type": "temporal", "extent": [since, None]},
            "bands": {"type": "bands", "values": list(names)},
        },
        "summaries": {"constellation": ["sentinel-3"], "instruments": ["OLCI"], "eo:bands": described},
    }
