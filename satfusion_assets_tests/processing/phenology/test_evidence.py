"""A fusion drawn to its clear scenes: where the scenes are, what lies between, and how sure it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.processing.phenology import anchored, transition_maps
from satfusion_assets_tests.processing.phenology.synthetic import Canopy, day, yearly

DAYS = np.arange(np.datetime64("2023-01-01"), np.datetime64("2024-01-01"))
TRUE = Canopy(yearly("05-08", "10-10", range(2022, 2025)), noise=0.0, lost=0.0).series("2023-01-01", "2023-12-31")[1]
SIGMA = 20.0


def pixel(series: np.ndarray) -> np.ndarray:
    return np.asarray(series, dtype=np.float32)[:, None, None]


def late(shift: int) -> np.ndarray:
    """A fusion that lags the truth by ``shift`` days."""
    return pixel(np.interp(np.arange(TRUE.size) - shift, np.arange(TRUE.size), TRUE))


def scenes(every: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.arange(2, TRUE.size, every)
    return DAYS[chosen], pixel(TRUE[chosen] + np.random.default_rng(1).normal(0, noise, chosen.size))


def drawn(fused: np.ndarray, scene_days: np.ndarray, values: np.ndarray, sd: float = 0.01, noise: float = 0.003):
    return anchored(DAYS, fused, np.full(fused.shape, sd, np.float32), scene_days, values, noise, SIGMA)


def test_a_fusion_that_is_right_stays_as_it_is() -> None:
    values, _ = drawn(pixel(TRUE), *scenes(5))
    np.testing.assert_allclose(values[:, 0, 0], TRUE, atol=1e-6)


def test_a_lag_is_mended_by_the_scenes_and_so_are_the_dates() -> None:
    fused = late(12)
    before = transition_maps(DAYS, fused, 2023)
    after = transition_maps(DAYS, drawn(fused, *scenes(5, noise=0.003)).values, 2023)
    truth = np.array([day("2023-05-08"), day("2023-10-10")]) - day("2022-12-31")
    assert np.all(abs(before.day_of_year[[2, 5], 0, 0] - truth) > 9)
    assert np.all(abs(after.day_of_year[[2, 5], 0, 0] - truth) < 4)


def test_far_from_scenes_the_fusion_stands_and_is_as_unsure_as_it_says() -> None:
    offset = pixel(TRUE + 0.02)
    scene_days, values = scenes(5, noise=0.003)
    early = scene_days < np.datetime64("2023-05-01")
    course = drawn(offset, scene_days[early], values[early], sd=0.02)
    near, far = 60, 330
    assert course.values[near, 0, 0] == pytest.approx(TRUE[near], abs=0.003)
    assert course.values[far, 0, 0] == pytest.approx(offset[far, 0, 0], abs=0.002)
    assert course.error[far, 0, 0] > 3 * course.error[near, 0, 0]


def test_an_isolated_cloud_pulls_nothing() -> None:
    scene_days, values = scenes(5)
    values[30] += 0.2
    spoilt = drawn(pixel(TRUE), scene_days, values).values[:, 0, 0]
    assert np.abs(spoilt - TRUE).max() < 0.002


def test_scenes_of_other_days_and_pixels_without_any_change_nothing() -> None:
    other_year = np.array(["2021-07-01", "2025-07-01"], "datetime64[D]")
    fused = late(5)
    np.testing.assert_array_equal(drawn(fused, other_year, np.full((2, 1, 1), 0.9, np.float32)).values, fused)
    np.testing.assert_array_equal(drawn(fused, DAYS[10:12], np.full((2, 1, 1), np.nan, np.float32)).values, fused)


def test_missing_days_stay_missing_and_nothing_at_all_is_nothing() -> None:
    fused = late(5)
    fused[:40] = np.nan
    values, error = drawn(fused, *scenes(5))
    assert np.isnan(values[:40]).all()
    assert np.isfinite(values[40:]).all()
    assert np.isfinite(error).all()
    none = np.empty((0, 2, 2), np.float32)
    assert anchored(DAYS[:0], none, none, DAYS[:0], none, 0.0, SIGMA).values.shape == (0, 2, 2)


def test_an_unknown_deviation_is_taken_from_the_rest_of_the_season() -> None:
    fused, (scene_days, values) = late(8), scenes(10)
    known = np.full(fused.shape, 0.01, np.float32)
    partly = np.where(np.arange(TRUE.size)[:, None, None] % 2 == 0, known, np.nan)
    whole = anchored(DAYS, fused, known, scene_days, values, 0.003, SIGMA).values
    np.testing.assert_allclose(anchored(DAYS, fused, partly, scene_days, values, 0.003, SIGMA).values, whole, atol=1e-6)
