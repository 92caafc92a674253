"""Transition dates of one series: a camera's gcc_90, a satellite index at the site.

`transitions` smooths (smoothing), finds seasons (crossings) and labels; `Phenology` answers for a year.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.phenology.crossings import Seasons, find_seasons
from satfusion_assets.phenology.labels import Label
from satfusion_assets.phenology.main_season import main_season
from satfusion_assets.phenology.smoothing import CAMERA, Smoother, Smoothing
from satfusion_assets.phenology.turns import EVERY_TROUGH, MIN_OBSERVATIONS, SHALLOW_SHARE, SHARED_SHARE, find_turns
from satfusion_assets.vocabulary.errors import InvalidInput

EPOCH = date(1970, 1, 1)

PERCENTS = (10, 25, 50)


SMALLEST_VARIATION = 1e-7
"""Of the values' size: a series that varies less is constant up to rounding (of single precision)."""


@dataclass(frozen=True)
class TransitionDate:
    """When a curve crosses a share of its amplitude.

    day, lower, upper: days since 1970-01-01 with fraction, and the 95 % interval; NaN where there is no date.
    """

    day: float
    lower: float
    upper: float
    label: Label

    @property
    def date(self) -> date | None:
        """The calendar day the crossing falls on, None where there is none."""
        return None if math.isnan(self.day) else EPOCH + timedelta(days=round(self.day))

    def day_of_year(self, year: int) -> float:
        """1.0 = 1 January of ``year``; below 1 in the year before, above 365 or 366 in the year after."""
        return self.day - (date(year, 1, 1) - EPOCH).days + 1.0


@dataclass(frozen=True)
class Season:
    """A rise, a peak and a fall. ``rising`` and ``falling`` are keyed by per cent of the amplitude: 10, 25, 50."""

    rising: Mapping[int, TransitionDate]
    falling: Mapping[int, TransitionDate]
    peak_day: float
    """Day of the curve's maximum, days since 1970-01-01."""
    peak: float
    base_before: float
    """Value of the dormant stretch before; NaN where the series begins later. Likewise ``base_after``."""
    base_after: float

    @property
    def label(self) -> Label:
        """OK, or the worst that befell one of the 50 % dates."""
        return max(self.rising[50].label, self.falling[50].label)

    @property
    def year(self) -> int:
        """The calendar year the season belongs to: that of its 50 % fall, of its peak where the fall has no date.

        The fall is the one transition that keeps away from New Year in both hemispheres: temperate canopies lose their
        green in autumn (October in the north, April in the south), winter-green grass and crops in late spring.
        """
        end = self.falling[50].day
        return (EPOCH + timedelta(days=round(self.peak_day if math.isnan(end) else end))).year


@dataclass(frozen=True)
class Curve:
    """The smoothed series on consecutive days, in the units of the data."""

    value: NDArray[np.float64]
    """(n,)"""
    se: NDArray[np.float64]
    """(n,) standard error of ``value``."""
    noise: float
    """Standard deviation of one observation about the curve."""
    autocorrelation: float
    """Of the residuals of neighbouring days."""
    lam: float
    """Smoothing parameter of the Whittaker smoother [d^2 per unit weight]."""


@dataclass(frozen=True)
class Phenology:
    """What a series says about its seasons: NO_DATA or NO_SEASON with no season, else OK and the seasons in order."""

    label: Label
    seasons: tuple[Season, ...]
    """Every rise and fall."""
    growing_seasons: tuple[Season, ...]
    """The same with seasons joined that only a shallow trough parts (cut, grazing, dry spell)."""
    first_day: int
    """Day of ``curve[0]``, days since 1970-01-01."""
    curve: Curve | None

    def of_year(self, year: int) -> tuple[Season, ...]:
        """Every season that belongs to ``year`` (see `Season.year`)."""
        return tuple(season for season in self.seasons if season.year == year)

    def growing_season(self, year: int) -> Season | None:
        """The main growing season of ``year``: the largest that belongs to it, complete before partial, or None."""
        if not self.growing_seasons:
            return None
        start, end = ((date(y, 1, 1) - EPOCH).days - 0.5 for y in (year, year + 1))
        best, _ = main_season(_as_arrays(self.growing_seasons), start, end)
        return self.growing_seasons[best[0]] if best[0] >= 0 else None


class ContractDates(TypedDict):
    """phenocam_phenology.json: ISO dates or null."""

    green_up_50pct_date: str | None
    green_down_50pct_date: str | None


def contract_dates(phenology: Phenology, year: int) -> ContractDates:
    """The 50 % dates of the main growing season of ``year`` (the middle of the camera's three years)."""
    season = phenology.growing_season(year)
    up = season.rising[50].date if season else None
    down = season.falling[50].date if season else None
    return {
        "green_up_50pct_date": up.isoformat() if up else None,
        "green_down_50pct_date": down.isoformat() if down else None,
    }


