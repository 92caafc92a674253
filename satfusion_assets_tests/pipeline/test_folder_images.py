"""Which files of a folder are images, of which days, and which of their pixels are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from satfusion_assets.own_images.folder_images import open_folder
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets_tests.fusion.efast.scenes import Stack, random
from satfusion_assets_tests.pipeline.folders import name, write_folder


@pytest.fixture
def stack() -> Stack:
    return random(5, shape=(9, 6))


@pytest.fixture
def folder(tmp_path: Path, stack: Stack) -> Path:
    return write_folder(tmp_path, stack)


def test_a_saturated_band_of_a_whole_number_image_is_missing(folder: Path, stack: Stack) -> None:
    """65535 as in Level-2A products, beside the file's own nodata."""
    for day, image in zip(stack.fine_days, stack.fine, strict=True):
        whole = np.nan_to_num(image * 10_000).round().clip(0, 60_000).astype(np.uint16)
        whole[0, 2, 3] = 65535
        path = folder / "s2" / f"S2A_MSIL2A_{name(day)}_REFL.tif"
        with rasterio.open(path) as old:
            profile = old.profile | {"dtype": "uint16", "nodata": 0}
        with rasterio.open(path, "w", **profile) as raster:
            raster.write(whole)
    scenes = open_folder(folder, "REFL").scenes
    values = scenes.read(slice(0, 9), slice(0, 6), [0], threads=1)
    assert np.argwhere(np.isnan(values[0, 0])).tolist() == [[2, 3]]
    assert np.isfinite(values[0, 1:, 2, 3]).all()


def test_what_a_mask_hides_is_missing_in_every_band(folder: Path, stack: Stack) -> None:
    """As in images that tell missing pixels by a mask inside the file instead of a nodata value."""
    path = folder / "s2" / f"S2A_MSIL2A_{name(stack.fine_days[0])}_REFL.tif"
    with rasterio.open(path) as old:
        profile, shown = old.profile | {"nodata": None}, np.ones(old.shape, bool)
    shown[4, 1] = False
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as raster:
        raster.write(np.full((raster.count, *raster.shape), 0.1, np.float32))
        raster.write_mask(shown)
    values = open_folder(folder, "REFL").scenes.read(slice(3, 9), slice(0, 6), [0], threads=1)
    assert np.argwhere(np.isnan(values[0])).tolist() == [[band, 1, 1] for band in range(values.shape[1])]


def test_every_band_of_a_virtual_raster_has_its_own_nodata(folder: Path, stack: Stack) -> None:
    path = folder / "s2" / f"S2A_MSIL2A_{name(stack.fine_days[0])}_REFL.tif"
    with rasterio.open(path) as old:
        profile, bands = old.profile | {"dtype": "int16", "count": 1}, old.count
        missing = np.eye(old.height, old.width) > 0
    marks = [-9999, 0, -1, -2][:bands]
    for band, mark in enumerate(marks):
        with rasterio.open(folder / f"{band}.tif", "w", **profile | {"nodata": mark}) as raster:
            raster.write(np.where(missing, mark, 700).astype(np.int16)[np.newaxis])
    layers = "".join(
        f'<VRTRasterBand dataType="Int16" band="{band + 1}"><NoDataValue>{mark}</NoDataValue><Scale>0.0001</Scale>'
        f"<SimpleSource><SourceFilename>{folder / f'{band}.tif'}</SourceFilename></SimpleSource></VRTRasterBand>"
        for band, mark in enumerate(marks)
    )
    place = ",".join(str(number) for number in profile["transform"].to_gdal())
    path.write_text(
        f'<VRTDataset rasterXSize="{missing.shape[1]}" rasterYSize="{missing.shape[0]}"><SRS>EPSG:32632</SRS>'
        f"<GeoTransform>{place}</GeoTransform>{layers}</VRTDataset>"
    )
    values = open_folder(folder, "REFL").scenes.read(slice(0, 9), slice(0, 6), [0], threads=1)
    np.testing.assert_array_equal(np.isnan(values[0]), np.broadcast_to(missing[:9, :6], (bands, 9, 6)))


def renamed(folder: Path, day: np.datetime64, product: str) -> None:
    """The day's scene and cloud distance under another product's name."""
    for suffix in ("REFL", "DIST_CLOUD"):
        old = folder / "s2" / f"S2A_MSIL2A_{name(day)}_{suffix}.tif"
        old.rename(folder / "s2" / f"{product}_{suffix}.tif")


