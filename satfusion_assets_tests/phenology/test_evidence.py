"""A fusion drawn to its clear scenes: which scenes count, what lies between, and how sure it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.phenology import COURSE, Evidence, anchored, transition_maps
from satfusion_assets.phenology.fields import field_means
from satfusion_assets.phenology.scene_errors import clear_scenes, scene_errors
from satfusion_assets_tests.phenology.synthetic import Canopy, day, yearly

DAYS = np.arange(np.datetime64("2023-01-01"), np.datetime64("2024-01-01"))
TRUE = Canopy(yearly("05-08", "10-10", range(2022, 2025)), noise=0.0, lost=0.0).series("2023-01-01", "2023-12-31")[1]
SIGMA = 20.0
PIXELS = 9
HAZY = [33, 34, 45]
"""Scenes of the summer, two in a row: neither stands out from both its neighbours."""
GREEN = 40
"""A scene of the summer, when white light moves GCC."""


def stack(series: np.ndarray) -> np.ndarray:
    """(p, 3, 3): nine pixels alike."""
    return np.repeat(np.asarray(series, dtype=np.float32), PIXELS).reshape(-1, 3, 3)


def late(shift: int) -> np.ndarray:
    """A fusion that lags the truth by ``shift`` days."""
    return stack(np.interp(np.arange(TRUE.size) - shift, np.arange(TRUE.size), TRUE))


def scenes(every: int, noise: float = 0.002, brightness: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Days and bands (n, 4, 3, 3) of scenes of the truth; each pixel has noise of its own [GCC]."""
    chosen = np.arange(2, TRUE.size, every)
    gcc = stack(TRUE[chosen]) + np.random.default_rng(1).normal(0, noise, (chosen.size, 3, 3))
    green = brightness * gcc
    return DAYS[chosen], np.stack([(brightness - green) / 2, green, (brightness - green) / 2, 0 * gcc + 0.3], axis=1)


def drawn(fused: np.ndarray, scene_days: np.ndarray, bands: np.ndarray, sd: float = 0.01) -> Evidence:
    return anchored(DAYS, fused, np.full(fused.shape, sd, np.float32), scene_days, bands, SIGMA)


def half_dates(values: np.ndarray) -> np.ndarray:
    """Days of year of the 50 % rise and fall in the first pixel."""
    return transition_maps(DAYS, values, 2023, COURSE).day_of_year[[2, 5], 0, 0]


def test_a_fusion_that_is_right_keeps_its_dates() -> None:
    values, *_ = drawn(stack(TRUE), *scenes(5))
    np.testing.assert_allclose(half_dates(values), half_dates(stack(TRUE)), atol=1.5)


def test_a_lag_is_mended_by_the_scenes_and_so_are_the_dates() -> None:
    fused = late(12)
    before, after = half_dates(fused), half_dates(drawn(fused, *scenes(5)).values)
    truth = np.array([day("2023-05-08"), day("2023-10-10")]) - day("2022-12-31")
    assert np.all(abs(before - truth) > 9)
    assert np.all(abs(after - truth) < 3)


def test_far_from_scenes_the_fusion_stands_and_is_less_sure() -> None:
    offset = stack(TRUE + 0.02)
    scene_days, bands = scenes(5)
    early = scene_days < np.datetime64("2023-05-01")
    course = drawn(offset, scene_days[early], bands[early], sd=0.02)
    near, far = 60, 330
    assert course.values[near, 0, 0] == pytest.approx(TRUE[near], abs=0.003)
    assert course.values[far, 0, 0] == pytest.approx(offset[far, 0, 0], abs=0.003)
    assert course.error[far, 0, 0] > 3 * course.error[near, 0, 0]


def test_a_veil_is_taken_off_and_patches_of_it_are_too() -> None:
    scene_days, bands = scenes(5)
    clean = clear_scenes(scene_days, bands).gcc
    bands[HAZY, :3] += 0.03
    bands[GREEN, :3, 0, :2] += 0.05
    raw = (bands[:, 1] / bands[:, :3].sum(axis=1)).reshape(clean.shape)
    before, after = np.abs(raw - clean), np.abs(clear_scenes(scene_days, bands).gcc - clean)
    patch = (GREEN, slice(0, 2))
    assert before[HAZY].min() > 0.02
    assert after[HAZY].max() < 0.006
    assert np.all(after[patch] < before[patch] / 3), "its own course is drawn to it, so that some is left"


