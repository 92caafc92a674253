"""Rasters composed without GDAL are what GDAL, and a COG validator, take them for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from satfusion_assets.store.rasters import write_raster
from satfusion_assets.store.small_rasters import first_unlike, read_rasters, write_rasters
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing

NAMES = ("blue", "green", "red", "nir")


def geobox(height: int, width: int, epsg: int = 32632) -> GeoBox:
    left, top = 600_000, 5_200_020
    return GeoBox.from_bbox(
        (left, top - 10 * height, left + 10 * width, top), crs=f"EPSG:{epsg}", resolution=10, tight=True
    )


def stack(count: int, bands: int, height: int, width: int) -> np.ndarray:
    values = np.random.default_rng(1).normal(0.2, 0.1, (count, bands, height, width)).astype(np.float32)
    values[0, :, :3] = np.nan
    values[-1, 0, 0, 0] = -0.0
    return values


@pytest.mark.parametrize("shape", [(4, 150, 150), (1, 150, 150), (4, 37, 90), (2, 600, 530), (1, 16, 16)])
def test_gdal_reads_back_what_was_written(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    images, names = stack(2, *shape), NAMES[: shape[0]]
    grid = geobox(*shape[1:])
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    tags = [{"DAY": "2024-06-15", "NOTE": '<&> "quoted"'}, {"DAY": "2024-06-16"}]
    write_rasters(paths, images, grid, band_names=names, scale=0.5, tags=tags)
    for path, image, tag in zip(paths, images, tags, strict=True):
        with rasterio.open(path) as raster:
            np.testing.assert_array_equal(raster.read(), image)
            np.testing.assert_array_equal(read_rasters([path])[0], image)
            assert raster.crs.to_epsg() == 32632
            assert raster.transform == grid.transform
            assert np.isnan(raster.nodata)
            assert raster.descriptions == names
            assert raster.scales == (0.5,) * len(names)
            assert tag.items() <= raster.tags().items()
            assert raster.block_shapes[0] == ((512, 512) if max(shape) > 512 else shape[1:])
            assert raster.profile["compress"] == "deflate"
            assert raster.profile["dtype"] == "float32"


@pytest.mark.parametrize("epsg", [32632, 32733, 4326, 3035])
def test_validator_accepts_them_in_any_crs(tmp_path: Path, epsg: int) -> None:
    write_rasters([tmp_path / "a.tif"], stack(1, 4, 150, 150), geobox(150, 150, epsg), band_names=NAMES)
    valid, errors, warnings = cog_validate(tmp_path / "a.tif", strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.crs.to_epsg() == epsg


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 4)):
        paths = [tmp_path / f"{name}{day}.tif" for day in range(5)]
        write_rasters(paths, stack(5, 2, 40, 50), geobox(40, 50), band_names=NAMES[:2], threads=threads)
    assert all((tmp_path / f"a{day}.tif").read_bytes() == (tmp_path / f"b{day}.tif").read_bytes() for day in range(5))


@pytest.mark.parametrize("shape", [(4, 40, 50), (1, 150, 150), (2, 600, 20)])
def test_an_image_has_the_bytes_that_it_has_alone(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    """Composed around a header or written by ``tifffile``, with metadata of one length and of others."""
    images, names, grid = stack(6, *shape), NAMES[: shape[0]], geobox(*shape[1:])
    images[2] = np.nan
    notes = [{"DAY": day} for day in ("2024-06-15", "2024-06-16", "a day in June", "2024-06-18", "ä" * 5, "2024-06-20")]
    together = [tmp_path / f"{day}.tif" for day in range(6)]
    write_rasters(together, images, grid, band_names=names, tags=notes)
    for day, path in enumerate(together):
        write_rasters([tmp_path / "alone.tif"], images[day : day + 1], grid, band_names=names, tags=[notes[day]])
        assert path.read_bytes() == (tmp_path / "alone.tif").read_bytes(), day


def test_stacks_are_read_whole_from_own_and_foreign_files(tmp_path: Path) -> None:
    images = stack(3, 2, 600, 40)
    paths = [tmp_path / f"{day}.tif" for day in range(3)]
    write_rasters(paths, images, geobox(600, 40), band_names=NAMES[:2])
    with rasterio.open(paths[0]) as own:
        profile = {**own.profile, "interleave": "pixel", "predictor": 1}
    with rasterio.open(paths[1], "w", **profile) as foreign:
        foreign.write(images[1])
    np.testing.assert_array_equal(read_rasters(paths), images)


def test_a_tile_that_is_not_stored_is_nodata(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write_rasters([path], stack(1, 1, 600, 600), geobox(600, 600), band_names=NAMES[:1])
    with rasterio.open(path) as own:
        profile = own.profile | {"sparse_ok": True}
    with rasterio.open(path, "w", **profile) as sparse:
        sparse.write(np.ones((1, 512, 512), np.float32), window=rasterio.windows.Window(0, 0, 512, 512))
    image = read_rasters([path])[0, 0]
    assert (image[:512, :512] == 1).all()
    assert np.isnan(image[512:]).all()


def test_missing_broken_and_odd_files_are_named(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    write_rasters(paths, stack(2, 1, 20, 20), geobox(20, 20), band_names=NAMES[:1])
    whole = paths[1].read_bytes()
    for broken in (whole[:-40], whole[:60], b""):
        paths[1].write_bytes(broken)
        with pytest.raises(ProductCorrupt, match=r"b\.tif"):
            read_rasters(paths)
    write_rasters(paths[1:], stack(1, 1, 20, 30), geobox(20, 30), band_names=NAMES[:1])
    with pytest.raises(ProductCorrupt, match=r"b\.tif"):
        read_rasters(paths)
    paths[1].unlink()
    with pytest.raises(ProductMissing, match=r"b\.tif"):
        read_rasters(paths)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 4000), damage=st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, cut: int, damage: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "a.tif"
    write_rasters([path], stack(1, 2, 40, 40), geobox(40, 40), band_names=NAMES[:2])
    content = bytearray(path.read_bytes())
    for place, byte in damage:
        content[place] = byte
    path.write_bytes(content[: len(content) - cut])
    with suppress(ProductCorrupt):
        assert read_rasters([path]).ndim == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"paths": []}, "paths"),
        ({"band_names": NAMES}, "band_names"),
        ({"geobox": geobox(5, 5)}, "geobox"),
        ({"stack": np.zeros((1, 1, 20, 20))}, "stack"),
    ],
)
def test_arguments_that_do_not_fit_are_named(tmp_path: Path, changes: dict, named: str) -> None:
    arguments = {
        "paths": [tmp_path / "a.tif"],
        "stack": np.zeros((1, 1, 20, 20), np.float32),
        "geobox": geobox(20, 20),
        "band_names": ("blue",),
        **changes,
    }
    with pytest.raises(ValueError, match=named):
        write_rasters(**arguments)


@pytest.mark.parametrize("shape", [(4, 40, 50), (1, 40, 50), (1, 600, 40)])
@pytest.mark.parametrize("other", ["none", "day", "place", "bands", "scale", "writer"])
def test_a_raster_of_another_grid_or_other_bands_is_found(
    tmp_path: Path, shape: tuple[int, int, int], other: str
) -> None:
    """Days and pixels of their own make none unlike; who wrote a raster does not count, but what it says."""
    paths = [tmp_path / f"{day}.tif" for day in range(3)]
    images, names, grid = stack(3, *shape), NAMES[: shape[0]], geobox(*shape[1:])
    tags = [{"DATE": f"2024-06-0{day}" + "5" * (other == "day" and day == 2)} for day in range(3)]
    write_rasters(paths, images, grid, band_names=names, tags=tags)
    if other == "writer":
        write_raster(paths[2], images[2], grid, nodata=float("nan"), descriptions=names)
    elif other != "day":
        place = geobox(*shape[1:], epsg=32633) if other == "place" else grid
        scale, bands = (2.0 if other == "scale" else 1.0), names[::-1] if other == "bands" else names
        bands = ("grey",) if other == "bands" and len(bands) == 1 else bands
        write_rasters(paths[2:], images[2:], place, band_names=bands, scale=scale, tags=tags[2:])
    assert first_unlike(paths) == (None if other in ("none", "day", "writer") else 2)