def transitions(days: ArrayLike, values: ArrayLike, smoothing: Smoothing = CAMERA, *, error: float = 0.0) -> Phenology:
    """Seasons of a series and their 10, 25 and 50 % dates with 95 % intervals.

    days: (n,) datetime64 or integer days since 1970-01-01, in any order; values: (n,), NaN = missing; several values of
    a day are averaged. Give adjoining years too where they exist (a camera's three): seasons across New Year need them,
    and base and top are better known. Give observations rather than an interpolated series: the intervals rest on the
    scatter of the observations. Flag outliers first (`satfusion_assets.phenology.camera.flag_outliers`).
    smoothing: CAMERA, SATELLITE for fused series, or SCENES for the clear days of Sentinel-2.
    error: standard error of the values that neighbouring days share, so that smoothing does not lessen it (a fusion's
    predictive standard deviation); it widens the intervals, and what it could make is no season.

    Raises InvalidInput where days and values do not match.
    """
    first_day, series = daily(days, values)
    if np.isfinite(series).sum() < MIN_OBSERVATIONS:
        return Phenology(Label.NO_DATA, (), (), first_day, None)
    rows, spread = standardised(series[None])
    if np.all(np.isnan(rows)):
        return Phenology(Label.NO_SEASON, (), (), first_day, None)
    smoother = Smoother(rows, smoothing)
    fitted, outline, observed = smoother.curves(), smoother.outline, smoother.observed
    floor, scale = float(np.nanmin(series)), float(spread[0, 0])
    se = np.hypot(fitted.se, error / scale)
    outline_noise = np.hypot(smoother.outline_noise, SHARED_SHARE * error / scale)
    every, growing = (
        tuple(_as_seasons(found, first_day, floor, scale))
        for found in (
            find_seasons(fitted.value, se, fitted.information, observed, turns)
            for turns in (
                find_turns(fitted.value, observed, outline.value, outline_noise, smoothing.least_swing, shallow)
                for shallow in (EVERY_TROUGH, SHALLOW_SHARE)
            )
        )
    )
    curve = Curve(
        value=fitted.value[0] * scale + floor,
        se=se[0] * scale,
        noise=float(fitted.noise[0]) * scale,
        autocorrelation=float(smoother.autocorrelation[0]),
        lam=float(smoother.lam[0]),
    )
    return Phenology(Label.OK if every else Label.NO_SEASON, every, growing, first_day, curve)


def standardised(series: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Series (m, n) brought to 0 ... 1, and their ranges (m, 1); all NaN, and range infinite, where one does not vary.

    Differences in the last digits of the values are no variation.
    """
    low = np.min(series, axis=1, keepdims=True, initial=np.inf, where=np.isfinite(series))
    high = np.max(series, axis=1, keepdims=True, initial=-np.inf, where=np.isfinite(series))
    scale = high - low
    varies = scale > SMALLEST_VARIATION * np.maximum(np.abs(low), np.abs(high))
    scale = np.where(varies, scale, np.inf)
    return np.where(varies, (series - np.where(varies, low, 0.0)) / scale, np.nan), scale


def daily(days: ArrayLike, values: ArrayLike) -> tuple[int, NDArray[np.float64]]:
    """The series on consecutive days from its first to its last observation, NaN on days without.

    Returns the first day (since 1970-01-01; 0 if nothing is observed) and the values.
    """
    number = np.asarray(days)
    if number.dtype.kind == "M":
        number = number.astype("datetime64[D]").astype(np.int64)
    value = np.asarray(values, dtype=np.float64)
    if number.ndim != 1 or number.shape != value.shape or number.dtype.kind not in "iu":
        raise InvalidInput(
            f"a series needs one value a day: got days {number.dtype} {number.shape} and values {value.shape}; "
            "give datetime64 or integer days and as many values"
        )
    kept = np.isfinite(value)
    number, value = number[kept], value[kept]
    if number.size == 0:
        return 0, np.empty(0)
    first = int(number.min())
    position = number - first
    count = np.bincount(position)
    total = np.bincount(position, weights=value)
    return first, np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0)


def _as_seasons(found: Seasons, first_day: int, floor: float, scale: float) -> Iterator[Season]:
    """The first row of the compiled result, in days and in the units of the data."""
    count = found.total[0]
    for rows, (peak_day, *levels) in zip(found.dates[0, :count], found.heights[0, :count].tolist(), strict=True):
        points = [
            TransitionDate(first_day + day, first_day + lower, first_day + upper, Label(int(label)))
            for day, lower, upper, label in rows.tolist()
        ]
        before, after, peak = (level * scale + floor for level in levels)
        yield Season(
            rising=dict(zip(PERCENTS, points[:3], strict=True)),
            falling=dict(zip(PERCENTS, points[3:], strict=True)),
            peak_day=first_day + peak_day,
            peak=peak,
            base_before=before,
            base_after=after,
        )


def _as_arrays(seasons: tuple[Season, ...]) -> Seasons:
    """Back to the form of the compiled result, one row."""
    dates = [[[p.day, p.lower, p.upper, p.label] for p in (*s.rising.values(), *s.falling.values())] for s in seasons]
    heights = [[s.peak_day, s.base_before, s.base_after, s.peak] for s in seasons]
    return Seasons(np.array([dates], dtype=np.float64), np.array([heights]), np.array([len(seasons)]))
