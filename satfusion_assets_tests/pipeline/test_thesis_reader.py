"""What the thesis' metrics code reads of the contract's paths, by rasterio alone, is what was fused."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from odc.geo.geom import point
from rasterio.io import DatasetReader, MemoryFile

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.fuse import MAX_DAYS, fuse_season
from satfusion_assets.pipeline.fused.inputs import season_stack
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.process import process
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.layers import FUSED_STEP
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.pipeline.test_gap_experiment import BTI, HERE, SITE, publish_prepared

HALF = FUSED_STEP / 2 + 1e-7


def thesis_gcc(raster: DatasetReader, latitude: float, longitude: float) -> float | None:
    """Mean greenness of the pixels around a point that are above 0 in every band, as the thesis' code has it."""
    place = point(longitude, latitude, "EPSG:4326").to_crs(raster.crs)
    row, col = raster.index(*place.coords[0])
    if not (0 <= row < raster.height and 0 <= col < raster.width):
        return None
    window = ((max(0, row - 1), min(raster.height, row + 2)), (max(0, col - 1), min(raster.width, col + 2)))
    bands = raster.read(window=window).astype(np.float32)
    good = (np.isfinite(bands) & (bands > 0)).all(axis=0)
    seen = bands[:, good]
    greenness = seen[0] if len(seen) == 1 else seen[1] / seen[:3].sum(axis=0)
    return float(greenness.mean()) if good.any() else None


@pytest.mark.parametrize("case", ["case01", "case02", "case03"])
def test_the_reader_is_the_thesis_own_as_its_recorded_answers_have_it(goldens: Path, case: str):
    with np.load(goldens / "sampling" / f"{case}.npz", allow_pickle=False) as held:
        said, pixels = json.loads(str(held["params"])), held["raster"]
    profile = {"driver": "GTiff", "count": len(pixels), "height": pixels.shape[1], "width": pixels.shape[2]}
    with MemoryFile() as memory:
        with memory.open(
            **profile, dtype=pixels.dtype, crs=said["crs"], transform=rasterio.Affine(*said["transform"][:6])
        ) as out:
            out.write(pixels)
        with memory.open() as raster:
            for place in said["points"]:
                assert thesis_gcc(raster, place["lat"], place["lon"]) == pytest.approx(place["gcc"], abs=1e-6), place


@pytest.mark.slow
def test_it_reads_what_was_fused_to_half_a_step(tmp_path: Path):
    store = ProductStore(tmp_path)
    publish_prepared(store, HERE, Strategy.AGGRESSIVE, every=9)
    fuse_season(store, SITE, HERE, BTI)
    process(store, SITE, HERE, BTI)
    days = [HERE.start + timedelta(n) for n in range(100, 160, 10)]
    with store.read(Product("prepared_bti", HERE, Strategy.AGGRESSIVE)) as prepared:
        exact = season_stack(prepared, BTI).fuse(BTI, np.array(days, "datetime64[D]"), max_days=MAX_DAYS).values
    folder = store.folder(HERE)
    series = json.loads((folder / ProcessedLayout(BTI).series("gcc", "fusion")).read_text())
    written = {row["date"]: row["greenness_index"] for row in series}
    for day, image in zip(days, exact, strict=True):
        for path in (FusedLayout(BTI).image(day), ProcessedLayout(BTI).image("fusion", day)):
            with rasterio.open(folder / path) as raster:
                np.testing.assert_allclose(raster.read(), image, atol=HALF)
                found = thesis_gcc(raster, SITE.latitude, SITE.longitude)
        assert found == pytest.approx(written[f"{day}T00:00:00"], abs=1e-6)
