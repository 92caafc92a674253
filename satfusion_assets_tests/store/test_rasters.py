"""Rasters keep their values, grid, nodata and names, are valid COGs, and equal pixels give equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from satfusion_assets.store.rasters import encode_raster, read_raster, write_raster
from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets.vocabulary.scenarios import S2_BANDS


def grid(side: int) -> GeoBox:
    return GeoBox.from_bbox((0, 0, side * 10, side * 10), crs="EPSG:32632", resolution=10, tight=True)


@pytest.mark.parametrize("side", [5, 150, 525])
@pytest.mark.parametrize(("dtype", "nodata"), [("float32", np.nan), ("uint16", 0), ("uint8", 255)])
def test_round_trip_and_cog(tmp_path: Path, side: int, dtype: str, nodata: float) -> None:
    values = np.random.default_rng(1).integers(0, 200, (4, side, side)).astype(dtype)
    values[:, 0, 0] = nodata
    path = tmp_path / "image.tif"
    write_raster(path, values, grid(side), nodata=nodata, descriptions=S2_BANDS, scale=1e-4, tags={"PLATFORM": "S2A"})
    raster = read_raster(path)
    np.testing.assert_array_equal(raster.values, values)
    assert raster.geobox == grid(side)
    assert raster.descriptions == S2_BANDS
    assert raster.tags["PLATFORM"] == "S2A"
    assert np.isnan(raster.masked()[:, 0, 0]).all()
    valid, errors, _ = cog_validate(str(path))
    assert valid, errors


def test_equal_pixels_give_equal_bytes() -> None:
    values = np.random.default_rng(2).random((4, 150, 150), dtype=np.float32)
    encoded = {encode_raster(values, grid(150), nodata=np.nan, tags={"A": "1"}) for _ in range(3)}
    assert len(encoded) == 1


def test_a_grid_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode_raster(np.zeros((10, 10), "uint8"), grid(5), nodata=0)


def test_a_corrupt_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "20240101_0.geotiff"
    write_raster(path, np.ones((150, 150), "float32"), grid(150), nodata=np.nan)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ProductCorrupt, match=r"20240101_0\.geotiff is not a readable GeoTIFF"):
        read_raster(path)
