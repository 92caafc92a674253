"""Sentinel-3 composites: the mean of a day's overpasses, and their moving average in days.

Both are means over what is there (exact normalisation, no padding): a missing value has no weight and never spreads,
a window at the season's edge has fewer days, and no day appears that had no overpass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Composites:
    """Daily coarse images.

    days: (t,) datetime64[D], ascending and unique. values: (t, b, h, w) float32, NaN = missing.
    support: (t, b, h, w) int16, number of images behind each value.
    """

    days: npt.NDArray[np.datetime64]
    values: Float32Array
    support: npt.NDArray[np.int16]


CLOUD_WINDOW_DAYS: Final = 15
"""Reach to either side of the days that say how dark a clear coarse pixel is."""
CLOUD_EXCESS: Final = 0.04
"""Blue reflectance above the window's lower quartile from which a coarse pixel is cloud: three times what haze and the
season change within the window, a fifth of what a thin cloud adds."""


def cloud_free(values: npt.NDArray[np.floating], times: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """``values`` with every pixel NaN whose blue stands out from the same pixel's darker days around it.

    For a sensor without cloud flags, where a cloudy week may fill one side of a day: the whole window is one here (what
    stands out from both sides is left to ``transients``). Screening judges whole overpasses at the site; a cloud over
    the pixels beside it would pass, and the fusion would take it for a change of the ground. Shape and times as in
    ``daily_composites``; fewer than three days in the window judge nothing.
    """
    days = np.asarray(times).astype("datetime64[D]").astype(np.int64)
    blue = values[:, 0]
    screened = values.copy()
    for number, day in enumerate(days):
        window = blue[np.abs(days - day) <= CLOUD_WINDOW_DAYS]
        known = np.isfinite(window).sum(axis=0)
        with np.errstate(invalid="ignore"):
            clear = np.nanquantile(np.where(known >= 3, window, np.inf), 0.25, axis=0)
            screened[number, :, blue[number] > clear + CLOUD_EXCESS] = np.nan
    return screened


def daily_composites(values: npt.NDArray[np.floating], times: npt.ArrayLike) -> Composites:
    """Mean of the overpasses of each day.

    values: (n, b, h, w) reflectance, NaN = missing. times: (n,) days of sensing, any order.
    """
    days = np.asarray(times).astype("datetime64[D]")
    unique, group = np.unique(days, return_inverse=True)
    members = np.arange(len(unique))[:, None] == group[None, :]
    return _mean_of(values, unique, members)


def moving_average(composites: Composites, smoothing_days: int) -> Composites:
    """Average over the composites within ``smoothing_days // 2`` days on either side, by date.

    A pixel that is missing on a day is averaged from its neighbours in time (``support`` says from how many).
    0 = off.
    """
    if smoothing_days < 0:
        raise ValueError(f"smoothing_days is {smoothing_days}; use 0 (off) or a number of days")
    if smoothing_days == 0:
        return composites
    day = composites.days.astype(np.int64)
    members = np.abs(day[:, None] - day[None, :]) <= smoothing_days // 2
    return _mean_of(composites.values, composites.days, members)


def _mean_of(
    values: npt.NDArray[np.floating], days: npt.NDArray[np.datetime64], members: npt.NDArray[np.bool_]
) -> Composites:
    """Per day the NaN-aware mean of its members: (days, n) flags over (n, b, h, w) values."""
    known = np.isfinite(values)
    flags = members.astype(np.float64)
    total = np.tensordot(flags, np.where(known, values, 0).astype(np.float64), axes=1)
    count = np.tensordot(flags, known.astype(np.float64), axes=1)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return Composites(days, mean.astype(np.float32), count.astype(np.int16))
