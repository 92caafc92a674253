"""Sentinel-3 composites: exact means over what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.screening.composites import cloud_free, daily_composites, moving_average


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


def overpasses(blue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One overpass a day over a row of pixels whose blue is given, (n, 1, w)."""
    values = np.repeat(blue[:, None, None, :], 4, axis=1).astype(np.float32)
    return values, np.datetime64("2024-06-01") + np.arange(len(blue))


def test_a_cloud_beside_the_site_takes_no_part_and_its_neighbour_does() -> None:
    blue = np.full((20, 2), 0.12)
    blue[7, 1] = 0.3
    values, days = overpasses(blue)
    screened = cloud_free(values, days)
    assert np.isnan(screened[7, :, 0, 1]).all()
    assert np.isnan(screened).sum() == 4
    assert np.isfinite(values).all()


def test_the_season_and_lasting_snow_are_no_cloud() -> None:
    rising = np.linspace(0.10, 0.16, 60)
    snow = np.where(np.arange(60) < 30, 0.12, 0.7)
    values, days = overpasses(np.stack([rising, snow], axis=1))
    screened = cloud_free(values, days)
    assert np.isfinite(screened[:, :, 0, 0]).all()
    assert np.isfinite(screened[40:, :, 0, 1]).all()


def test_too_few_days_judge_nothing() -> None:
    values, days = overpasses(np.array([[0.1], [0.6]]))
    np.testing.assert_array_equal(cloud_free(values, days), values)
