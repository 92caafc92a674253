"""What rasters say of themselves, and what must not stay beside them when they are published again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp
from rio_cogeo.cogeo import cog_validate

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.scenarios import BANDS, S2_BANDS, S3_BANDS
from satfusion_assets.vocabulary.sites import SiteSeason

SEASON = SiteSeason("innsbruck", 2024)
RAW = Product("raw_s2", SEASON)
FUSED = Product("fused", SEASON, "aggressive_sigma20")
NAME = "prepared_aggressive/fusion/REFL_20240501.tif"
GRID = GeoBox((20, 30), Affine(10, 0, 600_000, 0, -10, 5_000_000), "EPSG:32632")


def pixels(value: float) -> np.ndarray:
    return np.full((1, 4, 20, 30), value, np.float32)


def published(store: ProductStore, value: float) -> Path:
    with store.publish(RAW, parameters={"sources": ["PhenoCam x: licence CC-BY-4.0"]}) as draft:
        draft.write_bytes("raw/s2/note", b"")
    with store.read(RAW) as raw:
        sources = raw.manifest.parameters["sources"]
        with store.publish(FUSED, parameters={"sources": sources}, inputs=[raw], code_version=3) as draft:
            draft.write_stack([NAME], pixels(value), GRID, band_names=BANDS)
    return store.folder(SEASON) / NAME


def test_a_raster_says_what_it_is_and_what_it_was_made_from(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    with rasterio.open(published(store, 0.2)) as raster:
        tags = raster.tags()
    assert {name: tags[name] for name in ("PRODUCT", "SITE", "SEASON", "VARIANT", "CODE_VERSION", "DATE", "UNITS")} == {
        "PRODUCT": "fused",
        "SITE": "innsbruck",
        "SEASON": "2024",
        "VARIANT": "aggressive_sigma20",
        "CODE_VERSION": "3",
        "DATE": str(date(2024, 5, 1)),
        "UNITS": "1 (reflectance)",
    }
    assert tags["SOURCES"] == "PhenoCam x: licence CC-BY-4.0"
    assert tags["INPUTS"] == f"raw_s2@{store.manifest(RAW).version}"


def test_equal_pixels_and_inputs_are_equal_bytes(tmp_path: Path) -> None:
    one, two = (published(ProductStore(tmp_path / name), 0.2).read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("names", [BANDS, S2_BANDS, S3_BANDS], ids=["bands", "Sentinel-2", "Sentinel-3"])
@pytest.mark.parametrize("writer", ["raster", "stack"])
def test_the_four_bands_are_shown_in_their_colours_without_a_sidecar(
    tmp_path: Path, names: tuple[str, ...], writer: str
) -> None:
    store = ProductStore(tmp_path)
    with store.publish(FUSED) as draft:
        if writer == "raster":
            draft.write_raster(NAME, pixels(0.1)[0], GRID, nodata=np.nan, descriptions=names)
        else:
            draft.write_stack([NAME], pixels(0.1), GRID, band_names=names)
    path = store.folder(SEASON) / NAME
    with rasterio.open(path) as raster:
        shown = (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined)
        assert raster.colorinterp == shown
        assert raster.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "BAND"
    assert cog_validate(str(path), quiet=True)[0]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


STATISTICS = """<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">0.2</MDI></Metadata>
</PAMRasterBand></PAMDataset>"""
"""As gdalinfo -stats and QGIS leave them."""


def test_statistics_of_the_file_before_do_not_stay_beside_the_new_one(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    path = published(store, 0.2)
    path.with_name(f"{path.name}.aux.xml").write_text(STATISTICS)
    with rasterio.open(path) as raster:
        assert raster.tags(1)["STATISTICS_MEAN"] == "0.2"
    published(store, 0.7)
    with rasterio.open(path) as raster:
        assert "STATISTICS_MEAN" not in raster.tags(1)


def test_a_file_that_is_no_longer_made_takes_its_sidecar_along(tmp_path: Path) -> None:
    store = ProductStore(tmp_path)
    path = published(store, 0.2)
    path.with_name(f"{path.name}.aux.xml").write_text("<PAMDataset/>")
    with store.publish(FUSED) as draft:
        draft.write_bytes("prepared_aggressive/status.json", b"{}")
    assert not path.parent.exists(), "an orphan would keep the emptied folder"
