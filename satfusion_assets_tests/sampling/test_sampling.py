"""The 3x3 window at the site, against the reference's readings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from satfusion_assets.sampling.window import sample_gcc_window, sample_window, sample_windows, site_pixel, window_gcc
from satfusion_assets.vocabulary.scenarios import SERIES_BANDS
from satfusion_assets_tests.conftest import GOLDENS

POINTS = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in sorted((GOLDENS / "sampling").glob("*.npz"))
    for number in range(13)
]


def load(path: Any, number: int) -> tuple[np.ndarray, dict[str, Any], tuple[int, int] | None]:
    with np.load(path) as case:
        params, raster = json.loads(str(case["params"])), case["raster"]
    point = params["points"][number]
    grid = GeoBox(raster.shape[1:], Affine(*params["transform"]), params["crs"])
    return raster, point, site_pixel(grid, point["lat"], point["lon"])


@pytest.mark.parametrize(("path", "number"), POINTS)
def test_readings_of_the_reference(path: Any, number: int) -> None:
    raster, point, pixel = load(path, number)
    if pixel is None:
        assert point["gcc"] is None, "the reference found the point inside the raster"
        return
    if len(raster) == 1:
        assert sample_gcc_window(raster[0], *pixel) == pytest.approx(point["gcc"], abs=1e-7)
        return
    sample = sample_window(raster, *pixel)
    bands = dict(zip(SERIES_BANDS, sample.bands, strict=True))
    positive = dict(zip(SERIES_BANDS, sample.positive_bands, strict=True))
    assert sample.ndvi == pytest.approx(point["ndvi"], abs=1e-7)
    assert sample.gcc == pytest.approx(point["gcc"], abs=1e-7)
    assert bands == pytest.approx(point["bands"], rel=1e-6, abs=1e-6)
    assert positive == pytest.approx(point["bands_all_positive"], rel=1e-6)


def test_an_empty_window_says_nothing_rather_than_zero() -> None:
    sample = sample_window(np.full((4, 5, 5), np.nan), 2, 2)
    assert np.isnan([sample.ndvi, sample.gcc, *sample.bands, *sample.positive_bands]).all()
    assert np.isnan(sample_gcc_window(np.zeros((5, 5)), 2, 2))


@pytest.mark.parametrize("pixel", [(-9, -9), (-9, 2), (2, 30)])
def test_a_window_beyond_the_raster_holds_nothing(pixel: tuple[int, int]) -> None:
    assert np.isnan(sample_window(np.full((4, 12, 12), 0.5), *pixel).gcc)
    assert np.isnan(sample_gcc_window(np.full((12, 12), 0.3), *pixel))


def test_pixels_beyond_the_window_do_not_count() -> None:
    image = np.full((4, 7, 7), 0.9)
    image[:, 2:5, 2:5] = np.array([0.1, 0.2, 0.1, 0.3])[:, None, None]
    sample = sample_window(image, 3, 3)
    assert sample.gcc == pytest.approx(0.5)
    assert sample.ndvi == pytest.approx(0.5)
    assert sample.positive_bands == pytest.approx((0.1, 0.2, 0.1, 0.3))


def test_many_images_at_once_read_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(-0.05, 0.4, (20, 4, 6, 6)).astype(np.float32)
    images[rng.random(images.shape) < 0.2] = np.nan
    images[3] = np.nan
    for row, col in ((2, 3), (0, 0), (5, 5)):
        singly = [sample_window(image, row, col).gcc for image in images]
        np.testing.assert_allclose(window_gcc(images, row, col), singly, rtol=1e-12)
        singly = [sample_gcc_window(image[0], row, col) for image in images]
        np.testing.assert_allclose(window_gcc(images[:, :1], row, col), singly, rtol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("pixel", [(2, 3), (0, 0), (5, 5)])
def test_windows_that_are_read_together_give_the_very_numbers_of_single_ones(
    missing: float, pixel: tuple[int, int]
) -> None:
    rng = np.random.default_rng(1)
    images = rng.uniform(-0.001, 0.4, (60, 4, 6, 6)).astype(np.float32)
    images[rng.random(images.shape) < missing] = np.nan
    together = sample_windows(images, *pixel)
    assert str(together) == str([sample_window(image, *pixel) for image in images])
    assert sample_windows(images[:0], *pixel) == []
