"""Sentinel-3 composites: exact means over what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.processing.composites import daily_composites, moving_average


def stack(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None, None, None]


def test_overpasses_of_one_utc_day_are_averaged() -> None:
    times = np.array(["2024-05-02T09:10", "2024-05-01T23:59", "2024-05-02T10:00", "2024-05-02T10:40"], "datetime64[m]")
    composites = daily_composites(stack(0.2, 0.5, 0.4, np.nan), times)
    assert composites.days.astype(str).tolist() == ["2024-05-01", "2024-05-02"]
    np.testing.assert_allclose(composites.values.ravel(), [0.5, 0.3])
    assert composites.support.ravel().tolist() == [1, 2]


def test_a_day_without_any_value_is_missing_not_zero() -> None:
    composites = daily_composites(stack(np.nan), ["2024-05-01"])
    assert np.isnan(composites.values).all()
    assert (composites.support == 0).all()


def test_the_average_reaches_by_date_and_not_by_file() -> None:
    days = ["2024-05-01", "2024-05-03", "2024-05-04", "2024-05-20"]
    smooth = moving_average(daily_composites(stack(1, 2, 6, 9), days), 5)
    np.testing.assert_allclose(smooth.values.ravel(), [1.5, 3, 4, 9])
    assert smooth.support.ravel().tolist() == [2, 3, 2, 1]


def test_missing_values_have_no_weight() -> None:
    days = ["2024-05-01", "2024-05-02", "2024-05-03"]
    smooth = moving_average(daily_composites(stack(0.2, np.nan, 0.4), days), 5)
    np.testing.assert_allclose(smooth.values.ravel(), 0.3)


def test_no_smoothing_changes_nothing() -> None:
    composites = daily_composites(stack(1, 2), ["2024-05-01", "2024-05-02"])
    assert moving_average(composites, 0) is composites


def test_a_negative_width_is_refused() -> None:
    with pytest.raises(ValueError, match="smoothing_days is -1"):
        moving_average(daily_composites(stack(1), ["2024-05-01"]), -1)


@given(st.lists(st.integers(0, 120), min_size=1, max_size=40), st.integers(0, 90))
def test_a_constant_scene_stays_constant_however_wide_the_window(offsets: list[int], width: int) -> None:
    days = np.datetime64("2024-01-01") + np.array(offsets)
    composites = moving_average(daily_composites(stack(*[0.2] * len(days)), days), width)
    np.testing.assert_allclose(composites.values, 0.2, rtol=1e-6)
    assert len(composites.days) == len(set(offsets))
