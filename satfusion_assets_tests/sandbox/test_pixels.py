"""Sentinel-2's files: a reader finds the truth in them, seen through the day's weather and the known defects."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.errors import RasterioIOError
from rasterio.windows import from_bounds
from rio_cogeo import cog_validate

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.catalogue import SentinelProduct
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets_tests.sandbox.conftest import SITES
from satfusion_assets_tests.sandbox.test_items import COLLECTION_1, LEGACY, box, quirky, season

FUSED = ("blue", "green", "red", "nir08")


def read(world: SandboxWorld, item: dict[str, Any], key: str) -> np.ndarray:
    path = world.file(item["assets"][key]["href"])
    assert path is not None
    with rasterio.open(path) as source:
        return source.read(1)


def around(world: SandboxWorld, item: dict[str, Any], key: str, half: float = 750) -> tuple[np.ndarray, Affine]:
    """A square window around the site with its transform."""
    site = SITES["innsbruck"]
    path = world.file(item["assets"][key]["href"])
    assert path is not None
    with rasterio.open(path) as source:
        x, y = Transformer.from_crs(4326, source.crs, always_xy=True).transform(site.longitude, site.latitude)
        step = source.res[0]
        x, y = round(x / 60) * 60, round(y / 60) * 60
        window = from_bounds(x - half, y - half, x + half, y + half, source.transform).round_offsets().round_lengths()
        assert window.width * step == 2 * half
        return source.read(1, window=window), source.window_transform(window)


def product_of(world: SandboxWorld, item: dict[str, Any], name: str = "innsbruck") -> SentinelProduct:
    year = int(item["properties"]["datetime"][:4])
    return world._places[name].products_by_id(item["collection"], year)[item["id"]]


def clear(world: SandboxWorld, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items of days without cloud, haze and snow at the site."""
    landscape = world.landscape("innsbruck")
    kept = []
    for item in items:
        day = date.fromisoformat(item["properties"]["datetime"][:10])
        sky = landscape.weather.sky(day)
        snow = landscape.weather.snow_water(day, np.zeros(1, np.float32))[0]
        if sky.cover < 0.02 and sky.haze == 0 and snow == 0 and not product_of(world, item).edges:
            kept.append(item)
    return kept


@pytest.fixture(scope="module")
def clear_item(world: SandboxWorld) -> dict[str, Any]:
    items = clear(world, season(world, "innsbruck", 2024))
    quirks = {quirk.item for quirk in world.quirks("innsbruck", 2024)}
    return next(item for item in items if item["id"] not in quirks)


@pytest.mark.parametrize(
    ("key", "resolution", "kind"), [("red", 10, "uint16"), ("nir08", 20, "uint16"), ("scl", 20, "uint8")]
)
def test_files_are_cogs_with_the_geometry_that_the_item_states(
    world: SandboxWorld, clear_item: dict[str, Any], key: str, resolution: int, kind: str
) -> None:
    asset = clear_item["assets"][key]
    path = world.file(asset["href"])
    valid, errors, _ = cog_validate(path, strict=True)
    assert valid, errors
    with rasterio.open(path) as source:
        assert source.dtypes == (kind,)
        assert source.nodata == 0
        assert (source.scales, source.offsets) == ((1.0,), (0.0,))
        assert source.crs.to_epsg() == clear_item["properties"]["proj:epsg"] == 32632
        assert list(source.shape) == asset["proj:shape"]
        assert list(source.transform)[:6] == asset["proj:transform"]
        assert source.transform.a == resolution
        assert source.transform.c % 60 == source.transform.f % 60 == 0
        assert source.profile["compress"] == "deflate"
        assert source.block_shapes == [(256, 256)]
        assert len(source.overviews(1)) >= 1


def test_the_tile_has_room_for_a_cloud_mask_of_4500_m_around_the_site(
    world: SandboxWorld, clear_item: dict[str, Any]
) -> None:
    window, _ = around(world, clear_item, "scl", half=6000)
    assert window.shape == (600, 600)


@pytest.mark.parametrize("band", FUSED)
def test_a_clear_pixel_is_the_truth_within_two_or_three_percent(
    world: SandboxWorld, clear_item: dict[str, Any], band: str
) -> None:
    numbers, transform = around(world, clear_item, band)
    fine = transform @ Affine.scale(10 / transform.a)
    view = world.landscape("innsbruck").view(fine, (150, 150))
    day = date.fromisoformat(clear_item["properties"]["datetime"][:10])
    truth = view.reflectance(day, (band,))[0]
    if band == "nir08":
        truth = truth.reshape(75, 2, 75, 2).mean(axis=(1, 3))
    seen = numbers / 10000
    assert np.corrcoef(seen.ravel(), truth.ravel())[0, 1] > 0.99
    assert abs(seen.mean() - truth.mean()) < 0.012
    residual = seen - np.polyval(np.polyfit(truth.ravel(), seen.ravel(), 1), truth)
    assert 0.0005 < residual.std() < 0.006


