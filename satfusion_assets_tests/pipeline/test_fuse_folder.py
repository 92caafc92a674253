"""A folder of prepared images is fused in blocks to the same numbers as in memory."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate
from scipy.ndimage import zoom
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.fusion.efast import Status
from satfusion_assets.fusion.methods import fuse
from satfusion_assets.own_images.block_files import FusedBlocks
from satfusion_assets.own_images.folder_images import open_folder
from satfusion_assets.own_images.fuse_folder import FuseFolder, fuse_folder
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method
from satfusion_assets_tests.fusion.efast.scenes import RATIO, Stack, random
from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket

DAYS = (date(2024, 6, 15), date(2024, 6, 20))
JUST_ENOUGH = 478_075_000
"""Bytes that hold the interpreter, GDAL and a row or two of this small area."""
KRIGED_ROW = 478_090_000
"""The same for kriging, which takes every scene and makes deviations."""
WIDER = 400_000
"""What rows four times as wide need beside."""


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
    return write_folder(tmp_path, stack)


def write_folder(folder: Path, stack: Stack) -> Path:
    for day, image, distance in zip(stack.fine_days, stack.fine, stack.cloud_distance, strict=True):
        write(folder / "s2" / f"S2A_MSIL2A_{name(day)}_REFL.tif", image, 10)
        write(folder / "s2" / f"S2A_MSIL2A_{name(day)}_DIST_CLOUD.tif", distance[None], 10 * RATIO)
    for day, image in zip(stack.coarse_days, stack.coarse, strict=True):
        write(folder / "s3" / f"composite_{name(day)}.tif", image, 10 * RATIO)
    return folder


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


def test_an_overview_of_a_large_image_is_the_mean_of_its_pixels(tmp_path: Path) -> None:
    """Where all of them are there; nothing is lost at full size."""
    stack = random(5, shape=(9, 140))
    result = fuse_folder(FuseFolder(write_folder(tmp_path, stack), DAYS[:1]))
    whole = stack.fuse(np.array(DAYS[:1], "datetime64[D]")).values[0]
    np.testing.assert_array_equal(read(result.paths[0]), whole)
    with rasterio.open(result.paths[0], overview_level=0) as raster:
        half = raster.read()
    rows, columns = (size // 2 * 2 for size in whole.shape[1:])
    bands = whole[:, :rows, :columns].reshape(len(whole), rows // 2, 2, columns // 2, 2)
    mean = bands.mean(axis=(2, 4))
    known = np.isfinite(mean)
    assert known.any()
    np.testing.assert_allclose(half[:, : rows // 2, : columns // 2][known], mean[known], rtol=1e-5)


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path, stack: Stack) -> None:
    order = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)

    def stop_after_two(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse_folder(order, stop_after_two)
    seen: list[tuple[int, int]] = []
    result = fuse_folder(order, lambda done, total: seen.append((done, total)))
    assert result.blocks == len(seen) - 1
    assert seen[0][0] == 2
    np.testing.assert_array_equal(read(result.paths[0]), stack.fuse(np.array(DAYS, "datetime64[D]")).values[0])
    assert not (folder / "fusion" / ".partial").exists()


def test_hosts_with_the_same_images_fuse_them_together_and_one_goes_on_where_another_died(
    folder: Path, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each host has the images in a folder of its own; finished blocks lie in a bucket."""
    hosts = [Path(shutil.copytree(folder, tmp_path / name)) for name in ("a", "b", "c")]
    with moto() as url:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        blocks = new_bucket(url)
        dead, *living = [FuseFolder(host, DAYS, memory_bytes=JUST_ENOUGH, blocks=blocks) for host in hosts]

        def die_after_one(done: int, total: int) -> None:
            if done == 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fuse_folder(dead, die_after_one)
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(fuse_folder, living))
        total = fuse_folder(FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)).blocks
        assert total - 1 <= sum(result.blocks for result in results) <= 2 * (total - 1)
        assert max(result.blocks for result in results) < total, "what the dead host had finished was used"
    whole = stack.fuse(np.array(DAYS, "datetime64[D]"))
    for result in results:
        assert result.status == whole.status
        for path, image in zip(result.paths, whole.values, strict=True):
            np.testing.assert_array_equal(read(path), image)


def test_whoever_begins_says_how_the_area_is_cut(tmp_path: Path) -> None:
    hosts = [FusedBlocks(Blobs(str(tmp_path)), "order") for _ in range(3)]
    assert hosts[0].rows(5) == 5
    assert hosts[1].rows(9) == 5
    with pytest.raises(InvalidInput, match="blocks of 5 rows .* enough for 3"):
        hosts[2].rows(3)


def test_of_two_who_make_a_block_the_first_counts(tmp_path: Path) -> None:
    first, second = [FusedBlocks(Blobs(str(tmp_path)), "order") for _ in range(2)]
    for host, value in ((first, 1.0), (second, 2.0)):
        host.add(0, {"a.tif": np.full((1, 2, 2), value)}, [Status.OK])
    assert first.done() == second.done() == {0}
    assert second.values(0, "a.tif", (1, 2, 2)).tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


