"""Acquisition through the real clients: what is published, what a second run asks, what new data change."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from PIL import Image

from satfusion_assets.pipeline.acquisition.watch import watch_phenocam
from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.store import ProductStore
from satfusion_assets.store.rasters import read_raster
from satfusion_assets.vocabulary.errors import (
    ArchiveAnswerInvalid,
    ArchiveUnavailable,
    NoData,
    StoreFull,
)
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S2Collection, S3Product
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.pipeline.acquisition.conftest import PRODUCTS, SEASON, TODAY, Sandbox, product


def test_sentinel2_is_published_on_the_sites_grid_with_its_provenance(sandbox: Sandbox, store: ProductStore) -> None:
    outcome = sandbox.acquire("raw_s2", store)
    grid = site_grid(sandbox.site)
    with store.read(product("raw_s2")) as view:
        record = view.read_json("raw/s2/scenes.json")
        names = [scene["name"] for scene in record["scenes"]]
        assert view.names("raw/s2/*.geotiff") == [f"raw/s2/{name}.geotiff" for name in names]
        assert view.names("raw/scl/*.geotiff") == [f"raw/scl/{name}.geotiff" for name in names]
        for scene in record["scenes"]:
            bands = read_raster(view.path(f"raw/s2/{scene['name']}.geotiff"))
            scl = read_raster(view.path(f"raw/scl/{scene['name']}.geotiff"))
            assert (bands.geobox, scl.geobox) == (grid.fine, grid.scl)
            assert (bands.values.dtype, bands.nodata, bands.descriptions) == (
                np.dtype(np.uint16),
                0,
                ("B02", "B03", "B04", "B8A"),
            )
            assert float(bands.tags["VIEWING_ZENITH_ANGLE"]) == pytest.approx(scene["view_zenith"], rel=1e-4)
            assert bands.tags["PROCESSING_BASELINE"] == scene["baseline"]
            assert set(scene["files"]) == {"blue", "green", "red", "nir08", "scl"}
            assert all(file["etag"] and file["length"] for file in scene["files"].values())
            assert scene["name"][:8] == scene["sensed"][:10].replace("-", "")
    assert outcome.numbers["scenes"] == len(names) > 5


def test_what_is_set_aside_is_listed_with_its_reason(sandbox: Sandbox, store: ProductStore) -> None:
    outcome = sandbox.acquire("raw_s2", store)
    reasons = {row["source"]: (row["kind"], row["reason"]) for row in outcome.tables["set_aside"]}
    assert reasons["S2B_32TPT_20231214_0_L2A"][0] == "missing asset"
    assert "'nir08' (B8A)" in reasons["S2B_32TPT_20231214_0_L2A"][1]
    assert reasons["S2A_32TPT_20240101_0_L2A"][0] == "unreadable"
    assert "B03.tif" in reasons["S2A_32TPT_20240101_0_L2A"][1]


def test_collection_1_shows_the_same_ground_as_the_legacy_collection(sandbox: Sandbox, store: ProductStore) -> None:
    """Pixels of collection 1 still hold the offset; taken out, both collections agree (legacy clips at 1)."""
    legacy, newer = ProductStore(store.root / "legacy"), ProductStore(store.root / "c1")
    sandbox.acquire("raw_s2", legacy)
    sandbox.acquire("raw_s2", newer, s2_collection=S2Collection.C1)
    compared = 0
    with legacy.read(product("raw_s2")) as one, newer.read(product("raw_s2")) as other:
        by_time = {scene["sensed"][:16]: scene for scene in other.read_json("raw/s2/scenes.json")["scenes"]}
        for scene in one.read_json("raw/s2/scenes.json")["scenes"]:
            match = by_time.get(scene["sensed"][:16])
            if match is None or match["tile"] != scene["tile"]:
                continue
            a, b = (
                read_raster(v.path(f"raw/s2/{s['name']}.geotiff")).values.astype(int)
                for v, s in ((one, scene), (other, match))
            )
            assert np.abs(a - b)[(a > 1) & (b > 1)].max(initial=0) <= 1
            compared += 1
    assert compared > 3


def test_sentinel3_is_published_on_the_coarse_grid(sandbox: Sandbox, store: ProductStore) -> None:
    outcome = sandbox.acquire("raw_s3", store)
    with store.read(product("raw_s3")) as view:
        record = view.read_json("raw/s3/overpasses.json")
        assert (record["product"], record["quantity"]) == ("olci_l1b", "top-of-atmosphere reflectance")
        assert view.read_json("raw/s3/collection.json")["id"] == "SENTINEL3_OLCI_L1B"
        for entry in record["overpasses"]:
            raster = read_raster(view.path(f"raw/s3/{entry['name']}.geotiff"))
            assert raster.geobox == site_grid(sandbox.site).coarse
            assert (raster.values.dtype, raster.descriptions) == (np.dtype("float32"), ("Oa04", "Oa06", "Oa08", "Oa17"))
            assert str(raster.nodata) == "nan"
            assert np.nanmax(raster.values) < 2
    days = (TODAY - SEASON.raw_start).days + 1
    assert days * 0.6 < outcome.numbers["overpasses"] <= days


def test_syn_has_several_overpasses_a_day_without_its_clouds(sandbox: Sandbox, store: ProductStore) -> None:
    outcome = sandbox.acquire("raw_s3", store, s3_product=S3Product.SYN_L2)
    with store.read(product("raw_s3")) as view:
        record = view.read_json("raw/s3/overpasses.json")
    assert record["quantity"] == "surface reflectance"
    assert max(Counter(entry["name"][:8] for entry in record["overpasses"]).values()) > 1
    assert outcome.numbers["cloudy_pixels"] > 0
    assert [entry["time"] for entry in record["overpasses"]] == sorted(entry["time"] for entry in record["overpasses"])


def test_the_camera_is_published_with_its_regions_and_licence(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.acquire("raw_phenocam", store)
    with store.read(product("raw_phenocam")) as view:
        rois = view.read_json("raw/phenocam/rois.json")
        assert rois["chosen"] == "innsbruck_GR_1000"
        assert rois["orientation"] == "N"
        assert len(rois["regions"]) > 1
        season, years = (view.read_json(f"raw/phenocam/phenocam_gcc{part}.json") for part in ("", "_3y"))
        assert {entry["date"][:4] for entry in season} == {"2024"}
        assert {entry["date"][:4] for entry in years} == {"2023", "2024"}
        assert all(
            set(entry) == {"date", "greenness_index"} and 0.2 < entry["greenness_index"] < 0.6 for entry in years
        )
        table = view.path("raw/phenocam/phenocam_gcc.csv").read_text().splitlines()
        assert table[0] == "date,greenness_index,image_count,snow,outlier,used"
        assert sum(line.endswith(",1") for line in table[1:]) == len(season)
        region = next(iter(view.read_json("raw/phenocam/phenocam_gcc_regions.json").values()))
        months = {day[5:7] for day in region["white_days"]}
        assert "01" in months, "the archive says nothing of snow, but the alpine January is white"
        assert months <= {"10", "11", "12", "01", "02", "03", "04", "05"}
        licence = view.path("raw/phenocam/LICENCE.txt").read_text()
        assert "CC BY 4.0" in licence
        assert "site innsbruck" in licence
        for name in view.names("*.jpg"):
            assert Image.open(io.BytesIO(view.path(name).read_bytes())).size[0] > 0


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_second_run_fetches_no_data_and_publishes_the_same_bytes(
    sandbox: Sandbox, store: ProductStore, name: str
) -> None:
    first = sandbox.acquire(name, store)
    sandbox.forget_requests()
    second = sandbox.acquire(name, store)
    assert second.manifest.version == first.manifest.version
    damaged = re.compile(r"\.tif$") if name == "raw_s2" else None
    asked = [r for r in sandbox.requests("/data/") if r["status"] != 304]
    assert all(damaged is not None and damaged.search(r["path"]) for r in asked), asked
    assert len({r["path"] for r in asked}) <= 1, "the one file that the archive holds damaged"
    assert len(asked) <= 3, "its header and the part that is damaged"
    assert sandbox.requests("/openeo/") == []


BAD_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"kind": "status", "status": 404}, "has nothing at"),
    "empty": ({"kind": "empty"}, "is empty"),
    "damaged": ({"kind": "corrupt", "keep": 0}, "is not a readable GeoTIFF"),
    "forbidden": ({"kind": "status", "status": 403}, "(HTTP 403, 3 attempts)"),
    "unauthorised": ({"kind": "status", "status": 401}, "refused access"),
    "failing": ({"kind": "status", "status": 500}, "(HTTP 500, 3 attempts)"),
    "cut off": ({"kind": "truncate", "keep": 0.5}, "did not answer"),
}
"""What is bad for good about one file of the archive, and what is said of it."""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(*case, id=name, marks=[] if name in ("missing", "forbidden") else pytest.mark.slow)
        for name, case in BAD_FILES.items()
    ],
)
def test_a_bad_file_of_the_archive_is_set_aside_and_read_again_when_the_archive_has_mended_it(
    sandbox: Sandbox, store: ProductStore, fault: dict[str, Any], says: str
) -> None:
    scene = "S2A_32TPT_20240111_0_L2A"
    sandbox.fault(path=f"{scene}/B03.tif", **fault)
    before = sandbox.acquire("raw_s2", store)
    reasons = {row["source"]: row["reason"] for row in before.tables["set_aside"]}
    assert says in reasons[scene]
    assert f"{scene}/B03.tif" in reasons[scene]
    sandbox.forget_requests()
    again = sandbox.acquire("raw_s2", store)
    assert again.manifest.version == before.manifest.version
    asked = [r["path"].rsplit("/", 1)[1] for r in sandbox.requests("/data/") if scene in r["path"]]
    if says != "did not answer":  # one byte of it comes whole, so that it is worth reading the scene again
        assert set(asked) == {"B03.tif"}, "only what was bad is looked at"
        assert len(asked) <= 6, "a header is asked for in three parts at most, what is withheld twice"
    sandbox.heal()
    after = sandbox.acquire("raw_s2", store)
    assert after.numbers["scenes"] == before.numbers["scenes"] + 1
    assert after.numbers["read_in_this_run"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 403}, id="forbidden"),
        pytest.param({"kind": "status", "status": 500}, id="failing", marks=pytest.mark.slow),
        pytest.param({"kind": "status", "status": 304}, id="unchanged", marks=pytest.mark.slow),
        pytest.param({"kind": "truncate", "keep": 0.5}, id="cut off", marks=pytest.mark.slow),
        pytest.param({"kind": "corrupt", "keep": 0.5}, id="damaged", marks=pytest.mark.slow),
        pytest.param(
            {"kind": "status", "status": 200, "body": "<html><body>Later</body></html>"}, id="maintenance page"
        ),
    ],
)
def test_optional_metadata_that_do_not_come_cost_their_angle_until_they_do(
    sandbox: Sandbox, store: ProductStore, fault: dict[str, Any]
) -> None:
    whole = sandbox.acquire("raw_s2", ProductStore(store.root / "whole"))
    sandbox.fault(path=r"S2A_32TPT_20240111_0_L2A/granule_metadata\.xml", **fault)
    without = sandbox.acquire("raw_s2", store)
    assert without.numbers["scenes"] == whole.numbers["scenes"]
    assert without.numbers["unknown_view_angles"] == whole.numbers["unknown_view_angles"] + 1
    sandbox.heal()
    after = sandbox.acquire("raw_s2", store)
    assert after.numbers["read_in_this_run"] == 1
    assert after.manifest.version == whole.manifest.version


ODD_ITEM = "S2A_32TPT_20240111_0_L2A"
ODD: dict[str, tuple[str, Any]] = {
    "an address of another scheme": ("assets.green.href", "s3://sentinel-s2-l2a/tiles/32/T/PT/B03.tif"),
    "no address": ("assets.scl.href", ""),
    "an id that is a path": ("id", "../../../../escaped"),
    "an id that is no name": ("id", "a\nb"),
    "a time at the end of time": ("properties.datetime", "9999-12-31T23:59:59-14:00"),
    "a time nobody asked for": ("properties.datetime", "2019-06-01T10:00:00Z"),
    "a box that is none": ("bbox", [1e999, 0, 1, 1]),
    "no properties": ("properties", None),
    "no assets": ("assets", {}),
    "an angle that is no number": ("properties.view:incidence_angle", float("nan")),
    "an infinite angle": ("properties.view:incidence_angle", 1e999),
}
COSTS_NOTHING = {"an id that is a path", "an angle that is no number", "an infinite angle"}


EVERY_DAY = {"an address of another scheme", "an id that is a path", "an infinite angle"}


@pytest.mark.parametrize("odd", [pytest.param(odd, marks=[] if odd in EVERY_DAY else pytest.mark.slow) for odd in ODD])
def test_an_odd_item_costs_itself(sandbox: Sandbox, store: ProductStore, odd: str) -> None:
    plain = sandbox.acquire("raw_s2", ProductStore(store.root.parent / "plain"))
    at, value = ODD[odd]
    edit = json.dumps({"at": f"features.id={ODD_ITEM}.{at}", "value": value})
    rule = f'{{"path": "^/v1/search", "kind": "edit", "edits": [{edit}]}}'
    httpx.post(f"{sandbox.url}/_faults", content=rule).raise_for_status()
    outcome = sandbox.acquire("raw_s2", store)
    lost = 0 if odd in COSTS_NOTHING else 1
    assert outcome.numbers["scenes"] == plain.numbers["scenes"] - lost
    assert len(outcome.tables["set_aside"]) == len(plain.tables["set_aside"]) + lost
    assert all(row["reason"].isprintable() for row in outcome.tables["set_aside"])
    assert store.verify(product("raw_s2")) == []
    outside = [path for path in store.root.parent.rglob("*escaped*") if store.root not in path.parents]
    assert outside == []
    assert sandbox.acquire("raw_s2", store).manifest.version == outcome.manifest.version


def test_a_picture_that_is_forbidden_for_good_costs_one_picture(sandbox: Sandbox, store: ProductStore) -> None:
    plain = sandbox.acquire("raw_phenocam", ProductStore(store.root / "plain"))
    sandbox.fault(path=r"_2024_01_05_\d+\.jpg$", kind="status", status=403)
    outcome = sandbox.acquire("raw_phenocam", store)
    assert outcome.numbers["pictures"] == plain.numbers["pictures"] - 1
    assert [row["name"] for row in outcome.tables["set_aside"]] == ["20240105"]
    sandbox.heal()
    assert sandbox.acquire("raw_phenocam", store).manifest.version == plain.manifest.version


@pytest.mark.parametrize("status", [403, 500])
def test_a_summary_that_is_withheld_is_no_word_of_an_archive_that_is_down(sandbox: Sandbox, status: int) -> None:
    """A sensor leaves an archive that is down alone for hours, with all its other sites."""
    sandbox.fault(path=r"_1day\.csv$", kind="status", status=status)
    with pytest.raises(ArchiveAnswerInvalid, match=str(status)):
        watch_phenocam(sandbox.settings(), sandbox.site, SEASON, None)
    sandbox.fault(path="^/api/", kind="status", status=503)
    with pytest.raises(ArchiveUnavailable):
        watch_phenocam(sandbox.settings(), sandbox.site, SEASON, None)


@pytest.mark.parametrize("kind", ["trickle", "flood"])
@pytest.mark.parametrize("path", ["^/v1/?$", "^/v1/search", r"^/data/.*\.tif"])
def test_no_answer_takes_for_ever_or_all_memory(
    sandbox: Sandbox, store: ProductStore, monkeypatch: pytest.MonkeyPatch, kind: str, path: str
) -> None:
    monkeypatch.setattr("satfusion_assets.archives.http.MOST_TEXT", 2**20)
    sandbox.fault(path=path, kind=kind, seconds=0.02, keep=3 * 2**20)
    with pytest.raises((ArchiveUnavailable, ArchiveAnswerInvalid)):
        sandbox.acquire("raw_s2", store, archive_attempts=1, archive_deadline_s=0.3)


def test_a_run_that_was_interrupted_fetches_only_the_rest(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path=r"^/data/.*\.tif", kind="status", status=503, skip=60)
    with pytest.raises(ArchiveUnavailable):
        sandbox.acquire("raw_s2", store, archive_attempts=1)
    sandbox.heal()
    whole = {r["path"] for r in sandbox.requests("/data/") if r["status"] == 206}
    entries = [json.loads(path.read_text())["facts"] for path in store.cache(SEASON, "s2").glob("*+.json")]
    cached = sum("bad_file" not in facts for facts in entries)
    with_pixels = len(list(store.cache(SEASON, "s2").glob("*.scl.tif")))
    assert with_pixels > 0
    sandbox.forget_requests()
    outcome = sandbox.acquire("raw_s2", store)
    again = {r["path"] for r in sandbox.requests("/data/")}
    settled = outcome.numbers["scenes"] + outcome.numbers["set_aside"]
    assert outcome.numbers["read_in_this_run"] == settled - cached
    assert len(whole - again) >= with_pixels * 5


def test_new_scenes_are_fetched_when_the_archive_has_them(sandbox: Sandbox, store: ProductStore) -> None:
    before = sandbox.acquire("raw_s2", store)
    sandbox.world(today=(TODAY + timedelta(days=7)).isoformat())
    after = sandbox.acquire("raw_s2", store)
    new = after.numbers["scenes"] - before.numbers["scenes"]
    assert new > 0
    assert after.numbers["read_in_this_run"] <= new + after.numbers["set_aside"]
    assert after.manifest.version != before.manifest.version


def test_an_open_quarter_is_asked_again_on_another_day_and_closed_ones_are_not(
    sandbox: Sandbox, store: ProductStore
) -> None:
    settings = sandbox.settings()
    acquire_sentinel3(sandbox.site, SEASON, store, settings, today=TODAY)
    later = TODAY + timedelta(days=7)
    sandbox.world(today=later.isoformat())
    outcome = acquire_sentinel3(sandbox.site, SEASON, store, settings, today=later)
    assert outcome.numbers["jobs_in_this_run"] == 1
    assert [row["fetched"] for row in outcome.tables["quarters"]] == [TODAY.isoformat(), later.isoformat()]


def test_an_unreachable_archive_is_one_sentence(sandbox: Sandbox, store: ProductStore) -> None:
    closed = "http://127.0.0.1:9"
    nowhere = {"earth_search_url": f"{closed}/v1", "phenocam_url": closed, "openeo_url": f"{closed}/openeo/1.2"}
    for name in PRODUCTS:
        with pytest.raises(ArchiveUnavailable, match=r"^[^\n]+127\.0\.0\.1:9[^\n]+\.$"):
            sandbox.acquire(name, store, **nowhere)


def test_a_season_without_data_is_no_data(sandbox: Sandbox, store: ProductStore) -> None:
    empty = SiteSeason("innsbruck", 2026)
    settings = sandbox.settings()
    with pytest.raises(NoData, match="no Sentinel-2 scene of innsbruck"):
        acquire_sentinel2(sandbox.site, empty, store, settings)
    with pytest.raises(NoData, match="has not begun yet"):
        acquire_sentinel3(sandbox.site, empty, store, settings, today=TODAY)
    with pytest.raises(NoData, match="no SENTINEL3_OLCI_L1B data of innsbruck"):
        acquire_sentinel3(sandbox.site, empty, store, settings, today=date(2026, 1, 5))
    with pytest.raises(NoData, match="innsbruck"):
        acquire_phenocam(sandbox.site, empty, store, settings)


def test_a_full_disk_is_one_sentence_and_what_was_fetched_is_kept(
    sandbox: Sandbox, store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    written = {"files": 0}
    real = os.fsync

    def fills_up(handle: int) -> None:
        written["files"] += 1
        if written["files"] > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr("satfusion_assets.pipeline.acquisition.cache.os.fsync", fills_up)
    with pytest.raises(StoreFull, match="free some space"):
        sandbox.acquire("raw_s2", store)
    monkeypatch.undo()
    assert store.manifest(product("raw_s2")) is None
    outcome = sandbox.acquire("raw_s2", store)
    assert outcome.numbers["read_in_this_run"] < outcome.numbers["scenes"] + outcome.numbers["set_aside"]


def test_rasters_open_with_any_reader(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.acquire("raw_s2", store)
    for path in sorted((store.folder(SEASON) / "raw" / "s2").glob("*.geotiff"))[:2]:
        with rasterio.open(path) as dataset:
            assert dataset.scales == (1e-4,) * 4
