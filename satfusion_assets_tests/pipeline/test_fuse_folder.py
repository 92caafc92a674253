"""A folder of prepared images is fused in blocks to the same numbers as in memory."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate
from scipy.ndimage import zoom
from typer.testing import CliRunner

from satfusion_assets.cli import app
from satfusion_assets.fusion.efast import Status
from satfusion_assets.fusion.kriging import KrigingQuality
from satfusion_assets.fusion.methods import fuse
from satfusion_assets.own_images import fuse_folder as fuse_folder_module
from satfusion_assets.own_images.block_files import FusedBlocks
from satfusion_assets.own_images.fuse_folder import FolderFused, FuseFolder, fuse_folder
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method
from satfusion_assets_tests.fusion.efast.scenes import RATIO, Stack, random
from satfusion_assets_tests.pipeline.folders import DAYS, name, read, write, write_folder
from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket

JUST_ENOUGH = 478_075_000
"""Bytes that hold the interpreter, GDAL and a row or two of this small area."""
KRIGED_ROW = 628_090_000
"""The same for kriging, which takes every scene and makes deviations."""
WIDER = 400_000
"""What rows four times as wide need beside."""


@pytest.fixture
def stack() -> Stack:
    stack = random(5, shape=(9, 6))
    stack.coarse[20:40, 0, 3, 3] = np.nan
    stack.fine[1, :, 10:20, 7] = np.nan
    return stack


@pytest.fixture
def folder(tmp_path: Path, stack: Stack) -> Path:
    return write_folder(tmp_path, stack)


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


@pytest.mark.parametrize("other_days", [DAYS[1:], DAYS[:1]])
def test_an_order_on_the_same_folder_leaves_one_at_work_alone(
    folder: Path, stack: Stack, other_days: tuple[date, ...]
) -> None:
    """Of other days or of one of the same; what each makes is what it makes alone."""
    beside: list[FolderFused] = []

    def another(done: int, total: int) -> None:
        if done == 2:
            beside.append(fuse_folder(FuseFolder(folder, other_days, memory_bytes=JUST_ENOUGH)))
            assert list((folder / "fusion" / ".partial").iterdir())

    order = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH)
    result = fuse_folder(order, another)
    whole = stack.fuse(np.array(DAYS, "datetime64[D]")).values
    for path, image in zip(result.paths, whole, strict=True):
        np.testing.assert_array_equal(read(path), image)
    assert set(beside[0].paths) <= set(result.paths)
    assert not (folder / "fusion" / ".partial").exists()


def test_images_and_deviations_of_two_orders_at_once_are_one_order_s(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their blocks are made side by side, the files that are left one order after the other."""
    at_work: list[Method] = []

    def slowly(order: FuseFolder, *rest: Any) -> tuple[Path, ...]:
        at_work.append(order.method)
        time.sleep(0.3)
        assert at_work == [order.method]
        paths = assemble(order, *rest)
        at_work.remove(order.method)
        return paths

    def until_both_have(*given: Any) -> int:
        made = fuse_blocks(*given)
        both.wait(timeout=60)
        return made

    both = Barrier(len(Method))
    assemble, fuse_blocks = fuse_folder_module._assemble, fuse_folder_module._fuse_blocks
    monkeypatch.setattr(fuse_folder_module, "_assemble", slowly)
    monkeypatch.setattr(fuse_folder_module, "_fuse_blocks", until_both_have)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda method: fuse_folder(FuseFolder(folder, DAYS, method=method)), Method))
    methods = set()
    for path in (folder / "fusion").glob("REFL_2*.tif"):
        with rasterio.open(path) as raster:
            methods.add(raster.tags()["METHOD"])
    deviations = list((folder / "fusion").glob("REFL_SD_*.tif"))
    assert (methods, len(deviations)) in (({"efast"}, 0), ({"kriging"}, len(DAYS)))


def test_images_half_put_together_by_one_that_was_killed_are_taken_away(folder: Path) -> None:
    left = folder / "fusion" / ".assembled-x"
    left.mkdir(parents=True)
    (left / "REFL_20240615.tif").write_bytes(b"half")
    fuse_folder(FuseFolder(folder, DAYS))
    assert not left.exists()


def test_what_a_dead_order_left_is_taken_away_by_the_next(folder: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse_folder(FuseFolder(folder, DAYS[:1], memory_bytes=JUST_ENOUGH), stop)
    fuse_folder(FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH))
    assert not (folder / "fusion" / ".partial").exists()


def test_two_of_one_order_on_one_folder_share_its_blocks(folder: Path, stack: Stack) -> None:
    order, made = FuseFolder(folder, DAYS, memory_bytes=JUST_ENOUGH), list[int]()

    def again(done: int, total: int) -> None:
        if done == 2:
            made.extend([fuse_folder(order).blocks, total])

    result = fuse_folder(order, again)
    assert result.blocks + made[0] == made[1] > 3
    np.testing.assert_array_equal(read(result.paths[1]), stack.fuse(np.array(DAYS, "datetime64[D]")).values[1])
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


def test_blocks_have_the_surface_that_the_learned_strip_tells(tmp_path: Path) -> None:
    """With enough scenes to learn from, every block's coarse series is filtered by what is common to the strip."""
    folder = write_folder(tmp_path, random(5, shape=(9, 6), scenes=9))
    few = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING, memory_bytes=KRIGED_ROW))
    in_blocks = [read(path) for path in few.paths]
    whole = fuse_folder(FuseFolder(folder, DAYS, method=Method.KRIGING))
    assert few.blocks > 1 == whole.blocks
    for part, path in zip(in_blocks, whole.paths, strict=True):
        np.testing.assert_array_equal(part, read(path))


def test_kriging_of_a_folder_is_that_of_its_arrays(tmp_path: Path) -> None:
    """Where the strip that is learned from is the whole area."""
    stack = random(5, shape=(4, 6), scenes=9)
    kriged = fuse_folder(FuseFolder(write_folder(tmp_path, stack), DAYS, method=Method.KRIGING))
    images = (stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, stack.cloud_distance)
    fused = fuse(np.array(DAYS, "datetime64[D]"), *images, ratio=RATIO, method="kriging")
    assert isinstance(fused.quality, KrigingQuality)
    assert fused.quality.hyperparameters.surface is not None
    expected = (*fused.values, *fused.quality.standard_deviation)
    for path, image in zip(kriged.paths, expected, strict=True):
        np.testing.assert_array_equal(read(path), image)


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