@pytest.mark.parametrize("changed", ["pixels", "a mask beside"])
def test_changed_input_begins_anew(folder: Path, stack: Stack, changed: str) -> None:
    order = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse_folder(order, stop)
    path = folder / "s2" / f"S2A_MSIL2A_{name(stack.fine_days[2])}_REFL.tif"
    if changed == "pixels":
        stack.fine[2] += 0.1
        write(path, stack.fine[2], 10)
    else:
        shown = np.ones(stack.fine.shape[2:], bool)
        shown[:10] = False
        stack.fine[2][:, ~shown] = np.nan
        written = path.stat().st_mtime_ns
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as raster:
            raster.write_mask(shown)
        os.utime(path, ns=(written, written))
        assert path.with_name(path.name + ".msk").exists()
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


# -- names and damage ------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("which", ["s2/*_REFL.tif", "s2/*_DIST_CLOUD.tif", "s3/*.tif"])
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_cut_raster_is_one_sentence_with_its_name(folder: Path, which: str, share: float) -> None:
    cut = sorted(folder.glob(which))[1]
    content = cut.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InvalidInput, match=rf"{cut.name} [^\n]+; write it again\.$"):
        fuse_folder(FuseFolder(folder, DAYS))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--memory-gb", value) for value in ("nan", "inf", "-1", "0", "1e300")),
        *((option, v) for option in ("--sigma", "--max-days", "--cloud-distance-limit") for v in ("nan", "inf", "-1")),
        ("--product", "../REFL"),
        ("--end", "2024-01-01"),
    ],
)
def test_an_option_without_a_meaning_is_one_sentence(folder: Path, option: str, value: str) -> None:
    given = {"--start": "2024-06-15", "--end": "2024-06-20"} | {option: value}
    arguments = [f"{key}={text}" for key, text in given.items()]
    result = CliRunner().invoke(app, ["fuse", str(folder), *arguments])
    assert isinstance(result.exception, InvalidInput)
    assert "\n" not in str(result.exception)
    assert not (folder / "fusion").exists()


@pytest.mark.parametrize(
    ("composites", "words"),
    [
        (4, "1 of 1 days fused"),
        (3, "0 of 1 days fused"),
        (3, "1 without the four coarse values near enough that EFAST"),
    ],
)
def test_a_day_of_which_efast_makes_nothing_is_not_counted_as_fused(
    folder: Path, stack: Stack, composites: int, words: str
) -> None:
    nearest = sorted(stack.coarse_days, key=lambda day: abs(day - np.datetime64(DAYS[0])))
    for day in nearest[composites:]:
        next(folder.glob(f"s3/*{name(day)}*.tif")).unlink()
    said = CliRunner().invoke(app, ["fuse", str(folder), f"--start={DAYS[0]}", f"--end={DAYS[0]}"])
    assert words in said.stdout.replace("\n", " "), said.stdout


def test_kriging_of_blocks_is_that_of_the_whole_with_its_deviation(folder: Path, stack: Stack) -> None:
    """What is learned does not depend on the memory, so neither do the numbers."""
    few = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING, memory_bytes=KRIGED_ROW))
    in_blocks = [read(path) for path in few.paths]
    whole = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING))
    assert few.blocks > 1 == whole.blocks
    assert [path.name for path in whole.paths] == [
        "REFL_20240615.tif", "REFL_20240620.tif", "REFL_SD_20240615.tif", "REFL_SD_20240620.tif",
    ]  # fmt: skip
    for part, path in zip(in_blocks, whole.paths, strict=True):
        np.testing.assert_array_equal(part, read(path))
    values, deviation = in_blocks[0], in_blocks[2]
    seen = np.isfinite(stack.fine).any(axis=0)
    assert (np.isfinite(values) == seen).all()
    assert (deviation[seen] > 0).all()


def test_blocks_of_a_folder_have_the_detail_of_the_whole(tmp_path: Path) -> None:
    """A band that was spread from larger pixels looks at the pixels beside a block."""
    stack = random(5, shape=(9, 24))
    for image in stack.fine:
        image[-1] = zoom(image[-1, ::2, ::2], 2, order=1, grid_mode=True, mode="nearest")
    folder = write_folder(tmp_path, stack)
    few = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING, memory_bytes=KRIGED_ROW + WIDER))
    in_blocks = [read(path) for path in few.paths]
    whole = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING))
    assert few.blocks > 1 == whole.blocks
    for part, path in zip(in_blocks, whole.paths, strict=True):
        np.testing.assert_array_equal(part, read(path))
    days = np.array(DAYS, "datetime64[D]")
    options = {"ratio": RATIO, "method": "kriging"}
    images = (stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, stack.cloud_distance)
    measured = fuse(days, *images, **options, finer=False)  # type: ignore[arg-type]
    assert (np.abs(in_blocks[0][-1] - measured.values[0, -1]) > 1e-4).any()
