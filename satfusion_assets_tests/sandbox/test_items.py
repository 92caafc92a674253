"""Sentinel-2's catalogue: items in the real shape, real repeat cycle, and every known defect at a known place."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pytest
from defusedxml import ElementTree

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.geometry import Cells
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.sites import MARGIN, Site
from satfusion_assets_tests.sandbox.conftest import SITES

FIXTURES = Path(__file__).parent / "fixtures"
LEGACY, COLLECTION_1 = "sentinel-2-l2a", "sentinel-2-c1-l2a"
NOT_SERVED = {
    *("aot", "wvp", "visual", "cloud", "snow", "preview", "product_metadata"),
    *("aot-jp2", "wvp-jp2", "visual-jp2"),
}
UNKNOWN_BEFORE_RENDERING = {"file:checksum", "file:size"}


def box(site: Site, half: float = 0.005) -> tuple[float, float, float, float]:
    return (site.longitude - half, site.latitude - half, site.longitude + half, site.latitude + half)


def season(
    world: SandboxWorld, name: str, year: int, collection: str = LEGACY, margin: timedelta = timedelta(0)
) -> list[dict[str, Any]]:
    start = datetime(year, 1, 1, tzinfo=UTC) - margin
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) + margin
    return world.items(collection, box(SITES[name]), start, end)


def quirky(world: SandboxWorld, kind: str, name: str = "innsbruck", year: int = 2024) -> list[dict[str, Any]]:
    """The items of a defect, by way of the search."""
    wanted = {(q.collection, q.item) for q in world.quirks(name, year) if q.kind == kind}
    items = [item for c in (LEGACY, COLLECTION_1) for item in season(world, name, year, c)]
    return [item for item in items if (item["collection"], item["id"]) in wanted]


COMMON = {"license", "providers"}
"""STAC's common metadata, which the real archive gives with its collections; here items say it as well, so that nobody
takes one for a real scene."""


@pytest.mark.parametrize(
    ("file", "year", "collection"),
    [
        ("S2A_33TWN_20220122_0_L2A", 2023, LEGACY),
        ("S2B_24MUV_20250731_0_L2A", 2025, LEGACY),
        ("S2B_T24MUV_20250731T130245_L2A", 2024, COLLECTION_1),
    ],
)
def test_items_have_the_keys_of_real_items(world: SandboxWorld, file: str, year: int, collection: str) -> None:
    real = json.loads((FIXTURES / f"{file}.json").read_text())
    mine = next(i for i in season(world, "innsbruck", year, collection) if "nir08" in i["assets"])
    assert set(mine) == set(real)
    assert set(mine["properties"]) == set(real["properties"]) | COMMON
    assert {link["rel"] for link in mine["links"]} == {link["rel"] for link in real["links"]}
    assert set(real["assets"]) - set(mine["assets"]) <= NOT_SERVED
    for key, asset in mine["assets"].items():
        assert set(asset) == set(real["assets"][key]) - UNKNOWN_BEFORE_RENDERING, key
        bands = asset.get("raster:bands", [])
        assert [set(b) for b in bands] == [set(b) for b in real["assets"][key].get("raster:bands", [])], key
    kinds = {key: type(value) for key, value in real["properties"].items()}
    numbers = {int, float}
    for key in set(mine["properties"]) - COMMON:
        kind = type(mine["properties"][key])
        assert kind is kinds[key] or {kind, kinds[key]} <= numbers, key
    assert all("synthetic" in provider["name"] for provider in mine["properties"]["providers"])


def test_a_band_asset_says_what_the_real_one_says(world: SandboxWorld) -> None:
    real = json.loads((FIXTURES / "S2A_33TWN_20220122_0_L2A.json").read_text())["assets"]
    mine = season(world, "innsbruck", 2020)[0]["assets"]
    for key in ("blue", "nir", "nir08", "scl", "swir22"):
        for field in ("type", "title", "roles", "eo:bands", "raster:bands"):
            assert mine[key].get(field) == real[key].get(field), (key, field)


def test_a_season_with_margins_has_the_archives_usual_number_of_scenes(world: SandboxWorld) -> None:
    for name in ("innsbruck", "pitsalu", "institutekarnobat"):
        items = season(world, name, 2023, margin=MARGIN)
        assert 120 <= len(items) <= 175
        days = sorted({item["properties"]["datetime"][:10] for item in items})
        steps = Counter(np.diff([date.fromisoformat(d).toordinal() for d in days]).tolist())
        assert {2, 3} <= {step for step, _ in steps.most_common(3)}


def test_platforms_and_baselines_follow_the_calendar(world: SandboxWorld) -> None:
    seen = {
        year: Counter((i["properties"]["platform"][-2:], i["properties"]["s2:processing_baseline"]) for i in items)
        for year in (2016, 2018, 2020, 2022, 2024, 2025)
        if (items := season(world, "innsbruck", year))
    }
    assert set(seen[2016]) <= {("2a", "00.01"), ("2a", "05.00")}
    assert {"02.07", "02.10"} <= {baseline for _, baseline in seen[2018]}
    assert {"02.14"} <= {baseline for _, baseline in seen[2020]}
    assert {"03.01", "04.00", "05.09"} <= {baseline for _, baseline in seen[2022]}
    assert {"05.10", "05.11"} <= {baseline for _, baseline in seen[2024]}
    assert {"2b", "2c"} <= {platform for platform, _ in seen[2025]}
    assert {platform for platform, _ in seen[2024]} == {"2a", "2b"}


def test_the_real_passes_of_innsbruck_in_january_2024_are_among_them(world: SandboxWorld) -> None:
    site = SITES["innsbruck"]
    flights = {
        (p.flight.platform, p.flight.day, p.flight.orbit)
        for p in world._places[site.name].catalogue.products(LEGACY, date(2023, 12, 1), date(2024, 2, 15))
    }
    # S2A passes on orbit 65 every ten days from 1 January, S2B on orbit 22 from 3 January.
    assert {d.day % 10 for platform, d, orbit in flights if (platform, orbit) == ("S2A", 65) and d.month == 1} == {1}
    assert {d.day % 10 for platform, d, orbit in flights if (platform, orbit) == ("S2B", 22) and d.month == 1} == {3}
    assert {orbit for *_, orbit in flights} == {22, 65}


def test_ids_and_paths_have_the_archives_layout(world: SandboxWorld) -> None:
    legacy = season(world, "innsbruck", 2024)[-1]
    assert re.fullmatch(r"S2[AB]_32TPT_2024\d{4}_[01]_L2A", legacy["id"])
    day = legacy["properties"]["datetime"]
    month = int(day[5:7])
    home = f"/data/sentinel-s2-l2a-cogs/32/T/PT/2024/{month}/{legacy['id']}"
    assert legacy["assets"]["red"]["href"] == f"{home}/B04.tif"
    assert legacy["assets"]["nir"]["href"] == f"{home}/B08.tif"
    assert legacy["assets"]["nir08"]["href"] == f"{home}/B8A.tif"
    c1 = season(world, "innsbruck", 2024, COLLECTION_1)[-1]
    assert re.fullmatch(r"S2[AB]_T32TPT_2024\d{4}T\d{6}_L2A", c1["id"])
    assert c1["assets"]["red"]["href"].startswith("/data/sentinel-2-c1-l2a/32/T/PT/2024/")


def test_search_is_by_place_and_time_newest_first(world: SandboxWorld) -> None:
    site = SITES["vindeln2"]
    start, end = datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 6, 30, tzinfo=UTC)
    found = world.items(LEGACY, box(site), start, end)
    times = [datetime.fromisoformat(item["properties"]["datetime"]) for item in found]
    assert times == sorted(times, reverse=True)
    assert all(start <= time <= end for time in times)
    assert {item["properties"]["mgrs:utm_zone"] for item in found} == {34}
    assert world.items(LEGACY, (0, 0, 1, 1), start, end) == []
    assert world.items("landsat-c2-l2", box(site), start, end) == []
    everywhere = world.items(LEGACY, None, start, end)
    assert len({item["properties"]["mgrs:utm_zone"] for item in everywhere}) > 3


def test_every_quirk_of_a_season_is_where_it_is_said_to_be(world: SandboxWorld) -> None:
    kinds = Counter(quirk.kind for quirk in world.quirks("innsbruck", 2024))
    offsets, edges = ("lying_flag", "offset_in_pixels", "dark_clip"), ("partial_granule", "empty_chip")
    broken = ("truncated_xml", "missing_nir08", "corrupt_cog")
    for kind in (*offsets, *edges, *broken, "reprocessed", "split_granule", "thin_haze", "snow_confusion"):
        assert kinds[kind] >= 1, kind
        assert quirky(world, kind), kind
    assert Counter(q.kind for q in world.quirks("innsbruck", 2020))["baseline_before_0400"] > 90


def test_flags_say_what_the_kind_of_item_says(world: SandboxWorld) -> None:
    lying = {item["id"] for item in quirky(world, "lying_flag")}
    kept = {item["id"] for item in quirky(world, "offset_in_pixels")}
    for item in season(world, "innsbruck", 2024):
        flag = item["properties"]["earthsearch:boa_offset_applied"]
        assert flag is (item["id"] not in lying | kept)
        assert item["assets"]["blue"]["raster:bands"][0]["offset"] == -0.1
    for item in season(world, "innsbruck", 2019):
        if item["properties"]["s2:processing_baseline"] < "04.00":
            assert item["properties"]["earthsearch:boa_offset_applied"] is False
            assert item["assets"]["blue"]["raster:bands"][0]["offset"] == 0
    for item in season(world, "innsbruck", 2024, COLLECTION_1):
        assert "earthsearch:boa_offset_applied" not in item["properties"]


def test_a_reprocessing_has_the_sensing_time_of_the_first_and_a_split_granule_has_not(world: SandboxWorld) -> None:
    def pairs(kind: str, year: int) -> list[list[dict[str, Any]]]:
        by_day: dict[str, list[dict[str, Any]]] = {}
        for item in quirky(world, kind, year=year):
            if item["collection"] == LEGACY:
                by_day.setdefault(item["id"][:-6], []).append(item)
        return [sorted(items, key=lambda i: i["id"]) for items in by_day.values()]

    for year in (2020, 2023):
        for first, second in pairs("reprocessed", year):
            a, b = first["properties"], second["properties"]
            assert a["datetime"] == b["datetime"]
            assert a["s2:processing_baseline"] < b["s2:processing_baseline"]
            assert a["s2:generation_time"] < b["s2:generation_time"]
    for first, second in pairs("split_granule", 2024):
        a, b = first["properties"], second["properties"]
        assert a["datetime"] != b["datetime"]
        assert a["s2:datatake_id"] == b["s2:datatake_id"]


def test_collection_1_holds_one_item_an_acquisition_and_has_gaps(world: SandboxWorld) -> None:
    full = season(world, "innsbruck", 2024, COLLECTION_1)
    assert len({item["properties"]["datetime"] for item in full}) == len(full)
    assert len(season(world, "innsbruck", 2022, COLLECTION_1)) < 0.15 * len(full)
    assert {i["properties"]["s2:processing_baseline"] for i in season(world, "innsbruck", 2021, COLLECTION_1)} == {
        "05.00"
    }


def test_view_angles_are_in_new_items_and_always_in_the_granules_xml(world: SandboxWorld) -> None:
    old, new = season(world, "innsbruck", 2023)[0], season(world, "innsbruck", 2025)[0]
    assert "view:incidence_angle" not in old["properties"]
    for item in (old, new):
        path = world.file(item["assets"]["granule_metadata"]["href"])
        assert path is not None
        root = ElementTree.parse(path).getroot()
        listed = root.findall(".//Tile_Angles/Mean_Viewing_Incidence_Angle_List/Mean_Viewing_Incidence_Angle")
        ids = [int(node.get("bandId")) for node in listed]
        assert sorted(ids) == list(range(13))
        assert ids != sorted(ids)
        zeniths = {int(n.get("bandId")): float(n.findtext("ZENITH_ANGLE")) for n in listed}
        assert zeniths[8] != zeniths[0]
        grids = root.findall(".//Viewing_Incidence_Angles_Grids")
        assert len(grids) == 26
        nodes = [n.text.split() for n in grids[0].findall("Zenith/Values_List/VALUES")]
        assert len(nodes) == 23
        assert {len(row) for row in nodes} == {23}
        assert root.findtext(".//SENSING_TIME")[:19] == item["properties"]["datetime"][:19]
        if item is new:
            mean = np.mean(list(zeniths.values()))
            assert item["properties"]["view:incidence_angle"] == pytest.approx(mean, abs=1e-9)


def test_one_granule_xml_of_the_season_is_truncated(world: SandboxWorld) -> None:
    (item,) = quirky(world, "truncated_xml")
    path = world.file(item["assets"]["granule_metadata"]["href"])
    assert path is not None
    with pytest.raises(ParseError):
        ElementTree.parse(path)


def test_cloud_cover_in_the_item_is_that_of_its_pixels(world: SandboxWorld) -> None:
    place = world._places["innsbruck"]
    stated, seen = [], []
    for product in place.catalogue.products(LEGACY, date(2024, 4, 1), date(2024, 6, 30)):
        if product.edges:
            continue
        sky = place.renderer.conditions(product)
        weight = np.where(np.arange(sky.cloud.size) < place.landscape.cells.core_size**2, 1, 36)
        seen.append(100 * np.average(sky.cloud > 0.2, weights=weight))
        stated.append(place.item(product)["properties"]["eo:cloud_cover"])
    assert np.corrcoef(stated, seen)[0, 1] > 0.9


def test_a_site_at_the_border_of_two_zones_is_on_two_tiles(world: SandboxWorld) -> None:
    items = season(world, "sunflowerjerez1", 2024)
    assert {item["properties"]["proj:epsg"] for item in items} == {32629, 32630}
    assert {item["properties"]["grid:code"] for item in items} == {"MGRS-29SQA", "MGRS-30STF"}


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (60.39, 5.32, "32V"),
        (60.0, 2.5, "31V"),
        (79.0, 8.9, "31X"),
        (78.92, 11.93, "33X"),
        (80.1, 32.0, "35X"),
        (73, 40, "37X"),
    ],
)
def test_a_site_in_norway_or_on_svalbard_is_on_a_tile_of_its_wider_zone(
    latitude: float, longitude: float, zone: str
) -> None:
    site = Site(name="north", latitude=latitude, longitude=longitude)
    assert Cells.of(site).tile.name[:3] == zone
    assert Cells.of(site).tile.epsg == site_grid(site).epsg
