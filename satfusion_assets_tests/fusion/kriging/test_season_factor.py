"""The deviation follows the season: wide where much changes, narrow where little does, and no value moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from satfusion_assets.fusion.kriging.season_factor import on_days, season_factors
from satfusion_assets_tests.fusion.kriging.scenes import season

PIXELS = 120
VARIANCE, LENGTH = 1.0, 60.0
MODEL = (LENGTH, VARIANCE, 0.0, 1e-6)
SHARES = np.array([0.0, 0.0, 1.0, 0.0]) + 1e-9
"""All pixels are of the usual kind."""


def surface(days: np.ndarray, variance: np.ndarray, seed: int = 0) -> np.ndarray:
    """(k, n) of r, whose ``variance`` (n,) follows the season."""
    rng = np.random.default_rng(seed)
    found = np.empty((PIXELS, len(days)))
    found[:, 0] = rng.standard_normal(PIXELS)
    for i in range(1, len(days)):
        keep = np.exp(-(days[i] - days[i - 1]) / LENGTH)
        found[:, i] = keep * found[:, i - 1] + np.sqrt(variance[i] * (1 - keep**2)) * rng.standard_normal(PIXELS)
    return found


def factors(days: np.ndarray, values: np.ndarray, noise: float) -> np.ndarray:
    every = np.full(len(days), noise)
    return season_factors(days, values, np.zeros_like(values), every, MODEL, SHARES)


DAYS = np.arange(0, 365, 5.0)


def test_the_factor_follows_the_variance_of_the_season() -> None:
    lively = np.abs(DAYS - 180) < 75
    found = factors(DAYS, surface(DAYS, np.where(lively, 2.5, 0.5)), noise=0.01)
    inside = np.abs(DAYS - 180) < 40
    outside = np.abs(DAYS - 180) > 110
    assert 1.8 < found[inside].mean() < 2.6
    assert 0.4 < found[outside].mean() < 0.6


@pytest.mark.parametrize("noise", [0.01, 0.3, 3.0])
def test_heavy_tails_of_the_noise_are_no_change_of_the_surface(noise: float) -> None:
    """Where all is as the model states, whatever the noise, nothing is scaled."""
    rng = np.random.default_rng(5)
    of_noise = np.sqrt(noise) * rng.standard_t(4, (PIXELS, len(DAYS)))
    found = factors(DAYS, surface(DAYS, np.ones(len(DAYS))) + of_noise, noise)
    assert np.abs(np.log(found)).mean() < 0.25


def test_one_scene_counts_as_one_whatever_it_shows() -> None:
    """Values of a scene err together: a scene far from others moves the factor less than many in a season do."""
    far, near = np.array([0.0, 150.0, 300.0]), np.arange(0, 301, 5.0)
    alone, among = (factors(days, surface(days, np.full(len(days), 0.4)), 1e-3)[len(days) // 2] for days in (far, near))
    assert among == pytest.approx(0.4, rel=0.2)
    assert 0.65 < alone < 0.95


def test_between_scenes_the_factor_goes_in_proportion_to_time_and_stays_beyond() -> None:
    scenes, of_scenes = np.array([10, 20, 40]), np.array([[1.0], [2.0], [0.5]])
    days = np.array([0, 10, 15, 30, 50])
    assert on_days(days, scenes, of_scenes)[:, 0].tolist() == pytest.approx([1, 1, 1.5, 1.25, 0.5])


def test_the_factor_scales_what_a_pixel_has_to_itself_and_no_value() -> None:
    stack = season(3)
    learned = stack.fuse().quality.hyperparameters  # type: ignore[attr-defined]
    plain, twice = (
        stack.fuse(hyperparameters=replace(learned, season_factor=np.full_like(learned.season_factor, factor)))
        for factor in (1.0, 4.0)
    )
    np.testing.assert_array_equal(plain.values, twice.values)
    shared = np.diagonal(plain.quality.common_covariance, axis1=1, axis2=2)[:, :, None, None]  # type: ignore[attr-defined]
    own = [np.square(fused.quality.standard_deviation, dtype=np.float64) - shared for fused in (plain, twice)]
    np.testing.assert_allclose(own[1], 4 * own[0], rtol=1e-3)


@pytest.mark.parametrize("given", [{"variance": 4e-4}, {"noise": 4e-5}])
def test_a_variance_or_noise_that_is_given_is_not_scaled(given: dict[str, float]) -> None:
    settings = season(3).fuse(**given).quality.hyperparameters  # type: ignore[attr-defined]
    assert (settings.season_factor == 1).all()