def test_brightness_is_that_of_the_ground_without_the_veil_in_all_three_bands() -> None:
    scene_days, bands = scenes(5)
    clean = clear_scenes(scene_days, bands).brightness
    bands[HAZY, :3] += 0.03
    np.testing.assert_allclose(clear_scenes(scene_days, bands).brightness[HAZY], clean[HAZY], atol=0.015)


def test_what_makes_a_scene_too_dark_is_put_back_but_a_shadow_is_not() -> None:
    scene_days, bands = scenes(5)
    clean = clear_scenes(scene_days, bands).gcc
    bands[HAZY, :3] -= 0.02
    bands[GREEN, :3, 0, :2] *= 0.5
    np.testing.assert_allclose(clear_scenes(scene_days, bands).gcc, clean, atol=0.008)


def test_an_error_that_a_whole_scene_shares_is_told_from_the_other_scenes() -> None:
    scene_days, bands = scenes(5)
    bands[HAZY, 1] += 0.01
    errors = scene_errors(clear_scenes(scene_days, bands))
    assert errors[HAZY].min() > 3 * np.median(np.delete(errors, HAZY))


def test_a_scene_that_stands_alone_is_no_surer_than_others() -> None:
    scene_days, bands = scenes(5)
    kept = (scene_days < np.datetime64("2023-08-01")) | (scene_days == scene_days[-1])
    errors = scene_errors(clear_scenes(scene_days[kept], bands[kept]))
    assert errors[-1] > 0.5 * np.median(errors)


def test_neighbours_of_one_field_steady_each_other_and_others_do_not() -> None:
    """Two halves, cut three weeks apart; noise of each pixel is a tenth of the season."""
    days = np.arange(60)
    early, late_cut = (np.where((days > cut) & (days < cut + 6), 0.35, 0.40) for cut in (20, 25))
    truth = np.empty((60, 8, 8))
    truth[:, :, :4], truth[:, :, 4:] = early[:, None, None], late_cut[:, None, None]
    noisy = truth + np.random.default_rng(0).normal(0, 0.006, truth.shape)
    noisy[3, 2, 2] = np.nan
    pooled = field_means(noisy)
    assert np.isnan(pooled[3, 2, 2])
    assert np.isfinite(pooled).sum() == pooled.size - 1
    error = np.nan_to_num(pooled - truth)
    assert error.std() < 0.5 * 0.006
    assert np.abs(error[21:31].mean(axis=(1, 2))).max() < 0.004, "no field has the other's cut"


@pytest.mark.parametrize("shape", [(0, 3, 3), (5, 1, 1), (12, 1, 4)])
def test_fields_of_few_scenes_or_pixels_stay_as_they_are_or_are_means(shape: tuple[int, ...]) -> None:
    values = np.full(shape, 0.4)
    np.testing.assert_allclose(field_means(values), values)
    assert np.isnan(field_means(np.full(shape, np.nan))).all()


def test_scenes_that_are_wrong_pull_little() -> None:
    scene_days, bands = scenes(5)
    clean = drawn(late(5), scene_days, bands).values
    bands[HAZY, 1] -= 0.015
    pulled = bands[HAZY[0], 1, 0, 0] / bands[HAZY[0], :3, 0, 0].sum()
    spoilt = drawn(late(5), scene_days, bands).values
    least = clean[2 + 5 * HAZY[0], 0, 0] - pulled
    assert least > 0.01
    assert np.abs(spoilt - clean).max() < 0.25 * least


def test_a_fusion_that_its_scenes_belie_says_nothing_however_sure_it_is() -> None:
    fused = stack(TRUE)
    fused[180:190] += 0.25
    values = drawn(fused, *scenes(5), sd=0.003).values
    np.testing.assert_allclose(values[:, 0, 0], drawn(stack(TRUE), *scenes(5), sd=0.003).values[:, 0, 0], atol=0.003)


def test_the_course_holds_as_many_observations_as_there_are_scenes_at_most() -> None:
    scene_days, bands = scenes(10)
    total = drawn(stack(TRUE), scene_days, bands).information.sum(axis=0)
    assert np.all(total < scene_days.size)
    assert np.all(total > scene_days.size / 3)


