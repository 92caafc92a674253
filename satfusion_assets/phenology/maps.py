"""Transition dates of every pixel of a stack: the method of a series (`series.transitions`), compiled over pixels.

The smoothing parameter is not cross-validated here: a fusion's errors last for weeks, which cross-validation takes for
signal, and single pixels of Sentinel-2 have too few clear days for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.phenology.crossings import find_seasons
from satfusion_assets.phenology.labels import Label
from satfusion_assets.phenology.main_season import main_season
from satfusion_assets.phenology.series import EPOCH, standardised
from satfusion_assets.phenology.smoothing import SATELLITE, Smoother, Smoothing
from satfusion_assets.phenology.turns import MIN_OBSERVATIONS, SHALLOW_SHARE, SHARED_SHARE, find_turns
from satfusion_assets.vocabulary.errors import InvalidInput

TRANSITIONS = ("rising_10", "rising_25", "rising_50", "falling_10", "falling_25", "falling_50")

CHUNK = 1000
"""Pixels worked on at a time: bounds the memory for daily curves."""


@dataclass(frozen=True)
class PhenologyMaps:
    """Dates of one year's main growing season, per pixel; first axis in the order of `TRANSITIONS`."""

    year: int
    day_of_year: NDArray[np.float32]
    """(6, H, W), 1.0 = 1 January of ``year``, below 1 in the year before; NaN where there is no date."""
    lower: NDArray[np.float32]
    """(6, H, W) lower end of the 95 % interval, same reckoning; likewise ``upper``."""
    upper: NDArray[np.float32]
    label: NDArray[np.uint8]
    """(6, H, W) `Label` of each date."""
    seasons: NDArray[np.uint8]
    """(H, W) growing seasons of the pixel that belong to ``year``; dates are those of the largest."""


def transition_maps(
    days: ArrayLike,
    stack: NDArray[np.floating],
    year: int,
    smoothing: Smoothing = SATELLITE,
    *,
    error: ArrayLike | None = None,
    information: NDArray[np.floating] | None = None,
    least_amplitude: float = 0.0,
) -> PhenologyMaps:
    """Dates of the main growing season of ``year`` in every pixel.

    days: (p,) ascending datetime64 or integer days since 1970-01-01, each once; stack: (p, H, W), NaN = missing. Give
    the adjoining years too where they exist: a season across New Year without them is TRUNCATED.
    smoothing: SATELLITE, SCENES for a stack of clear days, COURSE where the stack's courses are curves already.
    error: standard error of the values that neighbouring days share, so that smoothing does not lessen it (a fusion's
    predictive standard deviation), broadcastable to the stack; it widens the intervals, and what it could make is no
    season. information: how many independent observations each value adds, shaped like the stack; unless given, the
    smoothing tells. Base and top are as sure as the observations they rest on are many. least_amplitude: smaller
    seasons are none either, in units of the stack.

    Raises InvalidInput where days and stack do not match.
    """
    number = np.asarray(days)
    if number.dtype.kind == "M":
        number = number.astype("datetime64[D]").astype(np.int64)
    if stack.ndim != 3 or number.shape != stack.shape[:1] or np.any(np.diff(number) <= 0):
        raise InvalidInput(
            f"a stack needs ascending days along its first axis: got {number.shape} days for {stack.shape}; "
            "give each day once, in order"
        )
    shape = stack.shape[1:]
    first = int(number[0]) if number.size else 0
    year_start, year_end = ((date(y, 1, 1) - EPOCH).days - first for y in (year, year + 1))
    grid = _DailyGrid(number - first, stack)
    shared = None if error is None else _DailyGrid(number - first, np.broadcast_to(np.asarray(error), stack.shape))
    adding = None if information is None else _DailyGrid(number - first, information)
    dates = np.full((grid.pixels, 6, 4), np.nan)
    dates[:, :, 3] = Label.NO_SEASON
    counts = np.zeros(grid.pixels, np.uint8)
    for start in range(0, grid.pixels, CHUNK):
        rows = slice(start, min(start + CHUNK, grid.pixels))
        raw = grid.series(rows)
        series, scale = standardised(raw)
        smoother = Smoother(series, smoothing)
        curves, outline, observed = smoother.curves(), smoother.outline, smoother.observed
        se, outline_noise = curves.se, smoother.outline_noise
        if shared is not None:
            common = np.nan_to_num(shared.series(rows) / scale)
            se = np.hypot(se, common)
            outline_noise = np.hypot(outline_noise, SHARED_SHARE * _typical(common, observed))
        pieces = curves.information if adding is None else np.nan_to_num(adding.series(rows))
        scarce = np.isfinite(raw).sum(axis=1) < MIN_OBSERVATIONS
        observed[scarce] = False
        turns = find_turns(curves.value, observed, outline.value, outline_noise, smoothing.least_swing, SHALLOW_SHARE)
        seasons = find_seasons(curves.value, se, pieces, observed, turns)
        best, counts[rows] = main_season(seasons, year_start - 0.5, year_end - 0.5, least_amplitude / scale)
        found = np.flatnonzero(best >= 0)
        dates[rows][found] = seasons.dates[found, best[found]]
        dates[rows][scarce, :, 3] = Label.NO_DATA
    dates[:, :, :3] += 1 - year_start
    day, lower, upper, label = (dates[:, :, k].T.reshape(6, *shape) for k in range(4))
    return PhenologyMaps(
        year=year,
        day_of_year=day.astype(np.float32),
        lower=lower.astype(np.float32),
        upper=upper.astype(np.float32),
        label=label.astype(np.uint8),
        seasons=counts.reshape(shape),
    )


def _typical(values: NDArray[np.float64], observed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(m,) median of values (m, n) on observed days; 0 where there is none."""
    seen = observed.any(axis=1)
    typical = np.zeros(len(values))
    typical[seen] = np.nanmedian(np.where(observed[seen], values[seen], np.nan), axis=1)
    return typical


class _DailyGrid:
    """Pixels of a stack as rows of consecutive days."""

    def __init__(self, position: NDArray[np.int64], stack: NDArray[np.floating]) -> None:
        self.position = position
        self.stack = stack.reshape(stack.shape[0], -1)
        self.pixels = self.stack.shape[1]

    def series(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        """(rows, days), NaN where missing."""
        length = int(self.position[-1]) + 1 if self.position.size else 0
        series = np.full((self.stack[:0, rows].shape[1], length), np.nan)
        series[:, self.position] = self.stack[:, rows].T
        return series
