"""The Whittaker smoother, against the reference and by its own properties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.phenology.whittaker import smooth_pixels, smooth_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets_tests.conftest import GOLDENS


@pytest.mark.parametrize("path", sorted((GOLDENS / "whittaker").glob("*.json")), ids=lambda path: path.stem)
def test_curves_of_the_reference(path: Path) -> None:
    case = json.loads(path.read_text())
    smooth = smooth_series(DailySeries.of(case["dates"], case["values"], keep="last"), case["lam"])
    assert smooth.days.astype(str).tolist() == list(case["smooth"])
    np.testing.assert_allclose(smooth.values, list(case["smooth"].values()), atol=1e-9)


@given(st.sets(st.integers(0, 80), min_size=2, max_size=30), st.floats(1, 1e5), st.integers(0, 2**32 - 1))
def test_the_curve_solves_the_normal_equations(days: set[int], penalty: float, seed: int) -> None:
    observed = np.array(sorted(days))
    values = np.full(81, np.nan)
    values[observed] = np.random.default_rng(seed).normal(size=len(observed))
    smooth = smooth_pixels(values, penalty)
    span = slice(observed[0], observed[-1] + 1)
    z, y = smooth[span], values[span]
    assert np.isnan(np.delete(smooth, np.arange(81)[span])).all()
    if len(z) < 3:
        assert np.isnan(z).all()
        return
    bending = np.diff(np.eye(len(z)), n=2, axis=0)
    weight = np.isfinite(y)
    residual = weight * z + penalty * bending.T @ (bending @ z) - np.where(weight, y, 0)
    np.testing.assert_allclose(residual, 0, atol=1e-5)


def test_every_pixel_is_smoothed_over_its_own_days() -> None:
    values = np.full((10, 2, 2), np.nan, dtype=np.float32)
    values[[0, 9], 0, 0] = [0, 9]
    values[[2, 5], 0, 1] = [1, 1]
    values[3, 1, 0] = 7
    smooth = smooth_pixels(values)
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth[:, 0, 0], np.arange(10), atol=1e-5)
    np.testing.assert_allclose(smooth[:, 0, 1], [np.nan] * 2 + [1] * 4 + [np.nan] * 4, atol=1e-6)
    assert np.isnan(smooth[:, 1]).all()
