"""The published transition dates of real cameras, from three calendar years of raw gcc_90 each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest

from satfusion_assets.phenology import transitions
from satfusion_assets.phenology.camera import flag_outliers
from satfusion_assets_tests.conftest import REAL_DATA, real_cases
from satfusion_assets_tests.phenology.published import read_dates, read_series, summaries

ALLOWED_MEDIAN = {"rising": 3, "falling": 4}


@pytest.mark.parametrize("summary", real_cases(summaries(REAL_DATA), "published camera series"))
def test_fifty_per_cent_dates_agree_with_the_published_ones(summary: Path) -> None:
    data = read_series(summary)
    published = read_dates(summary)
    errors: dict[str, list[int]] = {"rising": [], "falling": []}
    inside = []
    for expected in published:
        year = expected.day.year
        window = data[(data.date.dt.year >= year - 1) & (data.date.dt.year <= year + 1)]
        days, gcc = window.date.to_numpy(), window.gcc_90.to_numpy()
        gcc[flag_outliers(days, gcc)] = float("nan")
        found = [
            point.date
            for season in transitions(days, gcc).seasons
            if (point := getattr(season, expected.direction)[50]).date is not None
        ]
        nearest = min(found, key=lambda day: abs(day - expected.day))
        errors[expected.direction].append(abs((nearest - expected.day).days))
        tolerance = timedelta(days=5)
        inside.append(expected.earliest - tolerance <= nearest <= expected.latest + tolerance)
    for direction, allowed in ALLOWED_MEDIAN.items():
        assert median(errors[direction]) <= allowed
    assert sum(inside) >= 0.9 * len(inside)


@pytest.mark.parametrize("summary", real_cases(summaries(REAL_DATA), "published camera series"))
def test_the_main_growing_season_of_each_year_is_the_published_one(summary: Path) -> None:
    data = read_series(summary)
    rising = {d.day.year: d.day for d in read_dates(summary) if d.direction == "rising"}
    phenology = transitions(data.date.to_numpy(), data.gcc_90.to_numpy())
    for year, expected in rising.items():
        season = phenology.growing_season(year)
        assert season is not None
        assert abs((season.rising[50].date - expected).days) <= 6
