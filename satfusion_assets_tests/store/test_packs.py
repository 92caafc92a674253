"""Analysis-ready packs: nothing clipped, nothing invented, readable by xarray."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from odc.geo.geobox import GeoBox
from pyproj import CRS
from rasterio import Affine

from satfusion_assets.store.layers import LAYERS
from satfusion_assets.store.pack_reader import open_pack, pack_days, read_layers, read_pixel
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.store.small_rasters import write_rasters
from satfusion_assets.vocabulary.errors import ProductCorrupt, StoreError

ROUNDED = LAYERS["fused"].step / 2 + 1e-7
"""Half a step, and what 32 bits make of it."""

TRANSFORM = (10.0, 0.0, 675_240.0, 0.0, -10.0, 5_221_440.0)
EPSG = 32632


def layer(values: np.ndarray, name: str = "fused", bands: tuple[str, ...] = ("blue", "nir")) -> PackLayer:
    days = np.datetime64("2024-02-27") + np.arange(len(values))
    return PackLayer(name, days.astype("datetime64[D]"), values, bands)


@pytest.fixture
def season() -> np.ndarray:
    values = np.random.default_rng(3).uniform(0, 0.6, (40, 2, 33, 45)).astype(np.float32)
    values[values < 0.05] = np.nan
    return values


def test_xarray_reads_dates_bands_and_missing_values(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    dataset = xr.open_zarr(tmp_path / "p.zarr")
    fused = dataset["fused"]
    assert fused.dims == ("time", "band", "y", "x")
    assert str(fused.time.values[2])[:10] == "2024-02-29"
    assert (float(dataset.x[0]), float(dataset.y[0])) == (675_245.0, 5_221_435.0)
    assert dataset.spatial_ref.attrs["epsg"] == EPSG
    np.testing.assert_array_equal(np.isnan(fused.values), np.isnan(season))
    np.testing.assert_allclose(fused.values, season, atol=ROUNDED)


def test_a_pixel_is_found_by_its_place_up_to_its_edges(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    for east, north in ((675_260.0, 5_221_409.9), (675_269.9, 5_221_400.1)):
        found = read_pixel(tmp_path / "p.zarr", "p", east, north)
        assert found is not None
        np.testing.assert_allclose(found["fused"].values[:, :, 0, 0], season[:, :, 3, 2], atol=ROUNDED)
        assert found["fused"].days[0] == "2024-02-27"
        assert found["fused"].bands == ("blue", "nir")


@pytest.mark.parametrize("place", [(675_239.0, 5_221_405.0), (675_691.0, 5_221_405.0), (675_260.0, 5_221_109.0)])
def test_a_place_outside_the_pack_has_no_pixel(tmp_path: Path, season: np.ndarray, place: tuple[float, float]):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    assert read_pixel(tmp_path / "p.zarr", "p", *place) is None


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        (3, 1, 4, 5),
        elements=st.one_of(st.just(np.nan), st.floats(0, 1, width=32)),
    ),
    st.sampled_from(sorted(LAYERS)),
)
def test_every_value_is_stored_to_the_step_of_its_layer_whatever_the_others_are(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, name: str
):
    lowest, highest = LAYERS[name].limits
    values = (lowest + values * (highest - lowest)).astype(np.float32)
    path = tmp_path_factory.mktemp("pack") / "p.zarr"
    write_pack(path, [layer(values, name, ("gcc",))], TRANSFORM, EPSG)
    read = xr.open_zarr(path)[name]
    np.testing.assert_array_equal(np.isnan(read.values), np.isnan(values))
    bits = LAYERS[name].significant
    relative = 0 if bits is None else 2.0**-bits
    np.testing.assert_allclose(read.values, values, rtol=relative, atol=LAYERS[name].step / 2 + 1e-6)


@pytest.mark.parametrize("value", [300.0, -300.0, np.inf, -np.inf])
def test_a_value_that_does_not_fit_its_layer_is_named_and_never_clipped(
    tmp_path: Path, season: np.ndarray, value: float
):
    season[7, 1, 3, 4] = value
    with pytest.raises(StoreError, match=r"Layer fused is .* in image 7 at \(1, 3, 4\)"):
        write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)


def test_a_layer_of_unknown_precision_is_refused(tmp_path: Path, season: np.ndarray):
    with pytest.raises(StoreError, match="Layer novelty has no type"):
        write_pack(tmp_path / "p.zarr", [layer(season, "novelty")], TRANSFORM, EPSG)


def test_the_projection_is_a_coordinate_without_any_option(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    dataset = xr.open_zarr(tmp_path / "p.zarr")
    assert "spatial_ref" in dataset.fused.coords
    assert CRS.from_cf(dataset.fused.spatial_ref.attrs).to_epsg() == EPSG
    assert set(dataset.data_vars) == {"fused", "fused_available"}


def test_rioxarray_reads_packs_and_rasters_without_any_option(tmp_path: Path, season: np.ndarray):
    """Projection, place and values; what is stored of a layer without a step is float32 itself."""
    import rioxarray

    names, grid = ("blue", "nir"), GeoBox(season.shape[-2:], Affine(*TRANSFORM), f"EPSG:{EPSG}")
    images = LAYERS["fused"].decode(LAYERS["fused"].encode("fused", season[:2]))
    write_pack(tmp_path / "p.zarr", [layer(images)], TRANSFORM, EPSG)
    write_rasters([tmp_path / "a.tif", tmp_path / "b.tif"], images, grid, band_names=names)
    packed = xr.open_zarr(tmp_path / "p.zarr").fused
    raster = rioxarray.open_rasterio(tmp_path / "b.tif", masked=True)
    assert isinstance(raster, xr.DataArray)
    for found in (packed.isel(time=1), raster):
        assert found.rio.crs.to_epsg() == EPSG
        assert found.rio.transform() == Affine(*TRANSFORM)
        np.testing.assert_array_equal(found.values, images[1])


def test_a_piece_of_a_pack_is_written_as_netcdf_and_lies_where_its_coordinates_say(tmp_path: Path, season: np.ndarray):
    """The pack's own GeoTransform goes along uncut; GDAL goes by the axes, for they have their CF names."""
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    piece = open_pack(tmp_path / "p.zarr").isel(time=slice(3), x=slice(4, 24, 2), y=slice(6, 26, 2))
    piece.to_netcdf(tmp_path / "piece.nc", engine="h5netcdf")
    with rasterio.open(f"netcdf:{tmp_path / 'piece.nc'}:fused") as raster:
        assert raster.crs.to_epsg() == EPSG
        assert raster.transform == Affine(20, 0, float(piece.x[0]) - 10, 0, -20, float(piece.y[0]) + 10)
    with xr.open_dataset(tmp_path / "piece.nc", engine="h5netcdf") as read:
        np.testing.assert_array_equal(read.fused, piece.fused)


