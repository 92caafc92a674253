"""How a real camera stands: it looks aslant, its colours drift, and its field is not where its coordinate says."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.sandbox.geometry import generator

HEIGHT: Final = 10.0
"""Metres above what it looks at: towers and roofs (Richardson et al. 2018, Sci. Data 5, 180028)."""
DISPLACEMENT: Final = (40.0, 120.0)
"""Metres from the coordinate, which is the mast's, to the middle of the field: cameras look nearly level, so a region
begins tens of metres away and reaches beyond a hundred (Richardson et al. 2018, site descriptions)."""
DRIFT: Final = 0.008
"""Standard deviation of GCC by white balance and ageing of the sensor over months: several cameras on one canopy differ
by about so much, automatic white balance by more (Sonnentag et al. 2012, Agric. For. Meteorol. 152, 159-177)."""
_MEMORY_DAYS: Final = 60


def displacement(seed: int, site: str) -> tuple[float, float]:
    """Metres east and north from the coordinate to the middle of the camera's field."""
    rng = generator(seed, site, "displaced field")
    # Northwards, give or take: so that the sun stays out of the picture.
    bearing, far = rng.normal(0, np.radians(30)), rng.uniform(*DISPLACEMENT)
    return float(far * np.sin(bearing)), float(far * np.cos(bearing))


def footprint(distance: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(cells,): share of the picture that each cell fills, adding up to 1. distance: metres from the mast.

    The solid angle of level ground at distance d from height h falls as h / (h^2 + d^2)^1.5.
    """
    weight = HEIGHT / (HEIGHT**2 + np.asarray(distance, np.float64) ** 2) ** 1.5
    return np.asarray(weight / weight.sum(), np.float64)


def drift(seed: int, site: str, day: date) -> float:
    """What the white balance adds to GCC on a day: smooth over about two months, of standard deviation ``DRIFT``."""
    step, rest = divmod(day.toordinal(), _MEMORY_DAYS)
    before, after = (float(generator(seed, site, "white balance", step + i).standard_normal()) for i in (0, 1))
    angle = np.pi / 2 * rest / _MEMORY_DAYS
    # The squares of the weights add up to one, so the spread is the same on every day.
    return DRIFT * float(np.cos(angle) * before + np.sin(angle) * after)
