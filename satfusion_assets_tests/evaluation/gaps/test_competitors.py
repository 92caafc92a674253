"""Gap filling from Sentinel-2 alone."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.evaluation.gaps.competitors import (
    HARMONIC,
    LINEAR,
    NEAREST,
    PIXEL_METHODS,
    WHITTAKER,
    YEAR_DAYS,
    PixelMethod,
)
from satfusion_assets.phenology.whittaker import smooth_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets_tests.evaluation.gaps.builders import SPECTRUM, days, stack


def pixel(method: PixelMethod, scene_days: np.ndarray, values: list[float], wanted: np.ndarray) -> np.ndarray:
    """One pixel, one band."""
    fine = np.array(values, dtype=np.float32)[:, None, None, None]
    return method.fill(fine, scene_days, wanted)[:, 0, 0, 0]


def test_linear_interpolation_and_no_extrapolation() -> None:
    found = pixel(LINEAR, days(10, 20, 30), [1, 2, 4], days(5, 10, 15, 25, 31))
    np.testing.assert_allclose(found, [np.nan, 1, 1.5, 3, np.nan])


def test_linear_interpolation_skips_clouded_observations() -> None:
    np.testing.assert_allclose(pixel(LINEAR, days(0, 5, 10), [1, np.nan, 2], days(5)), 1.5)


def test_nearest_scene_and_ties_to_the_earlier() -> None:
    found = pixel(NEAREST, days(10, 20, 30), [1, 2, 3], days(0, 14, 15, 16, 99))
    np.testing.assert_allclose(found, [1, 1, 1, 2, 3])


def test_whittaker_is_the_smoother_of_the_series() -> None:
    scene_days, values = days(3, 9, 16, 30, 41), [0.3, 0.35, np.nan, 0.45, 0.4]
    smooth = smooth_series(DailySeries.of(scene_days, values))
    found = pixel(WHITTAKER, scene_days, values, days(2, 3, 20, 41, 42))
    np.testing.assert_allclose(found, smooth.on(days(2, 3, 20, 41, 42)), rtol=1e-5)


def test_two_harmonics_give_back_two_harmonics() -> None:
    def curve(day: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * day.astype("datetime64[D]").astype(float) / YEAR_DAYS
        return 0.4 + 0.1 * np.sin(angle) - 0.03 * np.cos(2 * angle)

    scene_days, wanted = days(*range(0, 360, 25)), days(111, 222)
    np.testing.assert_allclose(
        pixel(HARMONIC, scene_days, curve(scene_days).tolist(), wanted), curve(wanted), atol=1e-5
    )


def test_few_observations_are_not_bent_into_harmonics() -> None:
    assert np.isnan(pixel(HARMONIC, days(0, 90, 180, 270, 350), [1, 2, 3, 2, 1], days(100))).all()
    huddled = days(*range(100, 112))
    assert np.isnan(pixel(HARMONIC, huddled, [1.0] * 12, days(105))).all()


@pytest.mark.parametrize("method", PIXEL_METHODS, ids=lambda method: method.name)
def test_a_constant_landscape_stays_constant(method: PixelMethod) -> None:
    whole = stack(days(*range(0, 360, 20)), np.ones(18))
    values = method.predict(whole, days(33, 111, 222)).values
    np.testing.assert_allclose(values, np.broadcast_to(SPECTRUM[:, None, None], values.shape), rtol=1e-4)


@pytest.mark.parametrize("method", PIXEL_METHODS, ids=lambda method: method.name)
def test_nothing_seen_nothing_said(method: PixelMethod) -> None:
    nothing = stack(days(10, 20), np.full(2, np.nan))
    assert np.isnan(method.predict(nothing, days(12)).values).all()
    assert np.isnan(method.fill(nothing.fine[:0], days()[:0], days(12))).all()
    assert method.fill(nothing.fine, days(10, 20), days()[:0]).shape == (0, 4, 12, 12)


@pytest.mark.parametrize("method", PIXEL_METHODS, ids=lambda method: method.name)
def test_a_pixel_without_all_its_bands_counts_as_not_seen(method: PixelMethod) -> None:
    whole = stack(days(*range(0, 360, 20)), np.linspace(0.8, 1.2, 18))
    whole.fine[5, 0, 3, 3] = np.nan
    without = whole.scenes(np.arange(18) != 5)
    wanted = days(100)
    np.testing.assert_array_equal(
        method.predict(whole, wanted).values[..., 3, 3], method.predict(without, wanted).values[..., 3, 3]
    )