def test_a_layer_without_days_and_layers_of_different_days_live_together(tmp_path: Path, season: np.ndarray):
    layers = [layer(season), layer(season[:7], "s2"), layer(season[:0], "s3")]
    write_pack(tmp_path / "p.zarr", layers, TRANSFORM, EPSG)
    found = read_pixel(tmp_path / "p.zarr", "p", 675_260.0, 5_221_405.0)
    assert found is not None
    assert {name: len(one.days) for name, one in found.items()} == {"fused": 40, "s2": 7, "s3": 0}


@pytest.mark.parametrize("wanted", [[2, 7, 35], [33], [0, 39]])
def test_images_of_single_days_are_those_days_images(tmp_path: Path, season: np.ndarray, wanted: list[int]):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    days = np.datetime64("2024-02-27") + np.array(wanted)
    (found,) = read_layers(tmp_path / "p.zarr", "p", days=[str(day) for day in days])
    np.testing.assert_array_equal(found.days, days)
    np.testing.assert_allclose(LAYERS["fused"].decode(found.values), season[wanted], atol=ROUNDED)


def test_equal_layers_give_equal_bytes(tmp_path: Path, season: np.ndarray):
    for name in ("a", "b"):
        write_pack(tmp_path / name, [layer(season)], TRANSFORM, EPSG)
    files = {
        path.relative_to(tmp_path / "a"): path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()
    }
    assert files
    assert all((tmp_path / "b" / name).read_bytes() == content for name, content in files.items())


def test_layers_of_two_grids_are_refused(tmp_path: Path, season: np.ndarray):
    with pytest.raises(ValueError, match="one grid"):
        write_pack(tmp_path / "p.zarr", [layer(season), layer(season[:, :, :5], "s2")], TRANSFORM, EPSG)


@pytest.mark.parametrize("name", ["fused/zarr.json", "time/zarr.json", "fused", "fused/c/0/0/0/0", "zarr.json"])
def test_a_pack_that_lacks_a_file_is_named_and_its_values_are_not_called_missing(
    tmp_path: Path, season: np.ndarray, name: str
):
    path = tmp_path / "p.zarr"
    write_pack(path, [layer(season), layer(season[:7], "s2")], TRANSFORM, EPSG)
    rmtree(path / name) if (path / name).is_dir() else (path / name).unlink()
    with pytest.raises(ProductCorrupt, match=r"innsbruck/2024/packs/x\.zarr"):
        read_pixel(path, "innsbruck/2024/packs/x.zarr", 675_260.0, 5_221_405.0)
    if not name.startswith("fused/c"):
        with pytest.raises(ProductCorrupt, match=r"p\.zarr"):
            pack_days(path)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.99])
