"""Screening of a camera's daily greenness.

Fog, rain on the lens, snow and exposure changes lower or raise the green chromatic coordinate for a day or a few. The
curated PhenoCam releases flag such days; files straight from the server leave the flags empty, so they are flagged
here by the same idea (Richardson et al. 2018, Scientific Data 5, 180028, "outlier detection"): smooth each year with a
month on either side, flag what lies too far off, repeat without the flagged days until nothing changes.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.phenology.series import EPOCH, daily
from satfusion_assets.phenology.smoothing import CAMERA, Smoother

MARGIN_DAYS = 31
"""What a year's fit sees of the years beside it [d]."""

SIGMAS_BELOW = 2.0
"""Bad weather lowers greenness: days this many day-to-day deviations below the curve are outliers."""

SIGMAS_ABOVE = 4.0

CALM_DEVIATION = 0.007
"""Day-to-day deviation [GCC] up to which both limits are doubled: a calm series has little to be rid of."""

SUDDEN_DROP_SHARE = 0.25
"""A fall within one day by this share of the year's amplitude is left out of the first fit."""

GREY_GREEN = 0.02
"""Share of green, of all light, up to this far from a third is grey. At a curated alpine meadow 90 % of the days with
snow lie within 0.003, the median day without at 0.02 to 0.05; white balance moves other cameras."""

GREY_BLUE = -0.03
"""Share of blue less share of red from which on a colour is not that of litter or soil: at that meadow 90 % of the days
with snow lie above -0.02, of the days without below -0.08."""

BRIGHTER_THAN_GROUND = 1.15
"""Snow is at least so many times as bright as the region's median day that is not grey (that meadow: 1.35 for 95 % of
its days with snow; less here, since cameras shorten the exposure)."""

ITERATIONS = 20

MIN_OBSERVATIONS = 10


def flag_outliers(days: ArrayLike, gcc: ArrayLike) -> NDArray[np.bool_]:
    """Days whose greenness is out of line with the days around.

    days: (n,) datetime64 or integer days since 1970-01-01, each once; gcc: (n,) GCC (any percentile), NaN = missing.
    Returns (n,) flags; missing days are never flagged, nor is anything in a year of fewer than ten observations.
    """
    first_day, series = daily(days, gcc)
    number = np.asarray(days)
    if number.dtype.kind == "M":
        number = number.astype("datetime64[D]").astype(np.int64)
    flagged = np.zeros(series.size, dtype=np.bool_)
    last_day = first_day + series.size - 1
    for year in range(_year(first_day), _year(last_day) + 1):
        start = (date(year, 1, 1) - EPOCH).days - first_day
        stop = (date(year + 1, 1, 1) - EPOCH).days - first_day
        window = slice(max(start - MARGIN_DAYS, 0), min(stop + MARGIN_DAYS, series.size))
        own = slice(max(start, 0), min(stop, series.size))
        flagged[own] = _flag_window(series[window])[own.start - window.start : own.stop - window.start]
    observed = np.isfinite(np.asarray(gcc, dtype=np.float64))
    result = np.zeros(observed.size, dtype=np.bool_)
    result[observed] = flagged[number[observed] - first_day]
    return result


def white_days(colour: ArrayLike) -> NDArray[np.bool_]:
    """Days on which snow lies in the region, recognised by its colour: grey or bluish, and brighter than its ground.

    colour: (n, 3) daily means of red, green and blue, NaN = missing, which is not snow. Litter and dead grass are
    redder than blue, leaves greener than grey, fog and dusk no brighter than the ground. A region whose snow is tinted
    (trunks and twigs before it) or that is never anything but grey says nothing: no day is white.
    """
    mean = np.asarray(colour, dtype=np.float64).reshape(-1, 3)
    light = mean.sum(axis=1)
    share = np.divide(mean, light[:, None], out=np.full(mean.shape, np.nan), where=light[:, None] > 0.0)
    grey = (np.abs(share[:, 1] - 1.0 / 3.0) <= GREY_GREEN) & (share[:, 2] - share[:, 0] >= GREY_BLUE)
    ground = np.isfinite(light) & (light > 0.0) & ~grey
    if ground.sum() < MIN_OBSERVATIONS:
        return np.zeros(len(mean), dtype=np.bool_)
    return grey & (light >= BRIGHTER_THAN_GROUND * np.median(light[ground]))


def _flag_window(series: NDArray[np.float64]) -> NDArray[np.bool_]:
    observed = np.isfinite(series)
    flagged = np.zeros(series.size, dtype=np.bool_)
    if observed.sum() < MIN_OBSERVATIONS:
        return flagged
    values = series[observed]
    changes = np.diff(values)
    # Twice the mean absolute deviation squared is the variance of a Laplace distribution: heavy tails, as changes have.
    deviation = np.sqrt(2.0) * np.mean(np.abs(changes - changes.mean()))
    if deviation <= 1e-9 * np.abs(values).max():
        return flagged
    limit = deviation * (2.0 if deviation <= CALM_DEVIATION else 1.0)
    amplitude = np.quantile(values, 0.9) - np.quantile(values, 0.1)
    kept = np.ones(values.size, dtype=np.bool_)
    kept[1:] = changes >= -SUDDEN_DROP_SHARE * amplitude
    for _ in range(ITERATIONS):
        if kept.sum() < MIN_OBSERVATIONS:
            break
        trusted = np.full(series.size, np.nan)
        trusted[np.flatnonzero(observed)[kept]] = values[kept]
        residual = values - Smoother(trusted[None], CAMERA).curves().value[0][observed]
        out = (residual > SIGMAS_ABOVE * limit) | (residual < -SIGMAS_BELOW * limit)
        settled = np.array_equal(~out, kept)
        kept = ~out
        if settled:
            break
    flagged[observed] = ~kept
    return flagged


def _year(day: int) -> int:
    return date.fromordinal(day + EPOCH.toordinal()).year
