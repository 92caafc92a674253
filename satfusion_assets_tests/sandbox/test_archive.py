"""The archive: built when asked, kept on disk, equal for equal seeds, and blind to the future."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.world import World
from satfusion_assets.vocabulary.errors import UnknownSite
from satfusion_assets_tests.sandbox.conftest import SITES

LEGACY = "sentinel-2-l2a"
SITE = SITES["innsbruck"]
BOX = (SITE.longitude - 0.01, SITE.latitude - 0.01, SITE.longitude + 0.01, SITE.latitude + 0.01)
CSV = "/data/archive/innsbruck/ROI/innsbruck_GR_1000_1day.csv"


def make(root: Path, seed: int = 1, today: date = date(2024, 7, 15)) -> SandboxWorld:
    return SandboxWorld(root, [SITE], seed, today)


def items(world: SandboxWorld, start: date, end: date) -> list[dict]:
    bounds = datetime.combine(start, datetime.min.time(), UTC), datetime.combine(end, datetime.max.time(), UTC)
    return world.items(LEGACY, BOX, *bounds)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_world_fits_the_servers_protocol(tmp_path: Path) -> None:
    served: World = make(tmp_path)
    assert [c["id"] for c in served.collections()] == ["sentinel-2-l2a", "sentinel-2-c1-l2a"]


def test_nothing_is_built_before_it_is_asked_for(tmp_path: Path) -> None:
    world = make(tmp_path)
    listed = items(world, date(2024, 6, 1), date(2024, 6, 30))
    world.midday_images("innsbruck")
    world.roi_lists()
    assert files(tmp_path) == []
    world.file(listed[0]["assets"]["red"]["href"])
    assert [path.name for path in files(tmp_path)] == ["B04.tif"]


def test_a_file_is_built_once_also_for_the_next_process(tmp_path: Path) -> None:
    world = make(tmp_path)
    href = items(world, date(2024, 6, 1), date(2024, 6, 30))[0]["assets"]["scl"]["href"]
    first = world.file(href)
    assert first is not None
    built = first.stat()
    assert world.file(href) == first
    assert make(tmp_path).file(href) == first
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == (built.st_mtime_ns, built.st_ino)


def test_equal_seeds_give_equal_bytes_and_other_seeds_others(tmp_path: Path) -> None:
    worlds = [make(tmp_path / "a"), make(tmp_path / "b"), make(tmp_path / "c", seed=2)]
    listed = [items(world, date(2024, 6, 1), date(2024, 6, 30)) for world in worlds]
    assert listed[0] == listed[1] != listed[2]
    assets = listed[0][0]["assets"]
    picture = worlds[0].midday_images("innsbruck")[700]["imgpath"]
    hrefs = [assets[key]["href"] for key in ("blue", "nir08", "scl", "granule_metadata", "thumbnail")]
    for path in (*hrefs, CSV, picture):
        first, second = worlds[0].file(path), worlds[1].file(path)
        assert first is not None
        assert second is not None
        assert first.read_bytes() == second.read_bytes(), path
    cubes = [
        world.cube("SENTINEL3_OLCI_L1B", BOX, datetime(2024, 6, 1), datetime(2024, 6, 4), ["B08"]) for world in worlds
    ]
    assert cubes[0].equals(cubes[1])
    assert not cubes[0].equals(cubes[2])


def test_seeds_share_a_root_without_meeting(tmp_path: Path) -> None:
    one, two = make(tmp_path, seed=1).file(CSV), make(tmp_path, seed=2).file(CSV)
    assert one is not None
    assert two is not None
    assert one != two
    assert one.read_bytes() != two.read_bytes()


def test_the_future_is_not_visible_and_comes_day_by_day(tmp_path: Path) -> None:
    world = make(tmp_path)
    start, end = date(2024, 6, 1), date(2024, 12, 31)
    before = items(world, start, end)
    assert max(item["properties"]["datetime"][:10] for item in before) <= "2024-07-15"
    later = items(make(tmp_path, today=date(2024, 8, 15)), date(2024, 7, 16), end)
    href = later[-1]["assets"]["scl"]["href"]
    assert world.file(href) is None
    cube = ("SENTINEL3_OLCI_L1B", BOX, datetime(2024, 7, 10), datetime(2024, 8, 1), ["B08"])
    assert world.cube(*cube).t.values[-1] == np.datetime64("2024-07-15")
    assert world.midday_images("innsbruck")[-1]["imgdate"] <= "2024-07-15"
    rows = world.file(CSV).read_text().splitlines()
    assert rows[-1].startswith("2024-07-15")

    world.today += timedelta(days=7)
    after = items(world, start, end)
    new = {item["id"] for item in after} - {item["id"] for item in before}
    assert new
    assert {item["id"] for item in before} <= {item["id"] for item in after}
    assert all(
        "20240716" <= identifier.split("_")[2] <= "20240722" for identifier in new if identifier.endswith("_0_L2A")
    )
    assert world.cube(*cube).t.values[-1] == np.datetime64("2024-07-22")
    assert world.file(CSV).read_text().splitlines()[: len(rows)][26:] == rows[26:]


def test_a_reprocessing_appears_when_it_was_made(tmp_path: Path) -> None:
    world = make(tmp_path, today=date(2025, 6, 1))
    season = date(2024, 1, 1), date(2024, 12, 31)
    again = next(
        item
        for item in items(world, *season)
        if item["id"].endswith("_1_L2A") and item["properties"]["created"][:10] > item["properties"]["datetime"][:10]
    )
    world.today = date.fromisoformat(again["properties"]["created"][:10]) - timedelta(days=1)
    assert again["id"] not in {item["id"] for item in items(world, *season)}
    assert world.file(again["assets"]["scl"]["href"]) is None
    world.today += timedelta(days=1)
    assert again["id"] in {item["id"] for item in items(world, *season)}


def test_items_may_be_changed_by_who_gets_them(tmp_path: Path) -> None:
    world = make(tmp_path)
    first = items(world, date(2024, 6, 1), date(2024, 6, 10))
    first[0]["assets"].clear()
    assert items(world, date(2024, 6, 1), date(2024, 6, 10))[0]["assets"]


def test_many_who_ask_at_once_get_what_one_gets_alone(tmp_path: Path) -> None:
    alone, together = make(tmp_path / "alone"), make(tmp_path / "together")
    listed = items(alone, date(2024, 6, 1), date(2024, 6, 14))
    hrefs = [item["assets"][key]["href"] for item in listed for key in ("green", "nir08", "scl")] * 2
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(together.file, hrefs))
    for href, path in zip(hrefs, found, strict=True):
        reference = alone.file(href)
        assert path is not None
        assert reference is not None
        assert path.read_bytes() == reference.read_bytes()
    assert len(files(tmp_path / "together")) == len(set(hrefs))


@pytest.mark.parametrize(
    "path",
    [
        "/data/sentinel-s2-l2a-cogs/32/T/PT/2024/6/S2A_32TPT_20240601_9_L2A/B04.tif",
        "/data/sentinel-s2-l2a-cogs/32/T/PT/2024/6/nothing/B04.tif",
        "/data/../etc/passwd",
        "/data/archive/innsbruck/../../secret.jpg",
        "/v1/collections",
        "",
    ],
)
def test_paths_that_do_not_exist_are_not_found(tmp_path: Path, path: str) -> None:
    assert make(tmp_path).file(path) is None


def test_the_same_name_in_another_folder_is_not_found(tmp_path: Path) -> None:
    world = make(tmp_path)
    href = items(world, date(2024, 6, 1), date(2024, 6, 30))[0]["assets"]["red"]["href"]
    assert world.file(href.replace("/2024/6/", "/2024/5/")) is None
    assert world.file(href.replace("B04.tif", "B99.tif")) is None


def test_an_unknown_site_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownSite, match="no site 'innsbrook'; it has innsbruck"):
        make(tmp_path).landscape("innsbrook")
