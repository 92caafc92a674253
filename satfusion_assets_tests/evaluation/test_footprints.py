"""Series on a camera's scale: bias and gain are no error, and a difference has to outlast the draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from satfusion_assets.evaluation.footprints import COARSE, LEAST_DAYS, calibrated_errors, compare, readings
from satfusion_assets_tests.evaluation.gaps.builders import days, stack

SEASON = days(*range(60, 300, 3))
COURSE = 0.33 + 0.12 / (1 + np.exp(-(np.arange(len(SEASON)) - 30.0) / 4))


def test_a_series_in_colours_of_its_own_is_mapped_before_it_is_judged() -> None:
    target = COURSE[:, None]
    assert np.abs(calibrated_errors(SEASON, 0.1 + 0.7 * target, target)).max() < 1e-9
    assert np.isnan(calibrated_errors(SEASON, np.full_like(target, 0.4), target)).all(), "a constant tells nothing"


def test_a_day_that_either_lacks_is_no_error_and_spoils_no_other() -> None:
    target = COURSE[:, None].copy()
    target[5] = np.nan
    errors = calibrated_errors(SEASON, COURSE[:, None], target)
    assert np.isnan(errors[5, 0])
    assert np.isfinite(np.delete(errors[:, 0], 5)).all()


def test_sentinel_3_is_read_in_the_footprint_as_images_are() -> None:
    known = stack(days(60, 300), np.ones(2))
    weights = csr_matrix(np.full((1, 144), 1 / 144))
    images = {"ours": np.full((len(SEASON), 12, 12), 0.4, np.float32)}
    read = readings(known, images, SEASON, weights)
    assert set(read) == {*COARSE, "ours"}
    assert read["ours"][:, 0] == pytest.approx(np.full(len(SEASON), 0.4))
    assert read[COARSE[0]][:, 0] == pytest.approx(np.full(len(SEASON), 0.10 / 0.21), rel=1e-5)


def test_a_series_with_half_the_error_is_nearer_by_half() -> None:
    error = np.random.default_rng(1).normal(0, 0.01, len(SEASON))
    found = compare(SEASON, error / 2, error)
    assert found is not None
    assert found.difference == pytest.approx(-0.5)
    assert found.p is not None
    assert found.p < 0.05


def test_few_days_compare_nothing() -> None:
    error = np.full(len(SEASON), np.nan)
    error[: LEAST_DAYS - 1] = 0.01
    assert compare(SEASON, error, error) is None
