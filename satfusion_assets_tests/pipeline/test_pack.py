"""The pack of a season is the processed season, number for number, with its quality layers cut to the same window."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.pack.pack import pack_season
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.pack_reader import read_pixel
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

SEASON = SiteSeason("innsbruck", 2024)
SCENARIO = Scenario.parse("aggressive_sigma20")
BANDS = ("blue", "green", "red", "nir")
GRID = GeoBox.from_bbox((675_000, 5_220_000, 675_300, 5_220_300), crs="EPSG:32632", resolution=10, tight=True)
WINDOW = (4, 6, 20, 18)


def publish(
    store: ProductStore,
    days: list[date],
    values: np.ndarray,
    deviation: np.ndarray,
    window: tuple[int, int, int, int] = WINDOW,
) -> None:
    """A fused and a processed product of ``days``; values (t, 4, 30, 30), deviation likewise.

    window: row, column, height and width of what is processed.
    """
    row, column, height, width = window
    fused, processed = FusedLayout(SCENARIO), ProcessedLayout(SCENARIO)
    with store.publish(Product("fused", SEASON, SCENARIO.key)) as draft:
        stamps = np.array(days, "datetime64[D]")
        near = np.broadcast_to(np.arange(len(days), dtype=np.uint8)[:, None, None] % 4, (len(days), 30, 30))
        layers = [
            PackLayer("standard_deviation", stamps, deviation, BANDS),
            PackLayer("days_to_scene", stamps, near),
        ]
        write_pack(draft.path(fused.quality), layers, tuple(GRID.affine)[:6], 32632)
    cut_to = np.s_[row : row + height, column : column + width]
    with store.publish(Product("processed", SEASON, SCENARIO.key)) as draft:
        for day, image in zip(days, values, strict=True):
            cut = image[:, *cut_to]
            draft.write_raster(processed.image("fusion", day), cut, GRID[cut_to], nodata=np.nan, descriptions=BANDS)
        record = {"row": row, "col": column, "height": height, "width": width, "epsg": 32632, "site_pixel": [3, 3]}
        draft.write_json(processed.window, record)


def test_a_damaged_quality_layer_of_the_fused_product_is_not_taken_into_the_pack(tmp_path: Path):
    store, days = ProductStore(tmp_path), [date(2024, 5, 1), date(2024, 5, 2)]
    publish(store, days, np.full((2, 4, 30, 30), 0.2, np.float32), np.full((2, 4, 30, 30), 0.01, np.float32))
    with store.read(Product("fused", SEASON, SCENARIO.key)) as fused:
        (shard,) = fused.files("*/standard_deviation/c/*")
    content = bytearray(shard.read_bytes())
    content[-5] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ProductCorrupt, match=r"standard_deviation.* of innsbruck_2024\.fused.* differs.*--rebuild"):
        pack_season(store, SEASON, SCENARIO)
    assert store.manifest(Product("pack", SEASON, SCENARIO.key)) is None


def test_every_layer_of_a_pixel_is_that_of_the_products(tmp_path: Path):
    store = ProductStore(tmp_path)
    days = [date(2024, 5, 1) + timedelta(n) for n in range(9)]
    random = np.random.default_rng(5)
    values = random.uniform(0, 0.5, (9, 4, 30, 30)).astype(np.float32)
    values[3, :, 10, 12] = np.nan
    deviation = random.uniform(0, 0.02, (9, 4, 30, 30)).astype(np.float32)
    publish(store, days, values, deviation)

    outcome = pack_season(store, SEASON, SCENARIO)

    pack = store.folder(SEASON) / pack_folder(SCENARIO)
    found = read_pixel(pack, "pack", 675_000 + 12 * 10 + 5, 5_220_300 - 10 * 10 - 5)
    assert found is not None
    np.testing.assert_allclose(found["fused"].values[:, :, 0, 0], values[:, :, 10, 12], atol=2.0**-14)
    np.testing.assert_allclose(
        found["standard_deviation"].values[:, :, 0, 0], deviation[:, :, 10, 12], rtol=2.0**-5, atol=2.0**-14
    )
    np.testing.assert_array_equal(found["days_to_scene"].values[:, 0, 0, 0], np.arange(9) % 4)
    assert found["standard_deviation"].bands == BANDS
    assert found["fused"].days == [str(day) for day in days]
    assert outcome.numbers["fused_days"] == 9
    assert "s2" not in found, "a source without an image has no layer"


def test_a_pack_of_the_whole_grid_has_the_very_files_of_the_quality_layers(tmp_path: Path):
    """A deviation lies on the disk once, under two names."""
    store = ProductStore(tmp_path)
    days = [date(2024, 5, 1) + timedelta(n) for n in range(5)]
    values = np.random.default_rng(5).uniform(0.001, 0.5, (5, 4, 30, 30)).astype(np.float32)
    publish(store, days, values, values / 20, window=(0, 0, 30, 30))
    pack_season(store, SEASON, SCENARIO)
    for name in ("standard_deviation", "days_to_scene"):
        places = "0/0/0" if name == "days_to_scene" else "0/0/0/0"
        made, packed = (
            store.folder(SEASON) / folder / name / "c" / places
            for folder in (FusedLayout(SCENARIO).quality, pack_folder(SCENARIO))
        )
        assert made.samefile(packed), name


def test_quality_layers_of_an_earlier_version_are_to_be_made_again(tmp_path: Path):
    store, days = ProductStore(tmp_path), [date(2024, 5, 1)]
    publish(store, days, np.full((1, 4, 30, 30), 0.2, np.float32), np.full((1, 4, 30, 30), 0.01, np.float32))
    with store.publish(Product("fused", SEASON, SCENARIO.key)) as draft:
        draft.write_bytes(f"{FusedLayout(SCENARIO).folder}/quality/standard_deviation.tif", b"a raster")
    with pytest.raises(ProductMissing, match=r"quality\.zarr.*earlier version.*materialise"):
        pack_season(store, SEASON, SCENARIO)
