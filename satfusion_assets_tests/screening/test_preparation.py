"""From raw scenes to the day's image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satfusion_assets.screening.clouds import CloudMask
from satfusion_assets.screening.preparation import PreparedScene, gcc_image, measured, merge_scenes, reflectance

NAN = np.float32(np.nan)


def scene(value: float, distance: float, shape: tuple[int, int] = (4, 4), bands: int = 2) -> PreparedScene:
    """A uniform scene of 2x2 coarse pixels."""
    return PreparedScene(np.full((bands, *shape), value, np.float32), np.full((2, 2), distance, np.float32))


def test_reflectance_is_missing_where_masked_unknown_or_without_data() -> None:
    dn = np.array([[[5000, 5000, 5000, 0]], [[100, 100, 100, 100]]], dtype=np.uint16)
    mask = CloudMask(np.array([[False, True, False, False]]), np.array([[False, False, True, False]]))
    values = reflectance(dn, mask)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, 0], [0.5, NAN, NAN, NAN])  # type: ignore[arg-type]
    np.testing.assert_allclose(values[1, 0], [0.01, NAN, NAN, 0.01])  # type: ignore[arg-type]


GRASS = (400, 500, 450, 3000)
BLUE, GREEN, RED, NIR = range(4)


def missing_bands(dn: Sequence[int]) -> list[int]:
    """Numbers of the bands of one clear pixel that are no measurement."""
    clear = CloudMask(np.zeros((1, 1), bool), np.zeros((1, 1), bool))
    values = reflectance(np.array(dn, dtype=np.uint16)[:, None, None], clear)
    return np.flatnonzero(np.isnan(values[:, 0, 0])).tolist()


@pytest.mark.parametrize("band", range(4))
@pytest.mark.parametrize("dn", [65535, 65535 - 1000, 30_000], ids=["saturated", "less the offset", "interpolated"])
def test_a_saturated_band_is_missing_and_its_neighbours_stay(band: int, dn: int) -> None:
    pixel = list(GRASS)
    pixel[band] = dn
    assert missing_bands(pixel) == [band]


@pytest.mark.parametrize("band", range(4))
@pytest.mark.parametrize("dn", [1, 5])
def test_a_single_band_at_the_floor_is_missing(band: int, dn: int) -> None:
    pixel = list(GRASS)
    pixel[band] = dn
    assert missing_bands(pixel) == [band]


def test_an_over_corrected_shadow_has_no_red_and_so_no_index() -> None:
    values = np.array([30, 80, 1, 9000], dtype=np.uint16)[:, None, None]
    assert measured(values)[:, 0, 0].tolist() == [True, True, False, True]
    masked = CloudMask(np.zeros((1, 1), bool), np.zeros((1, 1), bool))
    assert np.isnan(gcc_image(reflectance(values, masked))).all()


@pytest.mark.parametrize(
    "dark", [(1, 1, 1, 1), (350, 250, 1, 1), (350, 250, 120, 1)], ids=["shadow", "water", "clear water"]
)
def test_ground_that_is_really_dark_stays(dark: tuple[int, ...]) -> None:
    assert missing_bands(dark) == []


def test_blue_and_green_at_the_floor_beside_light_bands_are_missing() -> None:
    assert missing_bands((1, 1, 450, 3000)) == [BLUE, GREEN]
    assert missing_bands((400, 1, 1, 1)) == [GREEN], "no water is black in green and not in blue"


@given(st.lists(st.integers(20, 20_000), min_size=4, max_size=4))
def test_a_pixel_without_a_band_at_either_end_is_measured(dn: list[int]) -> None:
    assert missing_bands(dn) == []


@given(st.lists(st.sampled_from([0, 1, 10, 11, 400, 20_000, 20_001, 65535]), min_size=4, max_size=4))
def test_what_is_left_never_mixes_a_floor_in_the_visible_with_light(dn: list[int]) -> None:
    kept = [number for number in range(4) if number not in missing_bands(dn)]
    assert all(0 < dn[number] <= 20_000 for number in kept)
    for band in (BLUE, GREEN):
        if band in kept and dn[band] <= 10:
            assert max(dn) <= 10


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