def test_all_satellites_and_full_product_names_are_taken(folder: Path, stack: Stack) -> None:
    days = stack.fine_days
    renamed(folder, days[0], f"S2B_MSIL2A_{name(days[0])}")
    renamed(folder, days[1], f"S2C_MSIL2A_{name(days[1])}")
    renamed(folder, days[2], f"S2A_MSIL2A_{name(days[2])}T101031_N0510_R022_T32TPT_{name(days[2])}T150000")
    images = open_folder(folder, "REFL")
    assert [np.datetime64(day) for day in images.scenes.days] == list(days)
    assert images.left_out == ()
    assert all(
        scene.name.removesuffix("_REFL.tif") == distance.name.removesuffix("_DIST_CLOUD.tif")
        for scene, distance in zip(images.scenes.paths, images.distances.paths, strict=True)
    )


def test_endings_in_capitals_are_taken(folder: Path, stack: Stack) -> None:
    """As Windows and some archives write them."""
    for path in sorted(folder.glob("s?/*.tif"))[::2]:
        path.rename(path.with_suffix(".TIF" if path.name.startswith("S2") else ".TIFF"))
    images = open_folder(folder, "REFL")
    assert (len(images.scenes.days), len(images.composites.days)) == (len(stack.fine_days), len(stack.coarse_days))
    assert images.left_out == ()


@pytest.mark.parametrize("which", ["s2/*_REFL.tif", "s3/*.tif"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "complex64"])
def test_a_picture_is_no_measurement(folder: Path, which: str, dtype: str) -> None:
    """Eight bits are taken with a scale alone, so that nobody means 0 to 255."""
    path = sorted(folder.glob(which))[1]
    with rasterio.open(path) as old:
        profile, shape = old.profile | {"dtype": dtype, "nodata": None}, (old.count, *old.shape)
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(np.full(shape, 77, dtype))
    with pytest.raises(InvalidInput, match=rf"{path.name} holds {dtype}, as pictures and class maps do"):
        open_folder(folder, "REFL")
    if dtype == "uint8":
        with rasterio.open(path, "r+") as raster:
            raster.scales = (0.004,) * raster.count
        assert open_folder(folder, "REFL").left_out == ()


def test_every_file_that_takes_no_part_is_named(folder: Path, stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    first = f"S2A_MSIL2A_{name(stack.fine_days[0])}"
    strange = ("L8_LC08_20240615_REFL.tif", f"{first}_refl.tif", f"{first}_REFL.jp2", "S2A_MSIL1C_20240615_REFL.tif")
    for one in strange:
        (folder / "s2" / one).touch()
    (folder / "s2" / "S2B_MSIL2A_20240101_DIST_CLOUD.tif").touch()
    (folder / "s3" / "composite_2024-06-15.tif").touch()
    for known in (f"{first}_GCC.tif", f"{first}_REFL.tif.aux.xml", ".DS_Store"):
        (folder / "s2" / known).touch()
    images = open_folder(folder, "REFL")
    named = {one.path.name for one in images.left_out}
    assert named == {*strange, "S2B_MSIL2A_20240101_DIST_CLOUD.tif", "composite_2024-06-15.tif"}
    assert all(f"{one} takes no part: " in caplog.text for one in named)


def test_two_scenes_of_one_day_are_named(folder: Path, stack: Stack) -> None:
    day = name(stack.fine_days[1])
    for suffix in ("REFL", "DIST_CLOUD"):
        copy = (folder / "s2" / f"S2A_MSIL2A_{day}_{suffix}.tif").read_bytes()
        (folder / "s2" / f"S2B_MSIL2A_{day}_{suffix}.tif").write_bytes(copy)
    with pytest.raises(
        InvalidInput, match=rf"S2A_MSIL2A_{day}_REFL\.tif and S2B_MSIL2A_{day}_REFL\.tif are of one day"
    ):
        open_folder(folder, "REFL")


def test_a_folder_without_a_name_that_is_understood_says_which_it_found(tmp_path: Path) -> None:
    (tmp_path / "s2").mkdir()
    (tmp_path / "s2" / "LC08_20240615_REFL.tif").touch()
    with pytest.raises(
        InvalidInput, match=r"holds no scene for REFL; .*LC08_20240615_REFL\.tif: its name is not underst"
    ):
        open_folder(tmp_path, "REFL")