def test_a_pack_that_was_copied_in_part_is_named_and_the_rest_of_its_values_is_not_called_missing(
    tmp_path: Path, season: np.ndarray, kept: float
):
    path = tmp_path / "p.zarr"
    noise = np.random.default_rng(3).uniform(0, 1, (64, 2, 70, 70)).astype(np.float32)
    write_pack(path, [layer(noise)], TRANSFORM, EPSG)
    shard = path / "fused" / "c" / "0" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[: int(kept * shard.stat().st_size)])
    with pytest.raises(ProductCorrupt, match=r"p\.zarr has a fused/c/0/0/0/0 that is cut off"):
        open_pack(path).fused.isel(time=-1).values  # noqa: B018
    with pytest.raises(ProductCorrupt, match=r"p\.zarr"):
        read_pixel(path, "p.zarr", 675_240.0 + 695, 5_221_440.0 - 695)


def test_a_layer_without_a_single_value_is_not_a_damaged_one(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(np.full_like(season, np.nan))], TRANSFORM, EPSG)
    found = read_pixel(tmp_path / "p.zarr", "p", 675_260.0, 5_221_405.0)
    assert found is not None
    assert np.isnan(found["fused"].values).all()


@pytest.mark.parametrize("damage", [b"{", b"", b"[]", b"\0" * 300])
def test_a_damaged_pack_is_named(tmp_path: Path, season: np.ndarray, damage: bytes):
    for name in ("zarr.json", "fused/c/0/0/0/0"):
        path = tmp_path / name.replace("/", "-")
        write_pack(path, [layer(season)], TRANSFORM, EPSG)
        (path / name).write_bytes(damage)
        with pytest.raises(ProductCorrupt, match=r"innsbruck/2024/packs/x\.zarr"):
            read_pixel(path, "innsbruck/2024/packs/x.zarr", 675_260.0, 5_221_405.0)


def test_a_pack_of_another_version_is_named_and_to_be_made_again(tmp_path: Path, season: np.ndarray):
    """Packs had an axis of time for each layer once."""
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    rmtree(tmp_path / "p.zarr" / "fused_available")
    for read in (pack_days, lambda path: read_pixel(path, "p.zarr", 675_260.0, 5_221_409.9)):
        with pytest.raises(ProductCorrupt, match=r"p\.zarr .*materialise it again"):
            read(tmp_path / "p.zarr")


def test_layers_are_subtracted_day_by_day_and_band_by_band(tmp_path: Path, season: np.ndarray):
    """One axis of time and one of bands: nothing is spread out over the days of the other layer."""
    quality = layer(season[:, 0], "days_to_scene", ())
    write_pack(tmp_path / "p.zarr", [layer(season), layer(season[3:9], "s2"), quality], TRANSFORM, EPSG)
    dataset = xr.open_zarr(tmp_path / "p.zarr")
    difference = dataset.fused - dataset.s2
    assert difference.shape == season.shape
    assert list(difference.band.values) == ["blue", "nir"]
    assert dataset.days_to_scene.dims == ("time", "y", "x")
    assert dataset.s2.sel(time=dataset.s2_available).sizes["time"] == 6
    assert int(difference.isel(band=0).notnull().any(("y", "x")).sum()) == 6


def test_a_dataset_is_written_back_as_it_was_read(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season), layer(season[:7], "s2")], TRANSFORM, EPSG, {"title": "a season"})
    in_parts = xr.open_zarr(tmp_path / "p.zarr", consolidated=True, chunks=None)  # as it is where there is no dask
    for number, dataset in enumerate([in_parts, open_pack(tmp_path / "p.zarr")]):
        dataset.to_zarr(tmp_path / f"{number}.zarr")
        xr.testing.assert_identical(xr.open_zarr(tmp_path / f"{number}.zarr").load(), dataset.load())


def test_a_slowly_changing_layer_takes_less_room_than_its_days(tmp_path: Path):
    """Differences in time are what is stored of fused layers, and of those only."""
    noise = np.random.default_rng(1).uniform(0, 0.5, (1, 2, 60, 60)).astype(np.float32)
    steady = (noise + np.linspace(0, 0.1, 64, dtype=np.float32)[:, None, None, None]).astype(np.float32)
    for name in ("fused", "s2"):
        write_pack(tmp_path / name, [layer(steady, name)], TRANSFORM, EPSG)
    fused, s2 = ((tmp_path / name / name / "c/0/0/0/0").stat().st_size for name in ("fused", "s2"))
    assert fused < s2 / 2
    np.testing.assert_array_equal(
        xr.open_zarr(tmp_path / "fused").fused.values, xr.open_zarr(tmp_path / "s2").s2.values
    )
