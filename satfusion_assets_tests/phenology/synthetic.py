"""Greenness of known phenology, per vegetation type: sums of rises and falls with known 10, 25 and 50 % dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

EPOCH = date(1970, 1, 1)


def day(iso: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(iso) - EPOCH).days


@dataclass(frozen=True)
class Cycle:
    """One season: logistic rise centred on ``up``, logistic fall on ``down`` (ISO dates), of ``amplitude`` in GCC."""

    up: str
    down: str
    amplitude: float = 0.10
    rise_days: float = 5.0
    fall_days: float = 7.0

    def __call__(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        rise = 1.0 / (1.0 + np.exp(-(t - day(self.up)) / self.rise_days))
        fall = 1.0 / (1.0 + np.exp((t - day(self.down)) / self.fall_days))
        return self.amplitude * np.minimum(rise, fall)

    def rising(self, percent: int) -> float:
        return day(self.up) + self.rise_days * np.log(percent / (100 - percent))

    def falling(self, percent: int) -> float:
        return day(self.down) - self.fall_days * np.log(percent / (100 - percent))


@dataclass(frozen=True)
class Canopy:
    """A camera's view: cycles over a base, noise of ``noise`` GCC, days lost to weather with probability ``lost``."""

    cycles: tuple[Cycle, ...]
    base: float = 0.34
    noise: float = 0.005
    lost: float = 0.1
    gaps: tuple[tuple[str, str], ...] = field(default=())

    def series(self, start: str, end: str, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Days [start, end] and their values, NaN where missing."""
        rng = np.random.default_rng(seed)
        days = np.arange(day(start), day(end) + 1)
        t = days.astype(np.float64)
        values = (
            self.base
            + sum((cycle(t) for cycle in self.cycles), np.zeros(t.size))
            + self.noise * rng.normal(size=t.size)
        )
        values[rng.random(t.size) < self.lost] = np.nan
        for first, last in self.gaps:
            values[(days >= day(first)) & (days <= day(last))] = np.nan
        return days, values


def yearly(up: str, down: str, years: range, **shape: float) -> tuple[Cycle, ...]:
    """The same cycle in every year; a ``down`` before ``up`` lies in the year after."""
    return tuple(Cycle(f"{y}-{up}", f"{y + (down < up)}-{down}", **shape) for y in years)


YEARS = range(2021, 2026)

CANOPIES: dict[str, Canopy] = {
    "deciduous broadleaf": Canopy(yearly("05-08", "10-10", YEARS)),
    "grassland": Canopy(yearly("04-05", "09-20", YEARS, amplitude=0.07, rise_days=9.0, fall_days=14.0), noise=0.006),
    "evergreen needleleaf": Canopy(
        yearly("04-25", "10-25", YEARS, amplitude=0.03, rise_days=10.0, fall_days=12.0), noise=0.004
    ),
    "agriculture, two crops": Canopy(
        tuple(
            c for y in YEARS for c in (Cycle(f"{y}-03-20", f"{y}-06-15", 0.10), Cycle(f"{y}-08-10", f"{y}-10-20", 0.07))
        )
    ),
    "drought-deciduous": Canopy(yearly("07-10", "11-15", YEARS, amplitude=0.06, fall_days=12.0), base=0.36),
    "winter-green grass": Canopy(yearly("11-20", "05-01", range(2020, 2026), amplitude=0.08, rise_days=7.0)),
    "southern broadleaf": Canopy(yearly("10-05", "04-20", range(2020, 2026), rise_days=7.0, fall_days=9.0), base=0.35),
    "wetland": Canopy(
        yearly("05-25", "09-10", YEARS, amplitude=0.06, rise_days=8.0, fall_days=10.0),
        gaps=(("2022-11-20", "2023-03-20"), ("2023-11-20", "2024-03-20")),
    ),
}
