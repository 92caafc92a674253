"""Clouds and shadows that the classification missed are told by the days around them; what stays is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.screening.transients import distance_besides, transients, without_transients

MEADOW = np.array([0.05, 0.08, 0.06, 0.36])
WINDOW = 30


def season(*, every: int = 5, length: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A meadow of one pixel, seen every few days: values (n, 4, 1, 1) and days."""
    days = np.datetime64("2024-05-01") + np.arange(0, length, every)
    return np.tile(MEADOW.astype(np.float32)[None, :, None, None], (len(days), 1, 1, 1)), days


def flagged(values: np.ndarray, days: np.ndarray) -> list[int]:
    return np.flatnonzero(transients(values, days, WINDOW)[:, 0, 0]).tolist()


def test_haze_and_a_shadow_pass_and_are_found() -> None:
    values, days = season()
    values[8] += np.array([0.06, 0.045, 0.035, 0.015])[:, None, None]
    values[14] *= 0.6
    assert flagged(values, days) == [8, 14]


def test_two_hazy_days_in_a_row_do_not_hide_each_other() -> None:
    values, days = season()
    values[8:10, 0] += 0.08
    assert flagged(values, days) == [8, 9]


@pytest.mark.parametrize(
    ("event", "after"),
    [
        ("ploughing to bright soil", [0.13, 0.18, 0.24, 0.32]),
        ("mowing", [0.05, 0.08, 0.09, 0.22]),
        ("flooding", [0.04, 0.04, 0.03, 0.02]),
    ],
)
def test_what_changes_the_ground_is_no_cloud(event: str, after: list[float]) -> None:
    values, days = season()
    values[12:] = np.array(after)[None, :, None, None]
    assert flagged(values, days) == [], event


def test_mowed_grass_that_grows_again_is_no_shadow() -> None:
    values, days = season()
    values[12:15, 3] = np.array([0.2, 0.25, 0.3])[:, None, None]
    values[12:15, 2] = 0.09
    assert flagged(values, days) == []


def test_a_side_that_was_hardly_seen_judges_nothing() -> None:
    values, days = season()
    values[1] += 0.2
    values[-2] += 0.2
    assert flagged(values, days) == []


def test_a_transient_is_missing_in_all_bands_and_its_day_keeps_its_distance() -> None:
    values, days = season()
    values[8, 0] += 0.1
    screened = without_transients(values, days, WINDOW)
    assert np.isnan(screened[8]).all()
    assert np.isnan(screened).sum() == 4
    assert np.isfinite(values).all()


def test_the_rest_of_a_disturbed_image_lies_as_far_away_as_from_any_cloud() -> None:
    passing = np.zeros((120, 120), bool)
    passing[:30, :30] = True
    passing[60, 60] = True  # a speck is less than a twentieth of its coarse pixel
    before = np.full((4, 4), 3.0, np.float32)
    before[3, 3] = np.nan
    after = distance_besides(before, passing)
    assert after[0, 0] == 0
    assert after[0, 2] == 2
    assert after[2, 2] == pytest.approx(8**0.5)
    assert after[3, 0] == 3
    assert np.isnan(after[3, 3])


@given(st.integers(0, 23), st.floats(-0.04, 0.039))
def test_order_of_days_does_not_matter_and_small_changes_never_flag(day: int, change: float) -> None:
    values, days = season()
    values[day] += np.float32(change * 0.2)
    assert flagged(values, days) == []
    values[8, 0] += 0.1
    shuffled = np.random.default_rng(day).permutation(len(days))
    np.testing.assert_array_equal(
        transients(values[shuffled], days[shuffled], WINDOW), transients(values, days, WINDOW)[shuffled]
    )
