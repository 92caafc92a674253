"""The cloud mask and the cloud distance: as the reference where it is right, right where it is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from satfusion_assets.screening.clouds import (
    NO_CLOUD_DISTANCE,
    OUTSIDE_GRANULE,
    CloudMask,
    cloud_distance,
    scl_mask,
    site_cloud_distance,
    site_mask,
)
from satfusion_assets_tests.conftest import GOLDENS


def mask_of(masked: np.ndarray, unknown: np.ndarray | None = None) -> CloudMask:
    return CloudMask(masked, np.zeros_like(masked) if unknown is None else unknown)


def golden(case: str) -> tuple[CloudMask, np.ndarray, dict[str, float]]:
    """The reference pads its image with cloud up to whole coarse pixels; we are given whole ones."""
    with np.load(GOLDENS / "distance" / f"{case}.npz") as data:
        params, band, distance = json.loads(str(data["params"])), data["band1"], data["dist"]
    ratio = params["ratio"]
    padded = np.ones((distance.shape[0] * ratio, distance.shape[1] * ratio), dtype=bool)
    padded[: band.shape[0], : band.shape[1]] = band == 0
    return mask_of(padded), distance, params


@pytest.mark.parametrize("case", ["case01", "case02", "case04", "case05", "case06", "case07"])
def test_distances_of_the_reference(case: str) -> None:
    mask, distance, params = golden(case)
    np.testing.assert_array_equal(cloud_distance(mask, int(params["ratio"]), params["tolerance"]), distance)


def test_integer_images_do_not_round_the_distance() -> None:
    mask, rounded, params = golden("case08")
    np.testing.assert_array_equal(np.floor(cloud_distance(mask, int(params["ratio"]))), rounded)


def test_a_clear_scene_has_full_weight_everywhere() -> None:
    mask, phantom, params = golden("case03")
    assert phantom.min() == 1, "the reference measures to a point outside the image"
    assert (cloud_distance(mask, int(params["ratio"])) == NO_CLOUD_DISTANCE).all()


def test_masked_classes() -> None:
    scl = np.array([[*range(12), OUTSIDE_GRANULE]], dtype=np.uint8)
    mask = scl_mask(scl)
    assert np.flatnonzero(mask.masked).tolist() == [0, 3, 8, 9, 10, 11]
    assert np.flatnonzero(mask.unknown).tolist() == [12]
    assert np.flatnonzero(mask.defective).tolist() == [1, 2]
    assert np.flatnonzero(mask.clear).tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("scl", [1, 2])
def test_a_defective_pixel_is_missing_but_no_cloud(scl: int) -> None:
    """Saturated roofs and slopes in the terrain's shadow say nothing about clouds near the pixels beside them."""
    wide = np.full((31 * 15, 31 * 15), 4, dtype=np.uint8)
    wide[15 * 15 : 15 * 15 + 5, 15 * 15 : 16 * 15] = scl
    mask = scl_mask(wide)
    assert (~site_mask(mask).clear).sum() == 4 * 5 * 15
    assert site_cloud_distance(mask).tolist() == [[NO_CLOUD_DISTANCE]]


def test_outside_the_granule_is_neither_cloud_nor_clear() -> None:
    masked, unknown = np.zeros((30, 60), dtype=bool), np.zeros((30, 60), dtype=bool)
    unknown[:, 45:] = True
    masked[:15, :15] = True
    distance = cloud_distance(mask_of(masked, unknown), ratio=15)
    np.testing.assert_allclose(distance, [[0, 1, 2, np.nan], [1, np.sqrt(2), np.sqrt(5), np.nan]], rtol=1e-6)


def test_the_cloud_share_is_taken_of_the_known_pixels() -> None:
    masked, unknown = np.zeros((10, 10), dtype=bool), np.zeros((10, 10), dtype=bool)
    masked[0, 0:4] = True
    assert cloud_distance(mask_of(masked, unknown), ratio=10)[0, 0] == NO_CLOUD_DISTANCE
    unknown[5:] = True
    assert cloud_distance(mask_of(masked, unknown), ratio=10)[0, 0] == 0


def test_clouds_just_outside_the_site_count() -> None:
    """A 5x5 site with its margin of 15 coarse pixels; the only cloud lies 3 coarse pixels west of the site."""
    masked = np.zeros((35 * 15, 35 * 15), dtype=bool)
    masked[17 * 15 : 18 * 15, 12 * 15 : 13 * 15] = True
    distance = site_cloud_distance(mask_of(masked))
    assert distance.shape == (5, 5)
    assert distance[2].tolist() == [3, 4, 5, 6, 7]


def test_the_site_mask_is_the_inner_part_at_ten_metres() -> None:
    masked = np.zeros((31 * 15, 31 * 15), dtype=bool)
    masked[15 * 15, 15 * 15] = True
    masked[0, 0] = True
    site = site_mask(mask_of(masked))
    assert site.masked.shape == (30, 30)
    assert np.argwhere(site.masked).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_mask_that_is_no_whole_number_of_coarse_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="not a multiple of ratio 15"):
        cloud_distance(mask_of(np.zeros((20, 30), dtype=bool)))
