"""A folder of prepared images is fused in blocks to the same numbers as in memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from satfusion_assets.errors import InvalidInput
from satfusion_assets.stages.folder_images import open_folder
from satfusion_assets.stages.fuse_folder import FuseFolder, fuse_folder
from satfusion_assets_tests.processing.efast.scenes import RATIO, Stack, random

DAYS = (date(2024, 6, 15), date(2024, 6, 20))
JUST_ENOUGH = 478_075_000
"""Bytes that hold the interpreter, GDAL and a row or two of this small area."""


def write(path: Path, image: np.ndarray, pixel: float) -> None:
    path.parent.mkdir(exist_ok=True)
    bands, height, width = image.shape
    profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": image.dtype}
    transform = from_origin(600_000, 5_200_020, pixel, pixel)
    with rasterio.open(path, "w", **profile, crs="EPSG:32632", transform=transform, nodata=np.nan) as raster:
        raster.write(image)


def name(day: np.datetime64) -> str:
    return str(day).replace("-", "")


@pytest.fixture
def stack() -> Stack:
    stack = random(5, shape=(9, 6))
    stack.coarse[20:40, 0, 3, 3] = np.nan
    stack.fine[1, :, 10:20, 7] = np.nan
    return stack


@pytest.fixture
def folder(tmp_path: Path, stack: Stack) -> Path:
    for day, image, distance in zip(stack.fine_days, stack.fine, stack.cloud_distance, strict=True):
        write(tmp_path / "s2" / f"S2A_MSIL2A_{name(day)}_REFL.tif", image, 10)
        write(tmp_path / "s2" / f"S2A_MSIL2A_{name(day)}_DIST_CLOUD.tif", distance[None], 10 * RATIO)
    for day, image in zip(stack.coarse_days, stack.coarse, strict=True):
        write(tmp_path / "s3" / f"composite_{name(day)}.tif", image, 10 * RATIO)
    return tmp_path


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as raster:
        return raster.read()


def test_blocks_give_the_numbers_of_one_piece(folder: Path, stack: Stack) -> None:
    result = fuse_folder(FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH))
    whole = stack.fuse(np.array(DAYS, "datetime64[D]"))
    assert result.blocks > 2
    assert result.status == whole.status
    for path, image in zip(result.paths, whole.values, strict=True):
        np.testing.assert_array_equal(read(path), image)
        assert cog_validate(path, strict=True)[0]
    assert [path.name for path in result.paths] == ["REFL_20240615.tif", "REFL_20240620.tif"]


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path, stack: Stack) -> None:
    order = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)

    def stop_after_two(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse_folder(order, stop_after_two)
    seen: list[tuple[int, int]] = []
    result = fuse_folder(order, lambda done, total: seen.append((done, total)))
    assert result.blocks == len(seen) - 2
    np.testing.assert_array_equal(read(result.paths[0]), stack.fuse(np.array(DAYS, "datetime64[D]")).values[0])
    assert not (folder / "fusion" / ".partial").exists()


def test_changed_input_begins_anew(folder: Path, stack: Stack) -> None:
    order = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse_folder(order, stop)
    write(folder / "s2" / f"S2A_MSIL2A_{name(stack.fine_days[0])}_REFL.tif", stack.fine[0] + 0.1, 10)
    stack.fine[0] += 0.1
    result = fuse_folder(order)
    np.testing.assert_array_equal(read(result.paths[0]), stack.fuse(np.array(DAYS, "datetime64[D]")).values[0])


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


def test_partners_grids_and_limits_that_do_not_fit_are_named(folder: Path, stack: Stack) -> None:
    with pytest.raises(InvalidInput, match="memory_bytes"):
        fuse_folder(FuseFolder(folder, DAYS, memory_bytes=10**8))
    with pytest.raises(InvalidInput, match="sigma"):
        fuse_folder(FuseFolder(folder, DAYS, sigma=0))
    with pytest.raises(InvalidInput, match="GCC"):
        fuse_folder(FuseFolder(folder, DAYS, product="GCC"))
    first = folder / "s3" / f"composite_{name(stack.coarse_days[0])}.tif"
    write(first, stack.coarse[0], 10 * RATIO + 1)
    with pytest.raises(InvalidInput, match="composite_"):
        fuse_folder(FuseFolder(folder, DAYS))
    distance = folder / "s2" / f"S2A_MSIL2A_{name(stack.fine_days[2])}_DIST_CLOUD.tif"
    distance.unlink()
    with pytest.raises(InvalidInput, match=distance.name):
        fuse_folder(FuseFolder(folder, DAYS))
