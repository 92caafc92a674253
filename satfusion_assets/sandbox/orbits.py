"""When the Sentinels pass: relative orbits, platforms, processing baselines, the sun.

Anchored on a real pass: relative orbit 65 crosses Tyrol on 1 January 2024 at 10:18 UTC (Sentinel-2A). Ten days are 143
orbits, and neighbouring tracks of 2.517 degrees are 43 orbits apart; everything else follows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

CYCLE: Final = timedelta(days=10)
_ORBITS: Final = 143
_ANCHOR: Final = datetime(2024, 1, 1, 10, 18, 12, tzinfo=UTC)
_ANCHOR_ORBIT: Final = 65
_ANCHOR_LONGITUDE: Final = 11.3
_TRACK: Final = 360 / _ORBITS
_ABSOLUTE: Final = {"S2A": 44535, "S2B": 35626, "S2C": 1650}
"""Absolute orbit number at the anchor's repeat cycle (S2C extrapolated to before its launch)."""
_S2B_FROM: Final = date(2017, 7, 1)
_S2C_FROM: Final = date(2025, 1, 21)
FIRST: Final = date(2015, 7, 6)
"""First Sentinel-2A acquisitions that the archive holds."""

_BASELINES: Final = (
    (date(2015, 1, 1), "00.01"),
    (date(2018, 3, 26), "02.07"),
    (date(2018, 8, 20), "02.08"),
    (date(2018, 10, 20), "02.09"),
    (date(2018, 11, 7), "02.10"),
    (date(2019, 1, 10), "02.11"),
    (date(2019, 5, 6), "02.12"),
    (date(2019, 7, 17), "02.13"),
    (date(2020, 2, 4), "02.14"),
    (date(2021, 3, 30), "03.00"),
    (date(2021, 6, 30), "03.01"),
    (date(2022, 1, 25), "04.00"),
    (date(2022, 12, 6), "05.09"),
    (date(2023, 12, 13), "05.10"),
    (date(2024, 7, 23), "05.11"),
)


@dataclass(frozen=True, order=True)
class Pass:
    """One overflight of a site by Sentinel-2."""

    time: datetime
    platform: str
    orbit: int
    absolute: int

    @property
    def day(self) -> date:
        return self.time.date()


def baseline_at(day: date) -> str:
    """Processing baseline in operation on ``day``."""
    return [name for since, name in _BASELINES if since <= day][-1]


def relative_orbits(longitude: float) -> tuple[int, int]:
    """The two descending tracks that see a longitude best, nearest first."""
    tracks = (_ANCHOR_LONGITUDE - longitude) / _TRACK
    nearest = round(tracks)
    other = nearest + (1 if tracks >= nearest else -1)
    first, second = ((_ANCHOR_ORBIT + 43 * k) % _ORBITS or _ORBITS for k in (nearest, other))
    return first, second


def passes(longitude: float, latitude: float, start: date, end: date) -> Iterator[Pass]:
    """All Sentinel-2 passes over a place within [start, end], by orbit and platform."""
    for orbit in relative_orbits(longitude):
        for platform, delay in (("S2A", 0), ("S2B", 5)):
            offset = timedelta(days=delay + ((orbit - _ANCHOR_ORBIT) % _ORBITS) * 10 / _ORBITS)
            # Descending: a place further south is reached later, by 100 minutes a 360 degrees.
            phase = _ANCHOR + offset + timedelta(minutes=(47.1 - latitude) * 100.6 / 360)
            lower = math.floor((datetime.combine(start, datetime.min.time(), UTC) - phase) / CYCLE)
            count = (end - start).days // 10 + 3
            for cycle in range(lower, lower + count):
                time = phase + cycle * CYCLE
                day = time.date()
                if start <= day <= end and day >= (FIRST if platform == "S2A" else _S2B_FROM):
                    name = "S2C" if platform == "S2A" and day >= _S2C_FROM else platform
                    absolute = _ABSOLUTE[name] + round((time - _ANCHOR) / CYCLE * _ORBITS)
                    yield Pass(time, name, orbit, absolute)


@lru_cache(maxsize=4096)
def sun(time: datetime, longitude: float, latitude: float) -> tuple[float, float]:
    """Elevation and azimuth of the sun in degrees (a formula good to about half a degree)."""
    day = time.timetuple().tm_yday + (time.hour + time.minute / 60) / 24
    angle = 2 * math.pi * (day - 81) / 365.25
    equation = 9.87 * math.sin(2 * angle) - 7.53 * math.cos(angle) - 1.5 * math.sin(angle)
    declination = math.radians(23.45) * math.sin(angle)
    hours = time.hour + time.minute / 60 + time.second / 3600 + longitude / 15 + equation / 60
    hour_angle = math.radians(15 * (hours - 12))
    phi = math.radians(latitude)
    height = math.asin(
        math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour_angle)
    )
    azimuth = math.atan2(
        -math.cos(declination) * math.sin(hour_angle),
        math.sin(declination) * math.cos(phi) - math.cos(declination) * math.sin(phi) * math.cos(hour_angle),
    )
    return math.degrees(height), math.degrees(azimuth) % 360


def solar_hour(time: datetime, longitude: float) -> float:
    """Local mean solar hour."""
    return (time.hour + time.minute / 60 + time.second / 3600 + longitude / 15) % 24
