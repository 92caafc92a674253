"""TIMESAT's seasons of a series, where its package is installed; the platform needs it nowhere.

Package ``timesat`` (PyPI; Jönsson and Eklundh 2004, Computers & Geosciences 30, 833), proprietary licence for
non-commercial research. It knows years of 365 days and wants whole years, three of them at least; its dates have no
intervals.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.phenology.series import EPOCH, ContractDates, daily
from satfusion_assets.vocabulary.errors import InvalidInput

LEAST_YEARS: Final = 3
CLASSES: Final = 255
PER_SEASON: Final = 13
"""Numbers of a season; its start is the first, its end the fourth, as YYYYDOY."""
START, END = 0, 3
MISSING: Final = -9999.0


def timesat_installed() -> bool:
    return find_spec("timesat") is not None


def timesat_dates(days: ArrayLike, values: ArrayLike, year: int) -> ContractDates:
    """50 % dates of the first season that TIMESAT counts in ``year``, as `series.contract_dates` gives ours.

    days, values: as in `series.transitions`, from three calendar years. Savitzky-Golay fit, dates at half the
    amplitude. InvalidInput when the package is missing or the years are too few.
    """
    if not timesat_installed():
        raise InvalidInput("TIMESAT's dates need its package timesat (non-commercial licence): pip install timesat.")
    first, series = daily(days, values)
    dates = [EPOCH + timedelta(days=first + n) for n in range(series.size)]
    years = range(dates[0].year, dates[-1].year + 1) if dates else range(0)
    if len(years) < LEAST_YEARS or year not in years:
        raise InvalidInput(
            f"TIMESAT needs {LEAST_YEARS} calendar years with {year} among them, not {len(years)}; add years."
        )
    grid = np.full((len(years), 365), MISSING, dtype=np.float32)
    for when, value in zip(dates, series, strict=True):
        number = min(when.timetuple().tm_yday, 365)
        if np.isfinite(value):
            grid[when.year - years[0], number - 1] = value
    seasons = _seasons(grid, years)[year - years[0]]
    start, end = seasons[0, START], seasons[0, END]
    return {"green_up_50pct_date": _iso(start), "green_down_50pct_date": _iso(end)}


def _whole(value: int) -> NDArray[np.int32]:
    """A whole number for every class."""
    return np.full(CLASSES, value, np.int32)


def _real(value: float) -> NDArray[np.float64]:
    """A number for every class."""
    return np.full(CLASSES, value)


def _seasons(grid: NDArray[np.float32], years: range) -> NDArray[np.float32]:
    """(years, 2, 13) numbers of the seasons of each year."""
    images = grid.reshape(1, 1, -1)
    stamps = np.array([1000 * year + number for year in years for number in range(1, 366)], dtype=np.int32)
    found: Any = import_module("timesat").tsfprocess(
        nyr=len(years), vi=images, qa=np.ones_like(images), td=stamps,
        lc=np.ones((1, 1), np.int32), p_nclasses=1, landuse=_whole(1),
        p_outindex=np.arange(1, images.size + 1, dtype=np.int32), p_ignoreday=366, p_ylu=np.array([0.0, 1.0]),
        p_printflag=0, p_fitmethod=_whole(1), p_smooth=_real(10000.0), p_nodata=MISSING, p_davailwin=45, p_outlier=0,
        p_nenvi=_whole(1), p_wfactnum=_real(1.0), p_startmethod=_whole(1), p_startcutoff=np.full((CLASSES, 2), 0.5),
        p_lpbase=_real(0.0), p_fillbase=_whole(0), p_hrvppformat=1, p_seasonmethod=_whole(1), p_seapar=_real(0.5),
        p_lowrangemode=_whole(0), p_highrangemode=_whole(0), p_rangedownweight=_real(1.0), outputvariables=1,
    )  # fmt: skip
    return np.asarray(found[0]).reshape(len(years), 2, PER_SEASON)


def _iso(stamp: float) -> str | None:
    """The ISO date of YYYYDOY in 365-day years; None where TIMESAT saw none (0 or its nodata)."""
    year, number = divmod(round(float(stamp)), 1000)
    if not 1 <= number <= 366 or year < 1:
        return None
    return (date(year, 1, 1) + timedelta(days=number - 1)).isoformat()
