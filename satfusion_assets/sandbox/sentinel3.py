"""Sentinel-3 over a site: what OLCI sees of the landscape through its wide point spread, pass by pass.

Everything here is linear in the surface, so a pass is stored once as coarse sums (``Swath``); the products that the
back-end serves (``olci.py``) are made of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.spatial import cKDTree

from satfusion_assets.sandbox.effects import brdf, registration
from satfusion_assets.sandbox.effects.terrain import diffuse_share
from satfusion_assets.sandbox.geometry import FloatArray, generator, transformer
from satfusion_assets.sandbox.landscape import Landscape, SurfaceView
from satfusion_assets.sandbox.orbits import solar_hour, sun
from satfusion_assets.sandbox.weather import brightness, opacity

PER_DEGREE: Final = 336
"""Pixels per degree of the back-end's grid: 0.00297619 degrees."""
SURFACE: Final = (
    "coastal",
    "blue",
    "green",
    "red",
    "rededge1",
    "rededge2",
    "rededge3",
    "nir",
    "nir08",
    "nir09",
)
"""Bands that carry the surface between landscape and sensor; OLCI's lie between them."""
_FWHM: Final = 405.0
"""Full width at half maximum of the point spread in metres: 1.35 of the sensor's 300 m."""
_TRACKS: Final = 360 / (385 / 27)
"""Degrees between two tracks of a day: 385 orbits in 27 days."""
_HALF_SWATH: Final = 635.0
_SATELLITES: Final = (("S3A", date(2016, 4, 20), 0.0), ("S3B", date(2018, 11, 27), 140 / 360))
_MISSING_DAYS: Final = 0.02
_GAPS: Final = 0.04


@dataclass(frozen=True, order=True)
class SyntheticOverpass:
    """One overflight of Sentinel-3. offset: degrees by which the site lies east of the track."""

    time: datetime
    satellite: str
    offset: float


@dataclass(frozen=True)
class Swath:
    """What one overpass sees, on the coarse pixels (rows, columns).

    ground: (bands, y, x) reflectance of the ground weighted with the share that no cloud hides. cloud: share hidden.
    bright: cloud reflectance weighted with that share. haze: optical depth. snow: share of snow. seen: swath.
    """

    ground: FloatArray
    cloud: FloatArray
    bright: FloatArray
    haze: FloatArray
    snow: FloatArray
    seen: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lattice:
    """The back-end's pixels around a site: first row and column on the global grid, counted from 90 N 180 W."""

    row: int
    column: int
    rows: int
    columns: int

    @property
    def x(self) -> npt.NDArray[np.float64]:
        return (self.column + np.arange(self.columns) + 0.5) / PER_DEGREE - 180

    @property
    def y(self) -> npt.NDArray[np.float64]:
        return 90 - (self.row + np.arange(self.rows) + 0.5) / PER_DEGREE


