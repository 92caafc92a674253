"""Screening of a camera's greenness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.phenology import transitions
from satfusion_assets.phenology.camera import flag_outliers, white_days
from satfusion_assets_tests.conftest import REAL_DATA, real_cases
from satfusion_assets_tests.phenology.published import read_series, summaries
from satfusion_assets_tests.phenology.synthetic import CANOPIES, Canopy, day, yearly

THREE_YEARS = ("2022-01-01", "2024-12-31")


def test_foggy_days_are_flagged_and_clear_ones_left() -> None:
    days, gcc = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    observed = np.flatnonzero(np.isfinite(gcc))
    foggy = np.random.default_rng(0).choice(observed, observed.size // 40, replace=False)
    gcc[foggy] -= 0.05
    flagged = flag_outliers(days, gcc)
    assert flagged[foggy].mean() > 0.95
    assert flagged.sum() - flagged[foggy].sum() < 0.01 * observed.size


def test_clean_seasons_are_left_alone_however_steep() -> None:
    for canopy in CANOPIES.values():
        days, gcc = canopy.series(*THREE_YEARS)
        assert flag_outliers(days, gcc).mean() < 0.005


def test_missing_days_are_never_flagged() -> None:
    days, gcc = CANOPIES["grassland"].series(*THREE_YEARS)
    gcc[::7] -= 0.08
    flagged = flag_outliers(days, gcc)
    assert flagged.any()
    assert not flagged[np.isnan(gcc)].any()


@pytest.mark.parametrize(
    "gcc", [np.full(400, np.nan), np.full(400, 0.34), np.r_[0.3, np.full(399, np.nan)], np.empty(0)]
)
def test_degenerate_series_have_no_outliers(gcc: np.ndarray) -> None:
    assert not flag_outliers(np.arange(19000, 19000 + gcc.size), gcc).any()


def test_datetimes_and_numbers_are_the_same_days() -> None:
    days, gcc = CANOPIES["deciduous broadleaf"].series(*THREE_YEARS)
    gcc[100:1000:90] -= 0.06
    assert np.array_equal(flag_outliers(days, gcc), flag_outliers(days.astype("datetime64[D]"), gcc))


BOG = (120.0, 108.0, 84.0)
"""Red, green and blue of sedges in winter."""
SNOW = (150.0, 151.0, 154.0)


def test_snow_is_grey_or_bluish_and_brighter_than_the_ground() -> None:
    leaves, fog, dusk, shade = (90.0, 120.0, 70.0), (104.0, 104.0, 104.0), (50.0, 52.0, 58.0), (140.0, 150.0, 165.0)
    missing = (np.nan,) * 3
    colour = [BOG] * 20 + [leaves] * 20 + [fog, dusk, missing] + [SNOW, shade]
    assert white_days(colour).tolist() == [False] * 43 + [True] * 2


def test_what_is_never_anything_but_grey_says_nothing_of_snow() -> None:
    rock = np.random.default_rng(0).uniform(0.8, 1.3, (100, 1)) * np.array([[100.0, 101.0, 101.0]])
    assert not white_days(rock).any()
    assert white_days(np.empty((0, 3))).shape == (0,)
    assert not white_days(np.zeros((50, 3))).any()


def test_thaws_and_the_melt_are_no_seasons_once_the_snow_is_known() -> None:
    """A bog whose snow is greyer than its winter sedges; it melts on 20 April, with thaws in January and February."""
    bog = Canopy(yearly("06-01", "09-15", range(2021, 2026), amplitude=0.035), base=0.362, noise=0.003, lost=0.0)
    days, gcc = bog.series("2022-01-01", "2024-12-31")
    of_year = (days.astype("datetime64[D]") - days.astype("datetime64[D]").astype("datetime64[Y]")).astype(int)
    thaw = (of_year >= 10) & (of_year < 24) | (of_year >= 38) & (of_year < 55)
    snow = ((of_year < 110) | (of_year >= 325)) & ~thaw
    gcc[snow] = 0.335 + 0.002 * np.random.default_rng(1).normal(size=snow.sum())
    blinded = transitions(days, gcc)
    assert len([season for season in blinded.seasons if season.year == 2023]) > 1
    colour = np.where(snow[:, None], SNOW, BOG)
    known = transitions(days, np.where(white_days(colour), np.nan, gcc))
    assert [season.year for season in known.seasons] == [2022, 2023, 2024]
    season = known.growing_season(2023)
    assert season is not None
    assert abs(season.rising[50].day - day("2023-06-01")) <= 2
    assert abs(season.falling[50].day - day("2023-09-15")) <= 2


@pytest.mark.parametrize("summary", real_cases(summaries(REAL_DATA), "published camera series"))
def test_the_colour_of_real_cameras_takes_no_day_for_snow_that_volunteers_call_free_of_it(summary: Path) -> None:
    data = read_series(summary)
    white = white_days(data[["r_mean", "g_mean", "b_mean"]].to_numpy())
    assert white[data.snow_flag == 2].mean() <= 0.01
    if "_GR_" in summary.stem:
        assert white[data.snow_flag == 5].mean() >= 0.95
        assert white[data.snow_flag == 4].mean() >= 0.7


@pytest.mark.parametrize("summary", real_cases(summaries(REAL_DATA), "published camera series"))
def test_curated_flags_of_real_cameras_are_met(summary: Path) -> None:
    """Curated files flag a handful of days in all four percentiles together; what we flag beyond is as rare."""
    data = read_series(summary)
    curated = ours = both = observed = 0
    for percentile in ("gcc_mean", "gcc_50", "gcc_75", "gcc_90"):
        gcc = data[percentile].to_numpy()
        flagged = flag_outliers(data.date.to_numpy(), gcc)
        expected = (data[f"outlierflag_{percentile}"] == 1).to_numpy() & np.isfinite(gcc)
        curated, ours, both = curated + expected.sum(), ours + flagged.sum(), both + (expected & flagged).sum()
        observed += np.isfinite(gcc).sum()
    assert both >= 0.25 * curated
    assert ours - both <= 0.005 * observed


@pytest.mark.parametrize("summary", real_cases(summaries(REAL_DATA), "published camera series"))
def test_spoilt_days_in_real_series_are_found(summary: Path) -> None:
    data = read_series(summary)
    days, gcc = data.date.to_numpy(), data.gcc_90.to_numpy().copy()
    observed = np.flatnonzero(np.isfinite(gcc))
    spoilt = np.random.default_rng(1).choice(observed, observed.size // 33, replace=False)
    gcc[spoilt] -= 0.4 * (np.nanquantile(gcc, 0.95) - np.nanquantile(gcc, 0.05))
    flagged = flag_outliers(days, gcc)
    assert flagged[spoilt].mean() > 0.9
    assert flagged.sum() - flagged[spoilt].sum() < 0.01 * observed.size
