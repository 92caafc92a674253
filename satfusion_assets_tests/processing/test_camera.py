"""Screening of a camera's greenness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.processing.camera import flag_outliers, snow_days
from satfusion_assets_tests.conftest import REAL_DATA, real_cases
from satfusion_assets_tests.processing.phenology.published import read_series, summaries
from satfusion_assets_tests.processing.phenology.synthetic import CANOPIES

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


def test_snow_codes_of_curated_files_and_plain_flags() -> None:
    assert snow_days([2, 4, 5, 1, np.nan]).tolist() == [False, True, True, False, False]
    assert snow_days([0, 1, np.nan]).tolist() == [False, True, False]


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
