"""The landscape of a site and its truth: the surface reflectance of any day, everywhere, without any sensor.

``Landscape`` lays out covers and their per-cell parameters; a ``SurfaceView`` is a set of cells whose truth is asked
for again and again (a grid, the camera's field, all cells), with the parameters gathered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from affine import Affine

from satfusion_assets.sandbox import layout, signatures
from satfusion_assets.sandbox.effects import PLAIN, Effects
from satfusion_assets.sandbox.effects import season as events
from satfusion_assets.sandbox.effects.camera import displacement
from satfusion_assets.sandbox.effects.terrain import Terrain
from satfusion_assets.sandbox.geometry import Cells, FloatArray, generator
from satfusion_assets.sandbox.season import Calendar, Climate, logistic
from satfusion_assets.sandbox.signatures import FUSED, Cover
from satfusion_assets.sandbox.weather import Weather
from satfusion_assets.vocabulary.sites import Site

THRESHOLDS: Final = (0.10, 0.25, 0.50)
"""Shares of the year's GCC amplitude at which the transition dates lie."""
_FLAT: Final = 0.02
"""GCC amplitude below which a cell has no season."""
_CUT_DEPTH: Final = 0.6
_SOILS: Final = frozenset({Cover.GRASS, Cover.CROP, Cover.WETLAND, Cover.BARE})
"""Covers whose soil lies open when nothing grows."""


@dataclass(frozen=True)
class TrueDates:
    """Transition dates of one calendar year from the noise-free daily truth, in days of year (1.0 = 1 January).

    rising, falling: (3, *cells) for 10, 25 and 50 % of the year's GCC amplitude: the year's first upward and last
    downward crossing, linear between days; NaN where there is none. minimum, maximum: GCC. Cells whose amplitude
    is below 0.02 have no season: all NaN.
    """

    year: int
    rising: FloatArray
    falling: FloatArray
    minimum: FloatArray
    maximum: FloatArray


@dataclass(frozen=True)
class _Year:
    """What is particular to one year, per patch: shifts in days, amplitude factors, days of the cuts."""

    rise: FloatArray
    fall: FloatArray
    amplitude: FloatArray
    cuts: FloatArray
    events: events.YearEvents


