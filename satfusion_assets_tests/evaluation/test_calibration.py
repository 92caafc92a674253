"""Calibration of a stated standard deviation."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from satfusion_assets.evaluation.calibration import Calibration, calibration, mixture_crps, normal_crps


def scores(error: np.ndarray, sd: np.ndarray, *noise: float) -> dict[str, float | int | None]:
    levels = np.array(noise) if noise else None
    return calibration(np.zeros_like(error), sd, error, np.ones(error.shape, dtype=bool), levels).scores()


def test_crps_of_known_forecasts() -> None:
    """A centred normal: s (2 phi(0) - 1 / sqrt(pi)); far off, the absolute error less s / sqrt(pi)."""
    found = normal_crps(np.array([0.0, 1e6]), np.array([2.0, 1.0]))
    assert found == pytest.approx([2 * (2 / sqrt(2 * pi) - 1 / sqrt(pi)), 1e6 - 1 / sqrt(pi)])


def test_crps_is_the_integral_of_its_definition() -> None:
    from scipy.stats import norm

    x = np.linspace(-12, 12, 200_001)
    step = x[1] - x[0]
    for z in (-1.3, 0.4, 2.5):
        integral = ((norm.cdf(x) - (x >= z)) ** 2).sum() * step
        assert normal_crps(np.array([z]), np.array([1.0]))[0] == pytest.approx(integral, abs=1e-4)


def test_an_honest_standard_deviation_covers_as_it_claims() -> None:
    rng = np.random.default_rng(0)
    sd = rng.uniform(0.01, 0.05, 40_000)
    found = scores(rng.normal(0, 1, sd.size) * sd, sd)
    assert found["coverage_68"] == pytest.approx(0.6827, abs=0.01)
    assert found["coverage_95"] == pytest.approx(0.95, abs=0.005)
    assert found["z_rms"] == pytest.approx(1, abs=0.01)


def test_half_the_spread_covers_too_little_and_costs_crps() -> None:
    error = np.random.default_rng(1).normal(0, 0.02, 20_000)
    honest, bold = scores(error, np.full(error.size, 0.02)), scores(error, np.full(error.size, 0.01))
    assert bold["coverage_68"] == pytest.approx(0.383, abs=0.01)
    assert honest["crps"] < bold["crps"]


def test_the_noise_of_the_truth_is_added_in_quadrature() -> None:
    found = scores(np.array([4.9]), np.array([3.0]), 4.0)
    assert found["mean_sd"] == 5
    assert found["coverage_68"] == 1


def test_a_truth_of_unknown_noise_is_covered_by_the_mixture_and_by_no_one_noise() -> None:
    """Clear and hazy scenes, equally many: their mean variance covers too much at 68 %, too little at 95 %."""
    rng = np.random.default_rng(3)
    sd, noise = np.full(40_000, 0.005), rng.choice([0.002, 0.05], 40_000)
    error = rng.normal(0, 1, sd.size) * np.hypot(sd, noise)
    mixture, mean = scores(error, sd, 0.002, 0.05), scores(error, sd, np.sqrt((0.002**2 + 0.05**2) / 2))
    assert mixture["coverage_68"] == pytest.approx(0.6827, abs=0.01)
    assert mixture["coverage_95"] == pytest.approx(0.95, abs=0.005)
    assert mixture["z_rms"] == pytest.approx(1, abs=0.02)
    assert mean["coverage_68"] > 0.73
    assert mixture["crps"] < mean["crps"]


def test_crps_of_a_mixture_is_the_integral_of_its_definition() -> None:
    x = np.linspace(-12, 12, 200_001)
    spreads = np.array([[0.2, 1.0, 1.5]])
    distribution = ndtr(x[:, None] / spreads).mean(axis=1)
    for error in (-1.3, 0.4, 2.5):
        integral = ((distribution - (x >= error)) ** 2).sum() * (x[1] - x[0])
        assert mixture_crps(np.array([error]), spreads)[0] == pytest.approx(integral, abs=1e-4)


def test_missing_pixels_and_stated_zeros_are_not_counted() -> None:
    found = scores(np.array([0.1, np.nan, 0.1, 0.1]), np.array([0.1, 0.1, np.nan, 0.0]))
    assert found["n"] == 1
    assert scores(np.array([np.nan]), np.array([0.1])) == {
        "n": 0, "crps": None, "mean_sd": None, "z_rms": None, "coverage_68": None, "coverage_95": None
    }  # fmt: skip


def test_parts_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(2)
    predicted, truth, sd = rng.normal(size=(3, 50))
    everywhere = np.ones(25, dtype=bool)
    parts = [calibration(predicted[p], np.abs(sd[p]), truth[p], everywhere) for p in (slice(25), slice(25, 50))]
    whole = calibration(predicted, np.abs(sd), truth, np.ones(50, dtype=bool))
    assert sum(parts, Calibration()).scores() == pytest.approx(whole.scores())
