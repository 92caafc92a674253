"""Block bootstrap over days."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.evaluation.bootstrap import Bootstrap, holm, interval, two_sided_p, weighted_scores
from satfusion_assets.evaluation.scores import nse, pearson

DAYS = np.arange("2024-01-01", "2024-04-10", dtype="datetime64[D]")


def test_every_draw_covers_the_season_once() -> None:
    weights = Bootstrap(draws=50).weights(DAYS)
    assert weights.shape == (50, 100)
    assert (weights.sum(axis=1) == 100).all()


def test_days_of_one_block_stay_together() -> None:
    """A draw of one 7-day block repeated: neighbours have equal counts except at block ends."""
    weights = Bootstrap(block_days=50, draws=200).weights(DAYS)
    changes = (np.diff(weights, axis=1) != 0).sum(axis=1)
    assert changes.max() <= 4


def test_each_day_is_drawn_equally_often_on_average() -> None:
    weights = Bootstrap(draws=4000).weights(DAYS)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.1)


def test_equal_seeds_equal_intervals() -> None:
    np.testing.assert_array_equal(Bootstrap(draws=5).weights(DAYS), Bootstrap(draws=5).weights(DAYS))
    assert (Bootstrap(draws=5, seed=2).weights(DAYS) != Bootstrap(draws=5).weights(DAYS)).any()


def test_weighted_scores_are_scores_of_the_repeated_samples() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.4, 0.01, 9), rng.normal(0.4, 0.01, 9)
    counts = np.array([2, 0, 1, 1, 3, 0, 0, 1, 1])
    found = {name: value[0] for name, value in weighted_scores(x, y, counts[None].astype(float)).items()}
    repeated_x, repeated_y = np.repeat(x, counts), np.repeat(y, counts)
    residual = repeated_x - repeated_y
    assert found == pytest.approx(
        {
            "rmse": np.sqrt((residual**2).mean()),
            "mae": np.abs(residual).mean(),
            "bias": residual.mean(),
            "nse": nse(repeated_x, repeated_y),
            "pearson_r": pearson(repeated_x, repeated_y),
        }
    )


def test_a_constant_reference_has_no_nse_and_no_correlation_in_any_draw() -> None:
    draws = weighted_scores(np.linspace(0, 1, 5), np.full(5, 0.4), np.ones((3, 5)))
    assert np.isnan(draws["nse"]).all()
    assert np.isnan(draws["pearson_r"]).all()
    assert interval(draws["nse"]) is None


def test_the_interval_of_independent_noise_covers_its_true_mean() -> None:
    """95 % intervals of the bias over 200 seasons of white noise around zero."""
    rng = np.random.default_rng(0)
    weights = Bootstrap(draws=400).weights(DAYS)
    covered = 0
    for _ in range(200):
        bounds = interval(weighted_scores(rng.normal(size=100), np.zeros(100), weights)["bias"])
        assert bounds is not None
        covered += bounds[0] <= 0 <= bounds[1]
    assert 0.85 <= covered / 200 <= 0.99


def test_errors_that_last_widen_the_interval() -> None:
    slow = np.repeat(np.random.default_rng(1).normal(size=10), 10)
    blocks, single = (
        interval(weighted_scores(slow, np.zeros(100), Bootstrap(block_days=n).weights(DAYS))["bias"]) for n in (20, 1)
    )
    assert blocks is not None
    assert single is not None
    assert blocks[1] - blocks[0] > 1.5 * (single[1] - single[0])


def test_p_value_of_a_clear_and_of_no_difference() -> None:
    assert two_sided_p(np.full(1000, 0.3)) == pytest.approx(0.002)
    assert two_sided_p(np.concatenate([np.full(500, -1.0), np.full(500, 1.0)])) == 1
    assert two_sided_p(np.array([np.nan])) is None


def test_holm_on_a_textbook_family() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
    assert holm([None]) == [None]
