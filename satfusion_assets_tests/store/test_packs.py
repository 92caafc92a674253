"""Analysis-ready packs: nothing clipped, nothing invented, readable by xarray."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from satfusion_assets.errors import ProductCorrupt
from satfusion_assets.store.packs import PackLayer, read_pixel, write_pack

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
    dataset = xr.open_zarr(tmp_path / "p.zarr", consolidated=False)
    fused = dataset["fused"]
    assert fused.dims == ("time_fused", "band_fused", "y", "x")
    assert str(fused.time_fused.values[2])[:10] == "2024-02-29"
    assert (float(dataset.x[0]), float(dataset.y[0])) == (675_245.0, 5_221_435.0)
    assert dataset.spatial_ref.attrs["epsg"] == EPSG
    np.testing.assert_array_equal(np.isnan(fused.values), np.isnan(season))
    np.testing.assert_allclose(fused.values, season, atol=1.0e-5)


def test_a_pixel_is_found_by_its_place_up_to_its_edges(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    for east, north in ((675_260.0, 5_221_409.9), (675_269.9, 5_221_400.1)):
        found = read_pixel(tmp_path / "p.zarr", "p", east, north)
        assert found is not None
        np.testing.assert_allclose(found["fused"].values[:, :, 0, 0], season[:, :, 3, 2], atol=1e-5)
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
        elements=st.one_of(st.just(np.nan), st.floats(-(2.0**20), 2.0**20, width=32)),
    )
)
def test_no_value_is_clipped_whatever_its_size(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray):
    path = tmp_path_factory.mktemp("pack") / "p.zarr"
    write_pack(path, [layer(values, bands=("gcc",))], TRANSFORM, EPSG)
    read = xr.open_zarr(path, consolidated=False)["fused"].astype(float).values
    np.testing.assert_array_equal(np.isnan(read), np.isnan(values))
    largest = np.nanmax(np.abs(values), initial=0.0)
    np.testing.assert_allclose(read, values, atol=max(largest / 32767 * 2.5 / 2, 1e-6))


def test_a_layer_without_days_and_layers_of_different_days_live_together(tmp_path: Path, season: np.ndarray):
    layers = [layer(season), layer(season[:7], "s2"), layer(season[:0], "s3")]
    write_pack(tmp_path / "p.zarr", layers, TRANSFORM, EPSG)
    found = read_pixel(tmp_path / "p.zarr", "p", 675_260.0, 5_221_405.0)
    assert found is not None
    assert {name: len(one.days) for name, one in found.items()} == {"fused": 40, "s2": 7, "s3": 0}


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


def test_a_damaged_pack_is_named(tmp_path: Path, season: np.ndarray):
    write_pack(tmp_path / "p.zarr", [layer(season)], TRANSFORM, EPSG)
    (tmp_path / "p.zarr/fused/zarr.json").write_text("{")
    with pytest.raises(ProductCorrupt, match=r"innsbruck/2024/packs/x\.zarr"):
        read_pixel(tmp_path / "p.zarr", "innsbruck/2024/packs/x.zarr", 675_260.0, 5_221_405.0)