class Olci:
    """OLCI over one site."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self._spreads: dict[tuple[float, float], sparse.csr_array] = {}

    @property
    def reach(self) -> float:
        """Half-width of the area with data in metres: the site's grid and some pixels around it."""
        return max(4000.0, self.landscape.site.extent_m / 2 + 2500)

    @cached_property
    def lattice(self) -> Lattice:
        """All pixels with a centre inside the area with data."""
        site = self.landscape.site
        high = self.reach / 111_320
        wide = high / math.cos(math.radians(site.latitude))
        row, column = (
            math.ceil((90 - site.latitude - high) * PER_DEGREE),
            math.ceil((site.longitude - wide + 180) * PER_DEGREE),
        )
        rows = math.floor((90 - site.latitude + high) * PER_DEGREE) - row
        columns = math.floor((site.longitude + wide + 180) * PER_DEGREE) - column
        return Lattice(row, column, rows, columns)

    @cached_property
    def _samples(self) -> npt.NDArray[np.int32]:
        """Cells at which the ground is sampled: every third of the core (30 m), those around it (60 m) within reach."""
        cells, plan = self.landscape.cells, self.landscape.plan
        side = cells.core_size
        inner = np.arange(side * side, dtype=np.int32).reshape(side, side)[1::3, 1::3].ravel()
        # The grid of degrees lies askew to that of metres, hence a little more than three sigma of the point spread.
        near = np.maximum(np.abs(plan.east), np.abs(plan.north)) < self.reach + 1000
        outer = np.flatnonzero(near[side * side :]) + side * side
        return np.concatenate([inner, outer.astype(np.int32)])

    @cached_property
    def _view(self) -> SurfaceView:
        return SurfaceView(self.landscape, self._samples)

    def _weights_of(self, overpass: SyntheticOverpass) -> sparse.csr_array:
        """The point spread of an overpass, off its place by as much as that overpass is."""
        if not self.landscape.effects.misregistration:
            return self._weights(0.0, 0.0)
        seed, name = self.landscape.seed, self.landscape.site.name
        lot = generator(seed, name, overpass.satellite, f"{overpass.time:%Y%m%d%H%M}", "offset")
        number = int(lot.integers(registration.COARSE_OFFSETS))
        return self._weights(*registration.offset(300, seed, name, "sentinel-3", number))

    def _weights(self, off_east: float, off_north: float) -> sparse.csr_array:
        """(pixels, samples): the point spread, normalised over what of the landscape it sees; kept for each offset."""
        if (off_east, off_north) not in self._spreads:
            self._spreads[off_east, off_north] = self._spread(off_east, off_north)
        return self._spreads[off_east, off_north]

    def _spread(self, off_east: float, off_north: float) -> sparse.csr_array:
        lattice, cells = self.lattice, self.landscape.cells
        longitude, latitude = np.meshgrid(lattice.x, lattice.y)
        east, north = transformer(4326, cells.tile.epsg).transform(longitude.ravel(), latitude.ravel())
        # An image that lies too far east shows ground from further west.
        east, north = east - off_east, north - off_north
        x, y = (values[self._samples] for values in cells.coordinates)
        sigma = _FWHM / (2 * math.sqrt(2 * math.log(2)))
        distance = cKDTree(np.column_stack([east, north])).sparse_distance_matrix(
            cKDTree(np.column_stack([x, y])), 3 * sigma, output_type="coo_matrix"
        )
        area = np.where(self._samples < cells.core_size**2, 900.0, 3600.0)
        values = np.exp(-0.5 * (distance.data / sigma) ** 2) * area[distance.col]
        spread = sparse.csr_array((values, (distance.row, distance.col)), shape=distance.shape)
        total = np.asarray(spread.sum(axis=1)).ravel()
        return sparse.csr_array(sparse.diags_array(1 / total) @ spread).astype(np.float32)

    def overpasses(self, day: date) -> list[SyntheticOverpass]:
        """The day's overflights that see the site, in time order."""
        return sorted(self._overpasses(day))

    def _overpasses(self, day: date) -> Iterator[SyntheticOverpass]:
        site, seed = self.landscape.site, self.landscape.seed
        half = _HALF_SWATH / (111.32 * math.cos(math.radians(min(abs(site.latitude), 78))))
        for satellite, since, phase in _SATELLITES:
            if day < since:
                continue
            rng = generator(seed, site.name, satellite, day.toordinal())
            if rng.random() < _MISSING_DAYS:
                continue
            turn = (day.toordinal() * 385 / 27 + phase + site.longitude / _TRACKS) % 1
            for track in (-1, 0, 1):
                offset = (turn + track - 0.5) * _TRACKS
                if abs(offset) < half:
                    # A sun-synchronous track passes at ten; who lies east of it has a later hour of the sun.
                    hour = (10.0 + offset / 15 - site.longitude / 15) % 24
                    time = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=round(60 * hour))
                    yield SyntheticOverpass(time, satellite, offset / half)

    def swath(self, overpass: SyntheticOverpass) -> Swath:
        """What an overpass sees of the area."""
        landscape, day = self.landscape, overpass.time.date()
        site, weather, plan = landscape.site, landscape.weather, landscape.plan
        x, y = plan.east[self._samples], plan.north[self._samples]
        hour = solar_hour(overpass.time, site.longitude)
        depth = weather.cloud_depth(day, hour, x, y)
        cloud = opacity(depth)
        height, azimuth = sun(overpass.time, site.longitude, site.latitude)
        reach = weather.sky(day).cloud_height / math.tan(math.radians(max(height, 8.0)))
        east, north = reach * math.sin(math.radians(azimuth)), reach * math.cos(math.radians(azimuth))
        shadow = weather.cloud(day, hour, x + np.float32(east), y + np.float32(north))
        # Off to the side of the swath the surface looks a little brighter or darker.
        view = np.float32(1 + 0.03 * overpass.offset)
        lit = (1 - cloud) * (1 - np.float32(0.62) * shadow) * (view if not landscape.effects.brdf else np.float32(1))
        light = self._light(overpass, height, azimuth)
        layers = [
            *(self._view.reflectance(day, SURFACE) * light * lit),
            cloud,
            cloud * brightness(depth),
            weather.haze(day, hour, x, y),
            self._view.snow(day),
        ]
        coarse = (self._weights_of(overpass) @ np.stack(layers, axis=1)).T.astype(np.float32)
        coarse = coarse.reshape(len(layers), self.lattice.rows, self.lattice.columns)
        bands = len(SURFACE)
        return Swath(
            coarse[:bands], coarse[bands], coarse[bands + 1], coarse[bands + 2], coarse[bands + 3], self._seen(overpass)
        )

    def _light(self, overpass: SyntheticOverpass, elevation: float, azimuth: float) -> FloatArray:
        """(bands, samples) or what broadcasts to it: reflectance at these angles and slopes over flat ground's."""
        effects, light = self.landscape.effects, np.ones((1, 1), np.float32)
        if effects.brdf:
            zenith, towards = brdf.coarse_view(overpass.offset, _HALF_SWATH)
            light = brdf.factors(SURFACE, 90 - elevation, zenith, towards - azimuth)[:, None]
        if effects.terrain:
            direct = self.landscape.terrain.direct(elevation, azimuth)[self._samples]
            shares = np.array([diffuse_share(band, elevation) for band in SURFACE], np.float32)[:, None]
            light = light * (shares + (1 - shares) * direct)
        return light

    def _seen(self, overpass: SyntheticOverpass) -> npt.NDArray[np.bool_]:
        """Which pixels lie in the swath: now and then its edge or a gap runs through the area."""
        lattice = self.lattice
        rng = generator(
            self.landscape.seed, self.landscape.site.name, overpass.satellite, f"{overpass.time:%Y%m%d%H%M}"
        )
        columns = np.arange(lattice.columns)[None, :] + 0.3 * np.arange(lattice.rows)[:, None]
        if rng.random() >= _GAPS:
            return np.ones(columns.shape, bool)
        border = rng.uniform(0.25, 0.9) * columns.max()
        return columns < border if rng.random() < 0.5 else columns > columns.max() - border