class Landscape:
    """The truth of one site, a function of the site and the seed.

    The camera's field (the site's vegetation) lies at the centre, a second vegetation (the second region of interest
    of the camera) beside it. effects: what makes it hard.
    """

    def __init__(self, site: Site, seed: int = 1, effects: Effects = PLAIN) -> None:
        self.site = site
        self.seed = seed
        self.effects = effects
        self.cells = Cells.of(site)
        self.climate = Climate.of(site)
        self.weather = Weather(site.name, self.climate, seed)
        self.main, self.second = layout.vegetation(site)
        self.plan = layout.plan(site, self.cells, self.climate, seed)
        self.calendars = self.climate.calendars()
        self._years: dict[int, _Year] = {}

    @property
    def epsg(self) -> int:
        """The UTM zone of the site, in which eastings and northings are meant."""
        return self.cells.tile.epsg

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """west, south, east, north of the world in metres; beyond it there is nothing."""
        tile = self.cells.tile
        return (tile.west, tile.south, tile.east, tile.north)

    @cached_property
    def terrain(self) -> Terrain:
        """Slopes and horizons of all cells."""
        return Terrain(self.cells, self.plan.height)

    @cached_property
    def soaking(self) -> FloatArray:
        """Share of the full darkening by water that each cell takes: soils differ from place to place."""
        rng = generator(self.seed, self.site.name, "soaking")
        of_patch = rng.uniform(0.3, 1.0, self.plan.patches)[self.plan.patch]
        return np.clip(of_patch + rng.normal(0, 0.1, of_patch.size), 0, 1).astype(np.float32)

    @cached_property
    def whole(self) -> SurfaceView:
        """All cells, in their order."""
        return SurfaceView(self, np.arange(self.cells.count, dtype=np.int32))

    def view(self, transform: Affine, shape: tuple[int, int]) -> SurfaceView:
        """The cells under the pixel centres of a grid in the site's CRS.

        Pixels of more than 10 m see the cell under their centre, not an average. ValueError when the grid reaches
        beyond the world.
        """
        rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
        east = transform.c + transform.a * columns + transform.b * rows
        north = transform.f + transform.d * columns + transform.e * rows
        return self.at(east, north)

    def at(self, east: npt.NDArray[np.float64], north: npt.NDArray[np.float64]) -> SurfaceView:
        """The cells at points, in the points' shape."""
        tile = self.cells.tile
        column = np.floor((np.asarray(east) - tile.west) / 10).astype(int)
        row = np.floor((tile.north - np.asarray(north)) / 10).astype(int)
        if row.size and not (min(row.min(), column.min()) >= 0 and max(row.max(), column.max()) < tile.size):
            raise ValueError(f"The points reach beyond the sandbox's world of {self.site.name} ({self.bounds}).")
        return SurfaceView(self, self.cells.lookup[row, column])

    def field(self, cover: Cover) -> SurfaceView:
        """The cells that the camera's region of interest for ``cover`` covers: the nearest of that cover."""
        x, y = self.plan.east, self.plan.north
        if self.effects.displaced_field:
            east, north = displacement(self.seed, self.site.name)
            x, y = x - np.float32(east), y - np.float32(north)
        mine = np.flatnonzero(self.plan.cover == cover)
        nearest = mine[np.argsort(np.hypot(x[mine], y[mine]), kind="stable")[:200]]
        return SurfaceView(self, nearest.astype(np.int32))

    def reflectance(
        self, day: date, transform: Affine, shape: tuple[int, int], bands: Sequence[str] = FUSED
    ) -> FloatArray:
        """(bands, *shape): true surface reflectance; ask a ``view`` when you ask for many days."""
        return self.view(transform, shape).reflectance(day, bands)

    def year(self, year: int) -> _Year:
        """What is particular to ``year``: every year, cover and patch differs in dates and amplitude."""
        if year not in self._years:
            rng = generator(self.seed, self.site.name, "year", year)
            covers, patches = len(Cover), self.plan.patches
            cover = self.plan.patch_cover
            rise = rng.normal(0, 6, covers)[cover] + rng.normal(0, 2.0, patches)
            fall = rng.normal(0, 6, covers)[cover] + rng.normal(0, 2.5, patches)
            amplitude = rng.normal(1, 0.06, covers)[cover] * rng.normal(1, 0.03, patches)
            cuts = rng.normal(0, 5, 3) + rng.normal(0, 6, (patches, 3))
            spring = self.climate.spring + (182 if self.climate.south else 0)
            befalling = events.year_events(self.effects, self.seed, self.site.name, year, spring, patches)
            amplitude = np.clip(amplitude, 0.75, 1.12)
            self._years[year] = _Year(_f32(rise), _f32(fall), _f32(amplitude), _f32(cuts), befalling)
        return self._years[year]


