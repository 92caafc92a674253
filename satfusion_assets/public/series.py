"""Phenology and scores of labelled series."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr

from satfusion_assets.evaluation.scores import series_scores
from satfusion_assets.phenology import SATELLITE, Smoothing
from satfusion_assets.phenology import transitions as transitions_of
from satfusion_assets.phenology.series import EPOCH, Season
from satfusion_assets.sampling.series import DailySeries

if TYPE_CHECKING:
    import pandas as pd

    Series = xr.DataArray | pd.Series[Any] | DailySeries

COLUMNS: Final = ("year", "direction", "percent", "date", "lower", "upper", "label")


def transitions(series: Series, smoothing: Smoothing = SATELLITE, *, error: float = 0.0) -> pd.DataFrame:
    """The 10, 25 and 50 % dates of every growing season in a series, with 95 % intervals.

    series: one value a day, missing days absent or NaN; a DataArray with one axis of days, or a pandas Series indexed
    by them. smoothing: ``phenology.SATELLITE``, or ``CAMERA`` for a camera's gcc_90. error: standard error that
    neighbouring days share, in the series' units. One row a date: year, direction (rising or falling), percent, date,
    lower and upper (datetime64, NaT where there is none), label (how far it can be believed). Per pixel of a stack:
    ``phenology.transition_maps``. ValueError for what is no series of days.
    """
    import pandas as pd

    known = daily_series(series)
    seasons = transitions_of(known.days, known.values, smoothing, error=error).growing_seasons
    frame = pd.DataFrame([row for season in seasons for row in _rows(season)], columns=list(COLUMNS))
    return frame.astype({"date": "datetime64[ns]", "lower": "datetime64[ns]", "upper": "datetime64[ns]"})


def scores(a: Series, b: Series) -> dict[str, Any] | None:
    """How well series ``a`` follows the reference ``b`` on common days; None when there are fewer than two.

    pearson_r and pearson_r2, nse (Nash-Sutcliffe efficiency of ``a``; 1 = perfect, 0 = no better than the mean of
    ``b``), rmse, mae and nrmse (over the mean of ``b``), n_samples, date_range. ValueError for what is no series of
    days.
    """
    found = series_scores(daily_series(a), daily_series(b))
    if found is None:
        return None
    names = ("pearson_r", "pearson_r2", "nse", "rmse", "mae", "nrmse", "n_samples", "date_range")
    return {name: found[name] for name in names}


def daily_series(series: Series) -> DailySeries:
    """A labelled series as the science takes it: finite values, days ascending, the first of a day."""
    if isinstance(series, DailySeries):
        return series
    if isinstance(series, xr.DataArray):
        if series.ndim != 1 or not np.issubdtype(series[series.dims[0]].dtype, np.datetime64):
            raise ValueError(f"a series has one axis of days; this array has axes {series.dims}.")
        days, values = series[series.dims[0]].values, series.values
    else:
        days, values = np.asarray(series.index), np.asarray(series, np.float64)
        if not np.issubdtype(days.dtype, np.datetime64):
            raise ValueError(f"a series is indexed by days; this one by {days.dtype}.")
    return DailySeries.of(days, values)


def _rows(season: Season) -> list[tuple[Any, ...]]:
    return [
        (season.year, direction, percent, *map(_moment, (at.day, at.lower, at.upper)), at.label.name.lower())
        for direction, side in (("rising", season.rising), ("falling", season.falling))
        for percent, at in sorted(side.items())
    ]


def _moment(day: float) -> np.datetime64:
    """Days since 1970-01-01 to the day."""
    return np.datetime64("NaT") if np.isnan(day) else np.datetime64(EPOCH + timedelta(days=round(day)))