def test_b08_is_not_b8a(world: SandboxWorld, clear_item: dict[str, Any]) -> None:
    wide = around(world, clear_item, "nir")[0].reshape(75, 2, 75, 2).mean(axis=(1, 3))
    narrow = around(world, clear_item, "nir08")[0]
    assert np.median(np.abs(narrow - wide) / wide) > 0.02


def dark(world: SandboxWorld, item: dict[str, Any]) -> float:
    """First percentile of blue around the site: low when nothing is added to the pixels."""
    return float(np.percentile(around(world, item, "blue")[0], 1))


def test_pixels_tell_the_offset_whatever_the_flag_says(world: SandboxWorld, clear_item: dict[str, Any]) -> None:
    assert dark(world, clear_item) < 600
    items = clear(world, quirky(world, "lying_flag")) + clear(world, quirky(world, "lying_flag", year=2023))
    assert items
    assert all(dark(world, item) < 600 for item in items)
    items = clear(world, quirky(world, "offset_in_pixels")) + clear(world, quirky(world, "offset_in_pixels", year=2023))
    assert items
    assert all(dark(world, item) > 1000 for item in items)
    before = clear(world, season(world, "innsbruck", 2020))[:2]
    assert all(dark(world, item) < 600 for item in before)


def test_collection_1_is_the_same_processing_with_the_offset_left_in(
    world: SandboxWorld, clear_item: dict[str, Any]
) -> None:
    moment = clear_item["properties"]["datetime"]
    (other,) = [i for i in season(world, "innsbruck", 2024, COLLECTION_1) if i["properties"]["datetime"] == moment]
    shifted, raw = around(world, clear_item, "green")[0].astype(int), around(world, other, "green")[0].astype(int)
    assert np.unique((raw - shifted)[shifted > 1]).tolist() == [1000]


def test_over_corrected_dark_pixels_are_clipped_in_legacy_and_kept_in_collection_1(world: SandboxWorld) -> None:
    by_time: dict[str, dict[str, Any]] = {}
    for item in quirky(world, "dark_clip"):
        by_time.setdefault(item["properties"]["datetime"], {})[item["collection"]] = item
    both = [pair for pair in by_time.values() if len(pair) == 2]
    clipped = [(read(world, pair[LEGACY], "blue"), read(world, pair[COLLECTION_1], "blue")) for pair in both]
    assert any((legacy == 1).any() for legacy, _ in clipped)
    for legacy, raw in clipped:
        assert (raw[legacy == 1] <= 1001).all()


def test_reprocessings_are_alike_but_not_equal(world: SandboxWorld) -> None:
    items = [i for i in clear(world, quirky(world, "reprocessed")) if i["collection"] == LEGACY]
    first, second = sorted(items, key=lambda i: i["id"])[:2]
    assert first["id"][:-6] == second["id"][:-6]
    a, b = (around(world, item, "red")[0].astype(float) for item in (first, second))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99
    assert (a != b).mean() > 0.5


def test_halves_of_a_split_granule_complete_each_other(world: SandboxWorld) -> None:
    items = [i for i in quirky(world, "split_granule") if i["collection"] == LEGACY]
    first, second = sorted(items, key=lambda i: i["id"])[:2]
    a, b = read(world, first, "red") > 0, read(world, second, "red") > 0
    assert 0.3 < a.mean() < 0.7
    assert (a | b).all()
    assert 0 < (a & b).mean() < 0.1
    np.testing.assert_array_equal(read(world, first, "scl") > 0, a[::2, ::2])


def test_the_edge_of_the_swath_and_the_empty_chip(world: SandboxWorld) -> None:
    shares = [(read(world, i, "green") == 0).mean() for i in quirky(world, "partial_granule")[:6]]
    assert all(0.02 < share < 0.98 for share in shares)
    site = SITES["innsbruck"]
    for item in quirky(world, "empty_chip"):
        assert (around(world, item, "green")[0] == 0).all()
        assert read(world, item, "green").any()
        lon, lat = np.array(item["geometry"]["coordinates"][0]).T
        assert lon.min() < site.longitude < lon.max()
        assert lat.min() < site.latitude < lat.max()
        assert item["properties"]["s2:nodata_pixel_percentage"] > 20


def test_damaged_files_open_and_do_not_read(world: SandboxWorld) -> None:
    (item,) = quirky(world, "corrupt_cog")
    path = world.file(item["assets"]["green"]["href"])
    with rasterio.open(path) as source:
        assert source.width > 1000
        with pytest.raises(RasterioIOError):
            source.read(1)
    assert read(world, item, "red").any()


def test_an_item_without_nir08_has_no_such_file_either(world: SandboxWorld) -> None:
    (item,) = quirky(world, "missing_nir08")
    assert "nir08" not in item["assets"]
    assert world.file(item["assets"]["nir"]["href"].replace("B08", "B8A")) is None


