"""The six dates by name."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from satfusion_assets.evaluation.season_dates import DATE_NAMES, phase_transitions, season_dates, season_period
from satfusion_assets.evaluation.skill import Transitions
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.sites import SiteSeason

DAYS = np.arange("2023-01-01", "2026-01-01", dtype="datetime64[D]")
SOUTHERN = ((-90, 95), (275, 460))
YEAR = ((DAYS - DAYS.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1.0


def test_a_logistic_season_is_dated_in_order_and_at_its_halves() -> None:
    """Rise and fall centred on days 130 and 270; noise of a camera's size."""
    curve = 1 / (1 + np.exp(-(YEAR - 130) / 8)) - 1 / (1 + np.exp(-(YEAR - 270) / 8))
    noise = np.random.default_rng(0).normal(0, 0.002, len(DAYS))
    found = season_dates(DailySeries(DAYS, 0.34 + 0.1 * curve + noise), 2024)
    dates = [found[name] for name in DATE_NAMES]
    assert dates == sorted(dates)
    start = date(2024, 1, 1)
    assert found["rising_50"] is not None
    assert found["falling_50"] is not None
    assert abs(found["rising_50"] - (start + timedelta(129))) <= timedelta(3)
    assert abs(found["falling_50"] - (start + timedelta(269))) <= timedelta(3)
    bounds = phase_transitions(found)
    assert bounds is not None
    assert bounds.rising_50 == found["rising_50"]


def test_no_season_no_dates_and_no_phases() -> None:
    for series in (DailySeries.of([], []), DailySeries(DAYS[:400], np.full(400, 0.35))):
        found = season_dates(series, 2024)
        assert found == dict.fromkeys(DATE_NAMES)
        assert phase_transitions(found) is None


def test_dates_out_of_order_bound_no_phases() -> None:
    spring, summer, autumn, winter = (date(2024, month, 1) for month in (4, 6, 9, 11))
    ordered = dict(
        zip(("rising_10", "rising_50", "falling_50", "falling_10"), (spring, summer, autumn, winter), strict=True)
    )
    assert phase_transitions(ordered) == Transitions(spring, summer, autumn, winter)
    assert phase_transitions(ordered | {"falling_10": spring}) is None


def test_a_report_on_a_southern_year_says_that_the_rise_of_its_season_lies_in_the_year_before() -> None:
    """Green from October to April; the calendar year 2024 holds the fall of one season and the rise of the next."""
    curve = sum(1 / (1 + np.exp(-(YEAR - on) / 8)) - 1 / (1 + np.exp(-(YEAR - off) / 8)) for on, off in SOUTHERN)
    noise = np.random.default_rng(0).normal(0, 0.002, len(DAYS))
    season = SiteSeason("tumbarumba", 2024)
    period = season_period(season, season_dates(DailySeries(DAYS, 0.34 + 0.1 * curve + noise), season.season))
    assert period["scored"] == {"start": "2024-01-01", "end": "2024-12-31"}
    assert period["growing_season"]["rising_50"].startswith("2023-10")
    assert period["growing_season"]["falling_50"].startswith("2024-04")
    assert period["outside"] == ["rising_10", "rising_25", "rising_50"]
    assert period["says"].startswith(
        "Scores are of January to December 2024. The camera's growing season is September 20"
    )
    assert "2023 to April 2024" in period["says"]
    assert "(rising_10, rising_25, rising_50 lie outside)" in period["says"]


def test_a_report_on_a_northern_year_names_the_months_of_its_season() -> None:
    dates = {"rising_10": date(2024, 4, 20), "falling_10": date(2024, 10, 28)}
    period = season_period(SiteSeason("innsbruck", 2024), dates)
    assert period["outside"] == []
    assert period["says"].endswith("The camera's growing season is April to October 2024.")
    assert period["growing_season"]["rising_50"] is None


def test_a_report_without_a_growing_season_says_so() -> None:
    period = season_period(SiteSeason("innsbruck", 2024), dict.fromkeys(DATE_NAMES))
    assert period["says"].endswith("The camera shows no growing season that ends in them.")
