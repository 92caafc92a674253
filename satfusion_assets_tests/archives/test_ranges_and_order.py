"""Blocks that lie side by side are one request; a higher baseline beats a newer generation."""

from __future__ import annotations

import numpy as np
from odc.geo.geobox import GeoBox

from satfusion_assets.archives.earth_search import Scene, resolve_reprocessings, scene_from_item
from satfusion_assets.archives.earth_search.cog import read_around
from satfusion_assets_tests.archives.conftest import archive, item
from satfusion_assets_tests.archives.tiles import TEN_M, TILE_CORNER, Bucket, cog


def test_neighbouring_blocks_are_asked_for_together() -> None:
    """Blocks are 512 pixels: the window lies in four of one row, whose bytes follow one another in the file."""
    noise = np.random.default_rng(8).integers(1, 10_000, (2048, 4096)).astype(np.uint16)
    west, north = TILE_CORNER
    window = GeoBox.from_bbox(
        (west + 6_000, north - 3_500, west + 24_000, north - 2_000), "EPSG:32632", resolution=10, tight=True
    )
    bucket = Bucket({"B02.tif": cog(noise, 10)})
    read_around(archive(bucket), "https://a.example/B02.tif", window, TEN_M)
    assert len(bucket.asked) == 2, "the header, and one range for all of the blocks"


def test_the_highest_baseline_is_kept_though_a_lower_one_was_generated_later() -> None:
    """An archive may process old baselines again after the new one; which comes first in the list says nothing."""
    scene = scene_from_item(item("S2B_33TWN_20220226_0_L2A"))
    assert scene.generated is not None

    def made(name: str, baseline: str, year: int) -> Scene:
        generated = scene.generated and scene.generated.replace(year=year)
        changes = {"id": name, "baseline": baseline, "generated": generated}
        return Scene.model_validate(scene.model_dump() | changes)

    pair = [made("high", "05.10", 2022), made("late", "04.00", 2025)]
    for order in (pair, pair[::-1]):
        kept, replaced = resolve_reprocessings(order)
        assert [one.id for one in kept] == ["high"]
        assert replaced == {"late": "high"}
