"""Departures of the coarse series from their trend, and their variance: each pixel's from its own days alone."""

from __future__ import annotations

import numpy as np

from satfusion_assets.fusion.efast.coarse_noise import coarse_departures, coarse_variance

DAYS = np.arange(0, 60, 2)


def test_an_area_of_many_pixels_says_of_each_column_what_it_says_alone() -> None:
    rng = np.random.default_rng(3)
    coarse = rng.uniform(0.02, 0.4, (len(DAYS), 2, 20, 30))
    coarse[rng.random(coarse.shape) < 0.2] = np.nan
    departures = coarse_departures(coarse, DAYS)
    asked = np.arange(-3, 63, 3)
    variance = coarse_variance(asked, departures, DAYS)
    for column in range(30):
        alone = (..., slice(column, column + 1))
        one = coarse_departures(coarse[alone], DAYS)
        np.testing.assert_allclose(departures[alone], one, atol=1e-12)
        np.testing.assert_allclose(variance[alone], coarse_variance(asked, one, DAYS), atol=1e-12)


def test_a_line_departs_from_nothing_and_what_is_missing_stays_so() -> None:
    coarse = np.broadcast_to(0.1 + 0.002 * DAYS[:, None, None, None], (len(DAYS), 1, 1, 3)).copy()
    coarse[4, 0, 0, 1] = np.nan
    coarse[5, 0, 0, 2] = 0.0
    departures = coarse_departures(coarse, DAYS)
    np.testing.assert_array_equal(np.isnan(departures), np.isnan(coarse) | (coarse == 0))
    np.testing.assert_allclose(np.nan_to_num(departures), 0, atol=1e-12)