def test_scene_classes_follow_the_sky_with_realistic_errors(world: SandboxWorld) -> None:
    place = world._places["innsbruck"]
    cells, plan = place.landscape.cells, place.landscape.plan
    core = np.hypot(cells.first(plan.east), cells.first(plan.north)) < 5000
    missed = thick = thick_found = bright = bright_taken = shaded = shaded_found = 0
    for product in place.catalogue.products(LEGACY, date(2024, 5, 1), date(2024, 8, 31)):
        if product.edges:
            continue
        sky = place.renderer.conditions(product)
        cloud, shadow = cells.coarse(sky.cloud), cells.coarse(sky.shadow)
        image = place.renderer.classes(product)
        side = cells.core_size // 2
        inner = image[cells.core // 2 : cells.core // 2 + side, cells.core // 2 : cells.core // 2 + side].ravel()
        cloud, shadow, here = cloud[: side * side], shadow[: side * side], core[: side * side]
        found = np.isin(inner, [8, 9, 10])
        missed += ((cloud > 0.05) & (cloud < 0.2) & ~found & here).sum()
        thick += ((cloud > 0.6) & here).sum()
        thick_found += ((cloud > 0.6) & found & here).sum()
        shaded += ((shadow > 0.5) & (cloud < 0.05)).sum()
        shaded_found += ((shadow > 0.5) & (cloud < 0.05) & (inner == 3)).sum()
        roofs = cells.first(plan.bright)[: side * side] & (cloud < 0.05) & (shadow < 0.05)
        bright += roofs.sum()
        bright_taken += (roofs & found).sum()
    assert missed > 1000
    assert thick_found / thick > 0.99
    assert 0.6 < shaded_found / shaded < 1
    assert 0.2 < bright_taken / bright < 0.9


def test_clear_scenes_are_vegetation_ground_and_water(world: SandboxWorld, clear_item: dict[str, Any]) -> None:
    classes, transform = around(world, clear_item, "scl")
    fine = world.landscape("innsbruck").view(transform @ Affine.scale(0.5), (150, 150)).land_cover
    blocks = fine.reshape(75, 2, 75, 2).transpose(0, 2, 1, 3).reshape(75, 75, 4)
    pure = (blocks == blocks[..., :1]).all(axis=2)
    cover = blocks[..., 0]
    assert (classes[pure & (cover == Cover.WATER)] == 6).mean() > 0.9
    assert np.isin(classes[pure & (cover == Cover.CONIFER)], [2, 4, 7]).all()


def test_haze_brightens_blue_and_is_not_in_the_classes(world: SandboxWorld) -> None:
    place = world._places["innsbruck"]
    product = next(
        p
        for p in place.catalogue.products(LEGACY, date(2024, 5, 1), date(2024, 9, 30))
        if place.landscape.weather.sky(p.sensing.date()).haze > 0.05
        and place.landscape.weather.sky(p.sensing.date()).cover < 0.1
    )
    lift = {
        band: float((place.renderer.observed(product, band) - place.renderer._surface(product, band)).mean())
        for band in ("blue", "nir08")
    }
    assert lift["blue"] > 0.01
    assert lift["blue"] > lift["nir08"]
    assert (np.isin(place.renderer.classes(product), [8, 9, 10])).mean() < 0.15


def test_half_of_the_scenes_are_of_no_use(world: SandboxWorld) -> None:
    place = world._places["innsbruck"]
    plan = place.landscape.plan
    field = np.hypot(plan.east, plan.north) < 750
    products = place.catalogue.products(LEGACY, date(2024, 1, 1), date(2024, 12, 31))
    hidden = [float((place.renderer.conditions(p).cloud[field] > 0.2).mean()) for p in products]
    assert 0.35 < np.mean(np.array(hidden) > 0.5) < 0.65
    assert np.mean(np.array(hidden) < 0.02) > 0.15
    assert np.mean([0.05 < share < 0.95 for share in hidden]) > 0.1


def test_the_neighbouring_zones_tile_shows_the_same_ground(world: SandboxWorld) -> None:
    site = SITES["sunflowerjerez1"]
    items = world.items(LEGACY, box(site), datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 7, 31, tzinfo=UTC))
    by_time: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        if item["properties"]["eo:cloud_cover"] == 0 and not product_of(world, item, site.name).quirk:
            by_time.setdefault(item["id"][:3] + item["properties"]["datetime"][:10], []).append(item)
    pair = next(pair for pair in by_time.values() if {i["properties"]["proj:epsg"] for i in pair} == {32629, 32630})
    values = []
    rng = np.random.default_rng(0)
    longitudes = site.longitude + rng.uniform(-0.006, 0.006, 300)
    latitudes = site.latitude + rng.uniform(-0.006, 0.006, 300)
    for item in sorted(pair, key=lambda i: i["properties"]["proj:epsg"]):
        with rasterio.open(world.file(item["assets"]["red"]["href"])) as source:
            x, y = Transformer.from_crs(4326, source.crs, always_xy=True).transform(longitudes, latitudes)
            values.append(np.array([v[0] for v in source.sample(zip(x, y, strict=True))], float))
    assert np.corrcoef(values)[0, 1] > 0.85
