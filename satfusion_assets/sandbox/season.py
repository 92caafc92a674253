"""The season of each land cover: double logistics whose dates follow the site's climate (latitude, elevation).

A cycle is one green-up and one decline; a year's greenness is the sum of the cycles that overlap it, so seasons may
cross New Year (Mediterranean winters, the southern hemisphere).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.vocabulary.sites import Site

_MEDITERRANEAN: Final = 40.0
"""Latitude (either hemisphere) below which summers are dry and grass is green in winter."""


@dataclass(frozen=True)
class Cycle:
    """One green-up and decline.

    rise, fall: days after 1 January of the anchoring year at which half of the amplitude is reached.
    rise_width, fall_width: scales of the logistics in days (10 to 90 % takes 4.4 of them).
    amplitude: greenness added at full season, 0 ... 1.
    """

    rise: float
    fall: float
    rise_width: float
    fall_width: float
    amplitude: float


@dataclass(frozen=True)
class Calendar:
    """What one cover does in a year: its cycle, its greenness outside the season, its cuts and its second variety.

    cuts: days of mowing; only where people mow. late: days by which the late variety (half of the patches) lags in
    rise and fall.
    """

    cycle: Cycle
    base: float = 0.0
    cuts: tuple[float, ...] = ()
    late: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Climate:
    """The climate of a site as far as seasons, clouds and snow depend on it."""

    latitude: float
    elevation: float
    south: bool = field(init=False)
    mediterranean: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "south", self.latitude < 0)
        object.__setattr__(self, "mediterranean", abs(self.latitude) < _MEDITERRANEAN)

    @classmethod
    def of(cls, site: Site) -> Climate:
        return cls(site.latitude, site.elevation or 0.0)

    @property
    def spring(self) -> float:
        """Day at which temperate grass is half green (northern reckoning)."""
        return float(np.clip(60 + 3.0 * (abs(self.latitude) - 35) + 0.019 * self.elevation, 45, 175))

    @property
    def autumn(self) -> float:
        """Day at which temperate grass has half declined (northern reckoning)."""
        return float(np.clip(330 - 2.2 * (abs(self.latitude) - 35) - 0.012 * self.elevation, self.spring + 70, 335))

    def winter(self, ordinal: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
        """+1 in mid-winter (15 January in the north), -1 in mid-summer; ``ordinal`` counts days."""
        phase = 0.5 if self.south else 0.0
        return np.cos(2 * np.pi * ((np.asarray(ordinal, np.float64) - _JANUARY_15) / 365.2425 - phase))

    def calendars(self) -> dict[Cover, Calendar]:
        """The calendar of every cover that has a season, in days after 1 January of the anchoring year."""
        spring, autumn = self.spring, self.autumn
        if self.mediterranean:
            calendars = {
                Cover.GRASS: Calendar(Cycle(-48, 138, 12, 9, 0.86), base=0.05),
                Cover.BROADLEAF: Calendar(Cycle(92, 318, 7, 11, 0.92), base=0.04),
                Cover.CONIFER: Calendar(Cycle(110, 290, 15, 18, 0.25), base=0.45),
                Cover.CROP: Calendar(Cycle(-12, 128, 11, 7, 0.92), base=0.02, late=(124, 72)),
                Cover.WETLAND: Calendar(Cycle(70, 290, 12, 16, 0.75), base=0.12),
            }
        else:
            cuts = (spring + 42, spring + 94, spring + 148)
            calendars = {
                Cover.GRASS: Calendar(
                    Cycle(spring, autumn, 6.5, 12, 0.85), base=0.05, cuts=tuple(c for c in cuts if c < autumn - 20)
                ),
                Cover.BROADLEAF: Calendar(Cycle(spring + 8, autumn - 5, 4.5, 8, 0.93), base=0.03),
                Cover.CONIFER: Calendar(Cycle(spring + 20, autumn - 12, 14, 18, 0.40), base=0.30),
                Cover.CROP: Calendar(Cycle(spring - 6, spring + 84, 8, 6, 0.92), base=0.02, late=(52, 74)),
                Cover.WETLAND: Calendar(Cycle(spring + 14, autumn - 22, 9, 13, 0.80), base=0.10),
            }
        if not self.south:
            return calendars
        return {cover: _half_a_year_later(calendar) for cover, calendar in calendars.items()}


def _half_a_year_later(calendar: Calendar) -> Calendar:
    cycle = calendar.cycle
    moved = Cycle(cycle.rise + 182, cycle.fall + 182, cycle.rise_width, cycle.fall_width, cycle.amplitude)
    # No mowing there: a cut season across New Year would make "the first rise of the year" a regrowth.
    return Calendar(moved, calendar.base, (), calendar.late)


def logistic(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """1 / (1 + exp(-x)), without overflow."""
    return np.float32(1) / (np.float32(1) + np.exp(-np.clip(x, -30, 30)))


_JANUARY_15: Final = 719177.0  # date(1970, 1, 15).toordinal()
