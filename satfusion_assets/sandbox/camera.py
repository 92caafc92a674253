"""The PhenoCam at the site's centre: its daily colour statistics, its records and the list of its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np

from satfusion_assets.sandbox.effects import camera as stand
from satfusion_assets.sandbox.geometry import FloatArray, generator
from satfusion_assets.sandbox.landscape import Landscape, SurfaceView
from satfusion_assets.sandbox.layout import CODES
from satfusion_assets.sandbox.orbits import sun
from satfusion_assets.sandbox.signatures import FUSED, Cover
from satfusion_assets.sandbox.synthetic import NOTICE

_STATISTICS: Final = ("mean", "std", "50", "75", "90")
COLUMNS: Final = (
    *("date", "year", "doy", "image_count", "midday_filename"),
    *(f"midday_{name}" for name in ("r", "g", "b", "gcc", "rcc")),
    *(f"{channel}_{name}" for channel in "rgb" for name in ("mean", "std")),
    *(f"{index}_{name}" for index in ("gcc", "rcc") for name in _STATISTICS),
    *("max_solar_elev", "snow_flag"),
    *(f"outlierflag_gcc_{name}" for name in ("mean", "50", "75", "90")),
)
_LOWEST_SUN: Final = 10.0
"""Pictures taken with a lower sun do not count, so a northern mid-winter has no rows with values."""


@dataclass(frozen=True)
class Roi:
    """A region of interest of the camera: one vegetation, in force since a day."""

    cover: Cover
    sequence: int
    since: date

    @property
    def code(self) -> str:
        return CODES[self.cover]


@dataclass(frozen=True)
class Shot:
    """One day of one region in the camera's own colours.

    gcc, rcc: chromatic coordinates as bright pictures of the day have them (their 90th percentile). middle_gcc,
    middle_rcc: those of the midday picture. spread: scatter of the day's pictures. brightness: sum of the three
    channels at midday. snow: share of the ground. veiled: whether fog or water hung before the lens.
    """

    gcc: float
    rcc: float
    middle_gcc: float
    middle_rcc: float
    spread: float
    brightness: float
    snow: float
    veiled: bool


class SyntheticCamera:
    """One camera: a bias and a gain of its own, weeks in which it is down, and two regions."""

    def __init__(self, landscape: Landscape, first: date, last: date) -> None:
        self.landscape = landscape
        self.first, self.last = first, last
        site = landscape.site
        rng = generator(landscape.seed, site.name, "camera")
        self.gain = float(rng.uniform(0.80, 1.12))
        self.bias = float(0.336 - self.gain * 0.336 + rng.uniform(-0.006, 0.014))
        self.utc_offset = round(site.longitude / 15)
        # The second region was drawn half a year after the camera began.
        later = first + timedelta(days=150)
        self.rois = (Roi(landscape.main, 1000, first), Roi(landscape.second, 2000, later))

    @property
    def name(self) -> str:
        return self.landscape.site.name

    @cached_property
    def _views(self) -> dict[Cover, SurfaceView]:
        return {roi.cover: self.landscape.field(roi.cover) for roi in self.rois}

    @cached_property
    def _down(self) -> frozenset[date]:
        """Days without any picture."""
        days: set[date] = set()
        for year in range(self.first.year, self.last.year + 1):
            rng = generator(self.landscape.seed, self.name, "down", year)
            for _ in range(int(rng.integers(2, 5))):
                start = date(year, 1, 1) + timedelta(days=int(rng.integers(0, 350)))
                days.update(start + timedelta(days=i) for i in range(int(rng.integers(4, 19))))
        return frozenset(days)

    def is_down(self, day: date) -> bool:
        return day in self._down

    def shot(self, roi: Roi, day: date) -> Shot:
        """The day in the camera's colours."""
        view = self._views[roi.cover]
        blue, green, red = (self._pooled(roi, band) for band in view.reflectance(day, FUSED[:3]))
        total = blue + green + red
        sky = self.landscape.weather.sky(day)
        rng = generator(self.landscape.seed, self.name, "shot", roi.sequence, day.toordinal())
        gcc = self.bias + self.gain * green / total + rng.normal(0, 0.0026)
        if self.landscape.effects.white_balance:
            gcc += stand.drift(self.landscape.seed, self.name, day)
        rcc = 1 / 3 + 0.8 * self.gain * (red / total - 1 / 3) + rng.normal(0, 0.003)
        veiled = bool(rng.random() < 0.02)
        if veiled:
            gcc += float(rng.choice([-1, -1, 1])) * rng.uniform(0.018, 0.05)
        spread = abs(float(rng.normal(0.0025, 0.001))) + 0.0008
        snow = self._pooled(roi, view.snow(day))
        brightness = (230 + 280 * snow) * (1.05 - 0.3 * sky.cover) * rng.normal(1, 0.06)
        return Shot(
            gcc=float(gcc),
            rcc=float(rcc),
            middle_gcc=float(rng.normal(gcc - 2 * spread, spread)),
            middle_rcc=float(rng.normal(rcc - 2 * spread, spread)),
            spread=spread,
            brightness=float(np.clip(brightness, 105, 660)),
            snow=snow,
            veiled=veiled,
        )

    def _pooled(self, roi: Roi, values: FloatArray) -> float:
        """Mean of the region's cells as they fill the picture: all alike, or the nearer the more."""
        if not self.landscape.effects.oblique:
            return float(values.mean())
        return float(self._footprints[roi.cover] @ values)

    @cached_property
    def _footprints(self) -> dict[Cover, FloatArray]:
        return {
            cover: stand.footprint(np.hypot(view.east, view.north)).astype(np.float32)
            for cover, view in self._views.items()
        }

    def midday(self, day: date) -> datetime:
        """When the picture nearest to noon was taken, in local standard time."""
        rng = generator(self.landscape.seed, self.name, "midday", day.toordinal())
        seconds = int(rng.integers(3, 55)) + 60 * int(rng.choice([0, 0, 0, 1, 30]))
        return datetime(day.year, day.month, day.day, 12) + timedelta(seconds=seconds)

    def sun_at_noon(self, day: date) -> float:
        """Highest elevation of the sun in degrees."""
        site = self.landscape.site
        noon = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=12 - site.longitude / 15)
        return sun(noon, site.longitude, site.latitude)[0]

    def images(self, until: date) -> list[tuple[date, str]]:
        """Midday pictures (day, path) as the archive lists them up to a day, oldest first.

        The camera also takes infrared frames: some days list both, on a few the infrared one is all that is listed.
        """
        return [(day, path) for day, path, listed in self._taken(until) if listed]

    def pictures(self, until: date) -> dict[str, date]:
        """Path -> day of every picture in the archive, listed or not."""
        return {path: day for day, path, _ in self._taken(until)}

    def _taken(self, until: date) -> Iterator[tuple[date, str, bool]]:
        for day in self._days(until):
            if self.is_down(day):
                continue
            rng = generator(self.landscape.seed, self.name, "infrared", day.toordinal())
            lot = rng.random()
            yield day, self._path(day, self.midday(day), infrared=False), lot >= 0.02
            if lot < 0.08:
                yield day, self._path(day, self.midday(day) + timedelta(seconds=25), infrared=True), True

    def _path(self, day: date, moment: datetime, infrared: bool) -> str:
        kind = "_IR" if infrared else ""
        return f"/data/archive/{self.name}/{day:%Y/%m}/{self.name}{kind}_{moment:%Y_%m_%d_%H%M%S}.jpg"

    def _days(self, until: date) -> list[date]:
        last = min(self.last, until)
        return [self.first + timedelta(days=i) for i in range((last - self.first).days + 1)]

    def csv(self, roi: Roi, until: date) -> str:
        """The provisional one-day summary file of a region: 32 columns, flags not yet filled in."""
        site = self.landscape.site
        header = f"""#
# 1-day summary product time series for {self.name}
# {NOTICE}
#
# Site: {self.name}
# Veg Type: {roi.code}
# ROI ID Number: {roi.sequence:04d}
# Lat: {site.latitude}
# Lon: {site.longitude}
# Elev: {round(site.elevation or 0)}
# UTC Offset: {self.utc_offset}
# Image Count Threshold: 1
# Aggregation Period: 1
# Solar Elevation Min: {_LOWEST_SUN}
# Time of Day Min: 00:00:00
# Time of Day Max: 23:59:59
# ROI Brightness Min: 100
# ROI Brightness Max: 665
# Creation Date: {roi.since}
# Creation Time: 16:54:30
# Update Date: {until}
# Update Time: 04:12:07
#
"""
        rows = [self._row(roi, day) for day in self._days(until) if day >= roi.since]
        return header + "\n".join([",".join(COLUMNS), *rows]) + "\n"

    def _row(self, roi: Roi, day: date) -> str:
        elevation = self.sun_at_noon(day)
        lead = f"{day},{day.year},{day.timetuple().tm_yday}"
        if self.is_down(day) or elevation < _LOWEST_SUN:
            return f"{lead},0,None," + ",".join(["NA"] * (len(COLUMNS) - 5))
        shot = self.shot(roi, day)
        rng = generator(self.landscape.seed, self.name, "row", roi.sequence, day.toordinal())
        gcc, rcc = _statistics(shot.gcc, shot.spread), _statistics(shot.rcc, shot.spread)
        numbers = [*shot_colour(shot), shot.middle_gcc, shot.middle_rcc]
        for share in (rcc[0], gcc[0], 1 - rcc[0] - gcc[0]):
            mean = 0.97 * shot.brightness * share
            numbers += [mean, mean * float(rng.uniform(0.06, 0.2))]
        numbers += [*gcc, *rcc, elevation]
        count = max(1, round(elevation / 2))
        name = self._path(day, self.midday(day), infrared=False).rsplit("/", 1)[1]
        return f"{lead},{count},{name}," + ",".join(f"{n:.5f}" for n in numbers) + ",NA" * 5

    def record(self, until: date) -> dict[str, Any]:
        """The camera as ``/api/cameras/`` describes it."""
        site = self.landscape.site
        return {
            "Sitename": self.name,
            "Lat": site.latitude,
            "Lon": site.longitude,
            "Elev": site.elevation or 0.0,
            "active": self.last >= until,
            "utc_offset": self.utc_offset,
            "date_first": str(self.first),
            "date_last": str(min(self.last, until)),
            "infrared": "Y",
            "contact1": "satfusion sandbox",
            "contact2": "",
            "sitemetadata": {
                "site_description": f"{site.description or self.name} ({NOTICE})",
                "site_type": "II",
                "group": "sandbox",
                "camera_description": "StarDot NetCam SC",
                "camera_orientation": "N",
                "flux_data": False,
                "primary_veg_type": self.rois[0].code,
                "secondary_veg_type": self.rois[1].code,
                "site_acknowledgements": f"{NOTICE.capitalize()}.",
                "modified": f"{min(self.last, until)}T04:12:07",
            },
        }

    def roi_records(self, until: date) -> list[dict[str, Any]]:
        """The regions as ``/api/roilists/`` describes them."""
        return [self._roi_record(roi, until) for roi in self.rois if roi.since <= until]

    def _roi_record(self, roi: Roi, until: date) -> dict[str, Any]:
        stem = f"/data/archive/{self.name}/ROI/{self.name}_{roi.code}_{roi.sequence:04d}"
        days = [day for day in self._days(until) if day >= roi.since]
        missing = sum(self.is_down(day) or self.sun_at_noon(day) < _LOWEST_SUN for day in days)
        return {
            "roi_name": f"{self.name}_{roi.code}_{roi.sequence:04d}",
            "site": self.name,
            "lat": self.landscape.site.latitude,
            "lon": self.landscape.site.longitude,
            "roitype": roi.code,
            "sequence_number": roi.sequence,
            "description": f"{roi.cover.name.lower()} in the {'foreground' if roi.sequence == 1000 else 'background'}",
            "active": self.last >= until,
            "show_link": True,
            "show_data_link": True,
            "first_date": str(roi.since),
            "last_date": str(days[-1]),
            "site_years": f"{len(days) / 365.25:.1f}",
            "missing_data_pct": f"{100 * missing / len(days):.1f}",
            "roi_page": f"/webcam/roi/{self.name}/{roi.code}_{roi.sequence:04d}/",
            "roi_stats_file": f"{stem}_roistats.csv",
            "one_day_summary": f"{stem}_1day.csv",
            "three_day_summary": f"{stem}_3day.csv",
            "data_release": None,
        }


def shot_colour(shot: Shot) -> tuple[float, float, float]:
    """Red, green and blue of a region in the midday picture, in digital numbers."""
    blue = 1 - shot.middle_rcc - shot.middle_gcc
    return shot.brightness * shot.middle_rcc, shot.brightness * shot.middle_gcc, shot.brightness * blue


def _statistics(high: float, spread: float) -> tuple[float, float, float, float, float]:
    """Mean, standard deviation, and 50th, 75th and 90th percentile of a day's pictures."""
    return high - 2.1 * spread, 1.4 * spread, high - 2 * spread, high - spread, high
