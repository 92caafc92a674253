"""From raw scenes to the day's image."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.processing.clouds import CloudMask
from satfusion_assets.processing.preparation import PreparedScene, gcc_image, merge_scenes, reflectance

NAN = np.float32(np.nan)


def scene(value: float, distance: float, shape: tuple[int, int] = (4, 4), bands: int = 2) -> PreparedScene:
    """A uniform scene of 2x2 coarse pixels."""
    return PreparedScene(np.full((bands, *shape), value, np.float32), np.full((2, 2), distance, np.float32))


def test_reflectance_is_missing_where_masked_unknown_or_without_data() -> None:
    dn = np.array([[[5000, 5000, 5000, 0]], [[100, 100, 100, 100]]], dtype=np.uint16)
    mask = CloudMask(np.array([[False, True, False, False]]), np.array([[False, False, True, False]]))
    values = reflectance(dn, mask)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, 0], [0.5, NAN, NAN, NAN])
    np.testing.assert_allclose(values[1, 0], [0.01, NAN, NAN, 0.01])


def test_one_scene_is_its_own_day() -> None:
    only = scene(0.3, 4)
    only.values[:, 0, 0] = NAN
    day = merge_scenes([only])
    np.testing.assert_array_equal(day.values, only.values)
    np.testing.assert_array_equal(day.cloud_distance, only.cloud_distance)
    assert day.source[0, 0] == -1
    assert (day.source.ravel()[1:] == 0).all()


def test_the_clearest_pixel_comes_first() -> None:
    day = merge_scenes([scene(0.1, 2), scene(0.2, 7)])
    assert (day.values == np.float32(0.2)).all()
    assert (day.cloud_distance == 7).all()
    assert (day.source == 1).all()


def test_equally_clear_scenes_keep_their_order() -> None:
    assert (merge_scenes([scene(0.1, 5), scene(0.2, 5)]).source == 0).all()


def test_a_pixel_is_never_mixed_from_two_scenes() -> None:
    near, far = scene(0.1, 2), scene(0.2, 7)
    far.values[1, 0, 0] = NAN
    day = merge_scenes([near, far])
    np.testing.assert_allclose(day.values[:, 0, 0], 0.1)
    assert day.source[0, 0] == 0
    assert day.source[0, 1] == 1


def test_the_distance_speaks_of_the_pixels_in_use() -> None:
    near, far = scene(0.1, 2), scene(0.2, 6)
    far.values[:, 0, 0] = NAN
    day = merge_scenes([near, far])
    assert day.cloud_distance[0, 0] == pytest.approx((2 + 3 * 6) / 4)
    assert day.cloud_distance[1, 1] == 6


def test_a_scene_that_does_not_reach_the_pixel_leaves_it_to_the_other() -> None:
    outside, cloudy = scene(np.nan, np.nan), scene(np.nan, 0)
    day = merge_scenes([outside, cloudy])
    assert np.isnan(day.values).all()
    assert (day.cloud_distance == 0).all()
    assert (day.source == -1).all()


def test_no_scenes_are_no_day() -> None:
    with pytest.raises(ValueError, match="no scenes"):
        merge_scenes([])


def test_index_then_blend_input_is_one_band_of_gcc() -> None:
    values = np.array([0.1, 0.2, 0.1, 0.4], dtype=np.float32)[:, None, None] * np.ones((3, 5), np.float32)
    image = gcc_image(values)
    assert image.shape == (1, 3, 5)
    np.testing.assert_allclose(image, 0.5)
