"""Pixels put together from inflated blocks are those that GDAL reads, whatever form the file has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile
from rasterio.windows import from_bounds

from satfusion_assets.archives.earth_search import Damaged
from satfusion_assets.archives.earth_search.blocks import BlockForm, assemble
from satfusion_assets.archives.earth_search.cog import PAD, Layer, read_around
from satfusion_assets_tests.archives.conftest import archive
from satfusion_assets_tests.archives.tiles import HERE, TEN_M, Bucket

HREF = "https://a.example/x.tif"
WEST, NORTH = HERE.c, HERE.f
WINDOWS = {
    "across blocks": (WEST + 1_200, NORTH - 2_900, WEST + 2_900, NORTH - 1_200),
    "at the corner": (WEST - 500, NORTH - 700, WEST + 700, NORTH + 500),
    "at the far corner": (WEST + 3_900, NORTH - 4_400, WEST + 4_500, NORTH - 3_900),
}
FORMS: dict[str, dict[str, Any]] = {
    "differences": {"predictor": 2},
    "plain": {"predictor": 1},
    "bytes": {"predictor": 2, "dtype": "uint8"},
    "packed": {"nbits": 15},
    "big-endian": {"predictor": 2, "endianness": "big"},
    "strips": {"predictor": 2, "tiled": False, "blockysize": 50},
    "not deflated": {"compress": "lzw", "predictor": 2},
    "not compressed": {"compress": "none"},
    "parts that are not there": {"predictor": 2, "sparse_ok": True},
    "nodata of its own": {"predictor": 2, "sparse_ok": True, "nodata": 7},
    "no nodata": {"predictor": 2, "nodata": None},
}


def geotiff(**options: Any) -> bytes:
    profile: dict[str, Any] = {
        "dtype": "uint16",
        "tiled": True,
        "blockxsize": 128,
        "blockysize": 128,
        "compress": "deflate",
        "nodata": 0,
    }
    profile |= {"driver": "GTiff", "count": 1, "height": 430, "width": 420, "crs": "EPSG:32632", "transform": HERE}
    profile |= options
    values = np.random.default_rng(3).integers(1, 250, (430, 420)).cumsum(axis=1)
    values[120:290] = profile["nodata"] or 0
    with MemoryFile() as memory:
        with memory.open(**{key: value for key, value in profile.items() if value is not None}) as dataset:
            dataset.write((values % (2**15 if profile["dtype"] == "uint16" else 256)).astype(profile["dtype"]), 1)
        return bytes(memory.read())


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_pixels_are_those_that_gdal_reads(form: dict[str, Any], window: tuple[float, float, float, float]) -> None:
    body = geotiff(**form)
    target = GeoBox.from_bbox(window, "EPSG:32632", resolution=10, tight=True)
    patch = read_around(archive(Bucket({"x.tif": body})), HREF, target, Layer(form.get("dtype", "uint16"), 10)).patch
    assert patch is not None
    with rasterio.open(MemoryFile(body)) as dataset:
        found = patch.geobox.boundingbox
        expected = dataset.read(1, window=from_bounds(*found.bbox, dataset.transform))
        assert patch.values.dtype == expected.dtype
    np.testing.assert_array_equal(patch.values, expected)
    assert patch.values.shape[0] <= target.shape[0] + 2 * PAD


def test_a_block_without_all_of_its_pixels_is_damage() -> None:
    form = BlockForm("uint16", (4, 4), (8, 8), 32, deflated=True, plain=True, missing=0)
    with pytest.raises(ValueError, match="without all of its pixels"):
        assemble({(0, 0): bytes(30)}, form, (0, 0, 4, 4))


def test_a_header_that_is_here_is_not_asked_for_again() -> None:
    bucket = Bucket({"x.tif": geotiff(predictor=2)})
    near, wide = (
        GeoBox.from_bbox((WEST + 1_200, NORTH - reach, WEST + reach, NORTH - 1_200), "EPSG:32632", resolution=10)
        for reach in (1_300, 3_900)
    )
    served = archive(bucket)
    beginning = read_around(served, HREF, near, TEN_M).beginning
    asked = len(bucket.asked)
    again = read_around(served, HREF, wide, TEN_M, beginning)
    assert len(bucket.asked) == asked + 1
    fresh = read_around(archive(Bucket(bucket.files)), HREF, wide, TEN_M)
    assert again.patch is not None
    assert fresh.patch is not None
    np.testing.assert_array_equal(again.patch.values, fresh.patch.values)
    assert again.facts == fresh.facts
    assert again.fetched == fresh.fetched


def test_a_header_of_another_version_is_asked_for_anew() -> None:
    """The file was replaced meanwhile: its blocks lie elsewhere."""
    window = GeoBox.from_bbox(WINDOWS["across blocks"], "EPSG:32632", resolution=10, tight=True)
    before = read_around(archive(Bucket({"x.tif": geotiff(compress="none")})), HREF, window, TEN_M)
    now = Bucket({"x.tif": geotiff(predictor=2)})
    patch = read_around(archive(now), HREF, window, TEN_M, before.beginning).patch
    assert patch is not None
    assert before.patch is not None
    np.testing.assert_array_equal(patch.values, before.patch.values)


def test_damaged_blocks_are_told_with_a_header_from_before_too() -> None:
    body = bytearray(geotiff(predictor=2))
    window = GeoBox.from_bbox(WINDOWS["across blocks"], "EPSG:32632", resolution=10, tight=True)
    beginning = read_around(archive(Bucket({"x.tif": bytes(body)})), HREF, window, TEN_M).beginning
    body[len(body) // 3 : len(body) * 2 // 3] = bytes(len(body) * 2 // 3 - len(body) // 3)
    with pytest.raises(Damaged) as caught:
        read_around(archive(Bucket({"x.tif": bytes(body)})), HREF, window, TEN_M, beginning)
    assert caught.value.stable
