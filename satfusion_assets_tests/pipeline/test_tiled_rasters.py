"""Rows become a cloud-optimised GeoTIFF, whatever the image's size and however the rows are dealt out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from satfusion_assets.own_images import tiled_rasters

GRID = Affine(10, 0, 600_000, 0, -10, 5_200_020)
NAMES = ["blue", "green", "red", "nir"]


def image(height: int, width: int, bands: int = 1) -> np.ndarray:
    """Random numbers of both signs, of which a fifth is missing, and all in one corner."""
    rng = np.random.default_rng(7)
    values = rng.normal(0.1, 0.2, (bands, height, width)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:, : height // 4, : width // 4] = np.nan
    return values


def write(path: Path, values: np.ndarray, step: int = 37, crs: str | None = "EPSG:32632") -> Path:
    box = GeoBox(values.shape[1:], GRID, crs)
    with tiled_rasters.writing(path, box, NAMES[: len(values)], {"METHOD": "efast"}, threads=2) as rows:
        for row in range(0, values.shape[1], step):
            rows.write(values[:, row : row + step])
    return path


@pytest.mark.parametrize("shape", [(1, 1), (54, 36), (512, 512), (513, 40), (601, 1030)])
@pytest.mark.parametrize("bands", [1, 4])
def test_every_pixel_is_in_the_file_as_it_was_given(tmp_path: Path, shape: tuple[int, int], bands: int) -> None:
    values = image(*shape, bands)
    path = write(tmp_path / "a.tif", values)
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(), values)
        assert (raster.crs.to_epsg(), raster.transform) == (32632, GRID)
        assert np.isnan(raster.nodata)
        assert raster.descriptions == tuple(NAMES[:bands])
        assert raster.tags()["METHOD"] == "efast"
    assert [one.name for one in tmp_path.iterdir()] == ["a.tif"]


def test_how_rows_are_dealt_out_changes_no_byte(tmp_path: Path) -> None:
    values = image(700, 90)
    files = [write(tmp_path / f"{step}.tif", values, step).read_bytes() for step in (1, 64, 513, 700)]
    assert len(set(files)) == 1


def test_an_overview_pixel_is_the_mean_of_the_known_of_its_four(tmp_path: Path) -> None:
    """At an odd end of those that are there; NaN where all four are missing."""
    values = image(1101, 35)
    path = write(tmp_path / "a.tif", values)
    expected = np.pad(values, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    for level in range(2):
        cells = np.stack([expected[:, i::2, j::2] for i in (0, 1) for j in (0, 1)])
        known = np.isfinite(cells).sum(axis=0)
        mean = np.divide(np.nansum(cells, axis=0), known, out=np.full(known.shape, np.nan, np.float32), where=known > 0)
        with rasterio.open(path, overview_level=level) as raster:
            np.testing.assert_allclose(raster.read(), mean, rtol=1e-5, atol=1e-7)
        expected = np.pad(mean, ((0, 0), (0, mean.shape[1] % 2), (0, mean.shape[2] % 2)), constant_values=np.nan)
    with rasterio.open(path) as raster:
        assert len(raster.overviews(1)) == 2


def test_what_is_longer_than_32_bits_reach_is_a_big_tiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = image(600, 520, 4)
    small = write(tmp_path / "small.tif", values).read_bytes()
    monkeypatch.setattr(tiled_rasters, "_CLASSIC_BYTES", len(small) // 2)
    path = write(tmp_path / "big.tif", values)
    assert (small[2], path.read_bytes()[2]) == (42, 43)
    assert cog_validate(path, strict=True, quiet=True)[0]
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(), values)


def test_an_image_without_a_reference_system_has_none(tmp_path: Path) -> None:
    with rasterio.open(write(tmp_path / "a.tif", image(20, 20), crs=None)) as raster:
        assert (raster.crs, raster.transform) == (None, GRID)


def test_an_image_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    box = GeoBox((100, 20), GRID, "EPSG:32632")
    with pytest.raises(KeyboardInterrupt), tiled_rasters.writing(tmp_path / "a.tif", box, ["a"], {}, 1) as rows:
        rows.write(image(50, 20))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
