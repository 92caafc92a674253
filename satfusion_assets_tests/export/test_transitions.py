"""Dates in PhenoCam's columns: read back as people read a camera's file, they are the dates that were found."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from satfusion_assets.export.transitions import COLUMNS, DatedSeries, transition_csv
from satfusion_assets.phenology import transitions
from satfusion_assets_tests.conftest import REAL_DATA, real_cases

DAYS = np.datetime64("2023-01-01") + np.arange(365)
DAY = np.arange(365.0)
GREEN = 0.33 + 0.1 * (1 / (1 + np.exp(-(DAY - 120) / 6)) - 1 / (1 + np.exp(-(DAY - 280) / 8)))
PUBLISHED = sorted((REAL_DATA / "phenocam" / "v1").glob("*_transition_dates.csv"))


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), comment="#")


def test_a_rise_and_a_fall_are_a_row_each_with_their_thresholds() -> None:
    (season,) = transitions(DAYS, GREEN).growing_seasons
    frame = read(transition_csv([DatedSeries("innsbruck", "GR", "nonaggressive_kriging", "gcc_fused", [season])]))
    rise, fall = (frame[frame["direction"] == direction].iloc[0] for direction in ("rising", "falling"))
    assert list(frame.columns) == list(COLUMNS)
    assert rise["transition_50"] == str(season.rising[50].date)
    assert rise["transition_10"] < rise["transition_25"] < rise["transition_50"]
    assert fall["transition_50"] < fall["transition_25"] < fall["transition_10"]
    for row in (rise, fall):
        assert row["transition_50_lower_ci"] <= row["transition_50"] <= row["transition_50_upper_ci"]
        assert row["threshold_50"] == pytest.approx((row["min_gcc"] + row["max_gcc"]) / 2, abs=1e-4)
        assert np.interp(pd.Timestamp(row["transition_50"]).dayofyear - 1, DAY, GREEN) == pytest.approx(
            row["threshold_50"], abs=0.006
        )


def test_what_is_not_known_is_na_and_sources_stand_in_front() -> None:
    cut = transitions(DAYS[:200], GREEN[:200]).growing_seasons
    text = transition_csv([DatedSeries("innsbruck", "", "x", "gcc_s2", cut)], ["sentinel-2-l2a: synthetic data"])
    assert text.startswith("# Data: sentinel-2-l2a: synthetic data\nsitename,")
    frame = read(text)
    assert frame["veg_type"].isna().all()
    assert frame.loc[frame["direction"] == "falling", "transition_10"].isna().all()


@pytest.mark.parametrize("path", real_cases(PUBLISHED, "transition file of PhenoCam"))
def test_the_columns_are_those_of_phenocams_own_files(path: Path) -> None:
    assert list(pd.read_csv(path, comment="#").columns) == list(COLUMNS)
