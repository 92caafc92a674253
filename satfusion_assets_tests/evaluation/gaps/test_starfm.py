"""STARFM: the cases its paper argues from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from satfusion_assets.evaluation.gaps.starfm import Starfm
from satfusion_assets_tests.evaluation.gaps.builders import SPECTRUM, days, stack

METHOD = Starfm(half_window=6)


def test_a_landscape_that_does_not_change_is_predicted_as_it_is() -> None:
    whole = stack(days(10, 40), np.ones(2), size=3)
    texture = np.random.default_rng(0).uniform(0.9, 1.1, whole.fine.shape[2:]).astype(np.float32)
    textured = replace(whole, fine=whole.fine * texture)
    values = METHOD.predict(textured, days(25)).values
    assert np.abs(values[0, 3] - textured.fine[0, 3]).max() < 0.6 * np.ptp(textured.fine[0, 3])
    flat = METHOD.predict(whole, days(25)).values
    np.testing.assert_allclose(flat, np.broadcast_to(SPECTRUM[:, None, None], flat.shape), rtol=1e-5)


def test_a_uniform_change_of_the_coarse_image_moves_every_pixel() -> None:
    whole = stack(days(10, 40), np.ones(2), size=3)
    coarse = whole.coarse.copy()
    coarse[whole.coarse_days == days(25)[0]] += 0.05
    values = METHOD.predict(replace(whole, coarse=coarse), days(25)).values
    np.testing.assert_allclose(values - SPECTRUM[:, None, None], 0.05, atol=1e-5)


def test_of_two_base_pairs_the_one_nearer_in_reflectance_weighs_more() -> None:
    """Coarse values of the predicted day equal the first pair's, so its scene is taken and not the mean of both."""
    whole = stack(days(10, 40), np.array([1.0, 2.0]), size=3)
    coarse = whole.coarse.copy()
    coarse[whole.coarse_days == days(25)[0]] = coarse[whole.coarse_days == days(10)[0]]
    nir = METHOD.predict(replace(whole, coarse=coarse), days(25)).values[0, 3]
    np.testing.assert_allclose(nir, SPECTRUM[3], rtol=1e-3)


def test_dissimilar_neighbours_take_no_part() -> None:
    """Two land covers side by side, of which the coarse image sees only one change; no smear across the border."""
    whole = stack(days(10), np.ones(1), size=4)
    fine = whole.fine.copy()
    fine[..., :12] *= 3
    near_border = METHOD.predict(replace(whole, fine=fine), days(12)).values[0, 3, :, 11:13]
    np.testing.assert_allclose(near_border[:, 0], 3 * SPECTRUM[3], rtol=1e-4)
    np.testing.assert_allclose(near_border[:, 1], SPECTRUM[3], rtol=1e-4)


def test_without_a_base_scene_there_is_no_prediction() -> None:
    clouded = stack(days(10), np.full(1, np.nan))
    assert np.isnan(METHOD.predict(clouded, days(12)).values).all()
    assert np.isnan(METHOD.predict(clouded.scenes(np.array([False])), days(12)).values).all()


def test_a_masked_pixel_of_every_base_scene_stays_missing() -> None:
    whole = stack(days(10, 40), np.ones(2))
    whole.fine[:, :, 2, 2] = np.nan
    values = METHOD.predict(whole, days(25)).values
    assert np.isnan(values[0, :, 2, 2]).all()
    assert np.isfinite(values[0, :, 2, 3]).all()
