"""Pixel scores: the reference's numbers, additivity, and degenerate fields."""

from __future__ import annotations

import json
from functools import reduce
from operator import add

import numpy as np
import pytest

from satfusion_assets.evaluation.moments import Moments, pixel_moments
from satfusion_assets.vocabulary import indices
from satfusion_assets_tests.conftest import GOLDENS

with np.load(GOLDENS / "gap" / "case01.npz") as case:
    PARAMS = json.loads(str(case["params"]))
    TRUTH, PREDICTED, MASK = case["y_true"], case["y_pred"], case["mask"]
    BLUE, GREEN, RED, GCC = case["blue"], case["green"], case["red"], case["gcc"]


@pytest.mark.parametrize(
    ("predicted", "truth", "mask", "key"),
    [
        (PREDICTED, TRUTH, MASK, "scores"),
        (np.full_like(TRUTH, 0.36), TRUTH, MASK, "constant_field_0_36"),
        (PREDICTED, np.full_like(TRUTH, 0.3), MASK, "flat_truth_0_3"),
    ],
    ids=["scores", "constant prediction", "constant truth"],
)
def test_scores_of_the_reference(predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray, key: str) -> None:
    assert pixel_moments(predicted, truth, mask).scores() == pytest.approx(PARAMS[key], abs=2e-7)


def test_no_pixels_no_scores() -> None:
    scores = pixel_moments(PREDICTED, TRUTH, np.zeros_like(MASK)).scores()
    assert scores["n_pixels"] == PARAMS["empty_mask"]["n_pixels"] == 0
    assert {value for name, value in scores.items() if name != "n_pixels"} == {None}


def test_gcc_where_the_reference_dropped_blue_has_it() -> None:
    """The reference's gap validation takes the index right; its undefined pixels are ours too."""
    ours = indices.gcc(BLUE, GREEN, RED)
    both = np.isfinite(ours) & np.isfinite(GCC)
    assert both.any()
    np.testing.assert_allclose(ours[both], GCC[both], rtol=1e-5)


def test_scores_of_parts_add_up_to_scores_of_the_whole() -> None:
    rows = [pixel_moments(PREDICTED[i : i + 7], TRUTH[i : i + 7], MASK[i : i + 7]) for i in range(0, len(TRUTH), 7)]
    pooled = reduce(add, rows, Moments())
    assert pooled.scores() == pytest.approx(pixel_moments(PREDICTED, TRUTH, MASK).scores(), rel=1e-9)


def test_hand_computed_pixels() -> None:
    predicted, truth = np.array([[1.0, 2.0, np.nan, 9.0]]), np.array([[2.0, 4.0, 5.0, 9.0]])
    scores = pixel_moments(predicted, truth, np.array([[True, True, True, False]])).scores()
    assert scores == pytest.approx(
        {"n_pixels": 2, "rmse": np.sqrt(2.5), "mae": 1.5, "mean_bias": -1.5, "pearson_r": 1.0, "nse_s2": 1 - 5 / 2}
    )


def test_rounding_is_no_variation() -> None:
    """A field that is constant but for single precision has no correlation and no NSE."""
    flat = np.array([[0.1, np.nextafter(np.float32(0.1), np.float32(1)), 0.1]], dtype=np.float32)
    ramp = np.array([[0.1, 0.2, 0.3]], dtype=np.float32)
    everywhere = np.ones((1, 3), dtype=bool)
    assert pixel_moments(ramp, flat, everywhere).scores()["nse_s2"] is None
    assert pixel_moments(flat, ramp, everywhere).scores()["pearson_r"] is None


def test_small_variation_on_a_large_mean_is_kept() -> None:
    truth = 1000 + 1e-2 * np.arange(4.0)[None]
    scores = pixel_moments(truth + 1e-2, truth, np.ones((1, 4), dtype=bool)).scores()
    assert scores["pearson_r"] == pytest.approx(1)
    assert scores["nse_s2"] == pytest.approx(1 - 4 / 5)


def test_one_pixel_has_an_error_but_no_correlation() -> None:
    scores = pixel_moments(np.array([[1.0]]), np.array([[3.0]]), np.array([[True]])).scores()
    assert scores["rmse"] == 2
    assert scores["pearson_r"] is None
    assert scores["nse_s2"] is None