def test_snow_that_passed_for_clear_is_no_greenness() -> None:
    """Half a winter under snow, grey and bright, beside a canopy that is green all year."""
    gcc = np.full(TRUE.size, 0.42)
    chosen = np.arange(2, TRUE.size, 5)
    bands = np.broadcast_to(np.array([0.02, 0.03, 0.02, 0.25])[:, None, None], (chosen.size, 4, 3, 3)).copy()
    bands[:15, :3] += 0.28
    values, *_ = drawn(stack(gcc), DAYS[chosen], bands)
    assert values[:75].min() > 0.415
    labels = transition_maps(DAYS, values, 2023, COURSE, least_amplitude=0.02).label
    assert set(np.unique(labels)) == {5}


def test_scenes_of_other_days_and_pixels_without_any_leave_the_fusion_s_dates() -> None:
    other_year = np.array(["2021-07-01", "2025-07-01"], "datetime64[D]")
    anything = np.full((2, 4, 3, 3), 0.1, np.float32)
    fused, nothing = late(5), np.full((2, 4, 3, 3), np.nan, np.float32)
    without = drawn(fused, DAYS[:0], nothing[:0]).values
    np.testing.assert_allclose(half_dates(without), half_dates(fused), atol=1.5)
    np.testing.assert_array_equal(drawn(fused, other_year, anything).values, without)
    np.testing.assert_array_equal(drawn(fused, DAYS[10:12], nothing).values, without)


def test_missing_days_stay_missing_unless_a_scene_shows_them_and_nothing_at_all_is_nothing() -> None:
    fused = late(5)
    fused[:40] = np.nan
    scene_days, bands = scenes(5)
    values, error, _ = drawn(fused, scene_days, bands)
    seen = np.isin(DAYS, scene_days)
    assert np.isnan(values[:40][~seen[:40]]).all()
    assert np.isfinite(values[seen]).all()
    assert np.isfinite(values[40:]).all()
    assert np.isfinite(error).all()
    none = np.empty((0, 2, 2), np.float32)
    assert anchored(DAYS[:0], none, none, DAYS[:0], none[:, None], SIGMA).values.shape == (0, 2, 2)


def test_all_missing_has_neither_values_nor_dates() -> None:
    nothing = np.full((DAYS.size, 3, 3), np.nan, np.float32)
    values, error, _ = drawn(nothing, DAYS[:3], np.full((3, 4, 3, 3), np.nan, np.float32))
    assert np.isnan(values).all()
    assert np.isfinite(error).all()
    assert not np.isfinite(transition_maps(DAYS, values, 2023, COURSE, error=error).day_of_year).any()


def test_one_scene_a_constant_canopy_and_no_fusion_are_no_season() -> None:
    scene_days, bands = scenes(5)
    values, error, _ = drawn(stack(np.full(TRUE.size, np.nan)), scene_days[:1], bands[:1])
    assert np.isfinite(values).any(axis=(1, 2)).sum() == 1
    assert set(np.unique(transition_maps(DAYS, values, 2023, COURSE, error=error).label)) == {0}
    level = np.broadcast_to(bands[:1], bands.shape)
    values, error, _ = drawn(stack(np.full(TRUE.size, TRUE[2])), scene_days, level)
    assert set(np.unique(transition_maps(DAYS, values, 2023, COURSE, error=error).label)) == {5}


def test_an_unknown_deviation_is_taken_from_the_rest_of_the_season() -> None:
    fused, (scene_days, bands) = late(8), scenes(10)
    known = np.full(fused.shape, 0.01, np.float32)
    partly = np.where(np.arange(TRUE.size)[:, None, None] % 2 == 0, known, np.nan)
    whole = anchored(DAYS, fused, known, scene_days, bands, SIGMA).values
    np.testing.assert_allclose(anchored(DAYS, fused, partly, scene_days, bands, SIGMA).values, whole, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_scenes_to_compare_are_taken_to_be_alike(count: int) -> None:
    scene_days, bands = scenes(5)
    errors = scene_errors(clear_scenes(scene_days[:count], bands[:count]))
    assert errors.shape == (count,)
    assert np.unique(errors).size <= 1