class SurfaceView:
    """Some cells of a landscape, any shape, ready to be asked for many days."""

    def __init__(self, landscape: Landscape, cells: npt.NDArray[np.int32]) -> None:
        self.landscape = landscape
        self.shape = cells.shape
        flat = cells.ravel()
        order = np.argsort(landscape.plan.cover[flat], kind="stable")
        self._order = order
        self._cells = flat[order]
        self._plan = landscape.plan.take(flat[order])
        bounds = np.searchsorted(self._plan.cover, np.arange(len(Cover) + 1))
        self._slices = {c: slice(int(bounds[c]), int(bounds[c + 1])) for c in Cover if bounds[c + 1] > bounds[c]}
        self._cycles: dict[tuple[Cover, int], tuple[FloatArray, FloatArray, FloatArray, FloatArray]] = {}

    @cached_property
    def land_cover(self) -> npt.NDArray[np.uint8]:
        """Class (``Cover``) of every cell."""
        return self._scatter(self._plan.cover)

    @property
    def east(self) -> FloatArray:
        """Metres east of the site, per cell."""
        return self._scatter(self._plan.east)

    @property
    def north(self) -> FloatArray:
        """Metres north of the site, per cell."""
        return self._scatter(self._plan.north)

    def _scatter(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values in the order of covers, back in the shape of the view."""
        result = np.empty_like(values)
        result[..., self._order] = values
        return result.reshape(*values.shape[:-1], *self.shape)

    def reflectance(self, day: date, bands: Sequence[str] = FUSED) -> FloatArray:
        """(bands, *shape): true surface reflectance at noon of ``day``, snow included."""
        ground = self._ground(day, bands)
        cover = self._snow(day)
        if cover is not None:
            ground += cover * (signatures.snow(bands)[:, None] - ground)
        return self._scatter(ground)

    def canopy(self, day: date, bands: Sequence[str] = FUSED) -> FloatArray:
        """(bands, *shape): the same without snow, which is what transition dates are about."""
        return self._scatter(self._ground(day, bands))

    def gcc(self, day: date) -> FloatArray:
        """(*shape): true green chromatic coordinate of the ground with its snow."""
        blue, green, red = self.reflectance(day, FUSED[:3])
        return green / (blue + green + red)

    def greenness(self, day: date) -> FloatArray:
        """(*shape): share of green canopy, 0 ... about 1."""
        result = np.zeros(self._plan.cover.shape, np.float32)
        for cover in self._slices:
            result[self._slices[cover]] = self._season(cover, day)[0]
        return self._scatter(result)

    def snow(self, day: date) -> FloatArray:
        """(*shape): share of the pixel that is snow."""
        cover = self._snow(day)
        return self._scatter(np.zeros(self._plan.cover.shape, np.float32) if cover is None else cover)

    def true_dates(self, year: int) -> TrueDates:
        """10, 25 and 50 % dates of every cell in calendar year ``year`` (snow-free truth, one value a day)."""
        first = date(year, 1, 1)
        length = (date(year + 1, 1, 1) - first).days
        days = np.empty((length, *self.shape), np.float32)
        for i in range(length):
            blue, green, red = self.canopy(first + timedelta(i), FUSED[:3])
            days[i] = green / (blue + green + red)
        low, high = days.min(axis=0), days.max(axis=0)
        season = high - low >= _FLAT
        levels = [np.where(season, low + share * (high - low), np.nan) for share in THRESHOLDS]
        rising = np.stack([_crossing(days, level) for level in levels])
        falling = np.stack([length + 1 - _crossing(days[::-1], level) for level in levels])
        return TrueDates(year, rising, falling.astype(np.float32), low, high)

    def _snow(self, day: date) -> FloatArray | None:
        cover = self.landscape.weather.snow_cover(day, self._plan.height, self._plan.patchiness)
        return cover * signatures.SNOW_BURIES[self._plan.cover] if cover.any() else None

    def _ground(self, day: date, bands: Sequence[str]) -> FloatArray:
        ground = np.empty((len(bands), self._plan.cover.size), np.float32)
        effects, wetness = self.landscape.effects, self.landscape.weather.wetness(day)
        for cover, part in self._slices.items():
            dormant, green, senescent = signatures.endmembers(cover, bands)
            if effects.autumn_colour:
                senescent = events.coloured(cover, tuple(bands), senescent)
            leaf, age = self._season(cover, day)
            for band in range(len(bands)):
                level = np.float32(green[band]) + age * (senescent[band] - green[band])
                ground[band, part] = dormant[band] + leaf * (level - dormant[band])
            ground[:, part] *= self._plan.texture[part]
            if effects.wetness and cover in _SOILS:
                ground[:, part] *= events.soil_factor(wetness, leaf, self.landscape.soaking[self._cells[part]])
        return ground

    def _season(self, cover: Cover, day: date) -> tuple[FloatArray, FloatArray]:
        """Greenness and age (0 green, 1 senescent) of the cells of one cover."""
        size = self._slices[cover].stop - self._slices[cover].start
        calendar = self.landscape.calendars.get(cover)
        if calendar is None:
            return np.zeros(size, np.float32), np.zeros(size, np.float32)
        leaf = np.full(size, calendar.base, np.float32)
        age = np.zeros(size, np.float32)
        for year in range(day.year - 1, day.year + 2):
            now = day.toordinal() - date(year, 1, 1).toordinal()
            cycle, late = calendar.cycle, calendar.late
            if not cycle.rise - 75 < now < max(cycle.fall, cycle.fall + late[1]) + 90:
                continue
            rise, fall, amplitude, cuts = self._cycle(cover, calendar, year)
            of = self.landscape.year(year)
            up = logistic((np.float32(now) - rise) / np.float32(cycle.rise_width))
            down = logistic((np.float32(now) - fall) / np.float32(cycle.fall_width))
            # The product, not the difference: it is the same for a long season and cannot go negative for a short one.
            grown = amplitude * up * (1 - down)
            for column, cut in enumerate(calendar.cuts):
                if -30 < now - cut < 75:
                    grown *= 1 - _CUT_DEPTH * _cut(np.float32(now) - np.float32(cut) - cuts[:, column])
            grown *= np.float32(events.kept(of.events, cover, now))
            leaf += grown
            if self.landscape.effects.autumn_colour and cover is Cover.BROADLEAF:
                down = logistic((np.float32(now + events.COLOUR_LEAD) - fall) / np.float32(cycle.fall_width))
            age = np.maximum(age, np.float32(0.85) * down)
            if self.landscape.effects.second_flush and cover in events.FLUSH:
                again = events.flush(
                    calendar, cover, now, fall, of.events.flushing[self._plan.patch[self._slices[cover]]]
                )
                leaf += again
                # New leaves are green, whatever the old ones were.
                age *= 1 - np.minimum(again / np.float32(events.FLUSH[cover]), 1) * np.float32(0.9)
        return leaf, age

    def _cycle(
        self, cover: Cover, calendar: Calendar, year: int
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Dates of rise and fall, amplitude, and cut shifts of the cells of one cover in one year."""
        key = (cover, year)
        if key not in self._cycles:
            part = self._slices[cover]
            plan, of = self._plan, self.landscape.year(year)
            patch = plan.patch[part]
            late = plan.late[part]
            rise = calendar.cycle.rise + plan.rise[part] + of.rise[patch] + late * calendar.late[0]
            fall = calendar.cycle.fall + plan.fall[part] + of.fall[patch] + late * calendar.late[1]
            amplitude = calendar.cycle.amplitude * plan.amplitude[part] * of.amplitude[patch]
            cuts = of.cuts[patch] + plan.rise[part, None]
            # Meadows that nobody mows: their cuts never come.
            cuts[~plan.mown[part]] = 1e6
            arrays = tuple(np.asarray(a, np.float32) for a in (rise, fall, amplitude, cuts))
            self._cycles[key] = (arrays[0], arrays[1], arrays[2], arrays[3])
        return self._cycles[key]


def _f32(values: npt.NDArray[np.float64]) -> FloatArray:
    return values.astype(np.float32)


def _cut(age: FloatArray) -> FloatArray:
    """What a cut has taken that has not grown again, 0 ... 1, by days since the cut."""
    return (age >= 0) * (1 - logistic((age - np.float32(13)) / np.float32(4.5)))


def _crossing(days: FloatArray, level: FloatArray) -> FloatArray:
    """(*cells): day of the first upward crossing of ``level`` in (days, *cells), 1-based; NaN where none."""
    above = days >= level
    up = above[1:] & ~above[:-1]
    first = up.argmax(axis=0)
    before = np.take_along_axis(days, first[None], 0)[0]
    after = np.take_along_axis(days, first[None] + 1, 0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        day = first + 1 + (level - before) / (after - before)
    return np.where(up.any(axis=0), day, np.nan).astype(np.float32)
