"""One odd file or question costs its own answer: never another one, the memory, or a path of this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import rasterio

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.viewer.rasters import MAX_SIDE
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason
from satfusion_assets_tests.viewer.conftest import serve

SCENARIO = "aggressive_sigma20"
SCORED = {"temporal": {SCENARIO: {"nse_pc": 0.8, "n_samples": 100}}}
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sites with a scored season each."""
    root = tmp_path / "data"
    registry = SiteRegistry.load(root / "sites.geojson")
    for site in ("innsbruck", "pitsalu"):
        registry = registry.add(registry.site(site))
        (root / site / "2024/raw/s2").mkdir(parents=True)
        (root / site / "2024/metrics.json").write_text(json.dumps(SCORED))
    return root


@pytest.fixture
def client(root: Path) -> Iterator[httpx.Client]:
    with serve(root) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def seasons(client: httpx.Client) -> dict[str, dict]:
    answer = client.get("/_api/catalog")
    assert answer.status_code == 200, answer.text
    sites = {site["name"]: site["seasons"] for site in answer.json()["sites"]}
    return {name: one for name, found in sites.items() for one in found if one["season"] == 2024}


def test_a_season_of_the_camera_alone_has_no_images_and_says_what_is_there(root: Path, client: httpx.Client) -> None:
    (root / "innsbruck/2024/metrics.json").unlink()
    (root / "innsbruck/2024/raw/phenocam").mkdir()
    (root / "innsbruck/2024/raw/phenocam/rois.json").write_text("{}")
    alone = seasons(client)["innsbruck"]
    assert alone["fetched"] == ["phenocam"]
    assert {one["status"] for one in alone["scenarios"].values()} == {"none"}
    (root / "innsbruck/2024/raw/s2/20240501_0.geotiff").write_bytes(b"")
    with_images = seasons(client)["innsbruck"]
    assert with_images["fetched"] == ["phenocam", "s2"]
    assert {one["status"] for one in with_images["scenarios"].values()} == {"raw"}


DEEP = "[" * 100_000 + "]" * 100_000
ODD = {
    "a list": "[]",
    "a number": "3",
    "null": "null",
    "text for numbers": json.dumps({"temporal": {SCENARIO: {"nse_pc": "high"}}, "regions": {"GR_1000": 3}}),
    "a list for a table": json.dumps({"temporal": [], "regions": []}),
    "a table for a number": json.dumps({"temporal": {SCENARIO: {"nse_pc": {}}}, "regions": {"a": {"scenarios": []}}}),
    "a number for a table": json.dumps({"temporal": {SCENARIO: 3}, "regions": {"a": {"scenarios": {SCENARIO: 1}}}}),
    "deep": DEEP,
    "deep within": '{"temporal": ' + DEEP + ', "regions": ' + DEEP + "}",
    "half": '{"temporal": ',
    "a number of 5 000 digits": '{"temporal": ' + "9" * 5000 + "}",
    "another encoding": "\xff\xfe",
    "half a character": '{"temporal": {"\\ud800": {}}, "regions": {"\\ud800": {}}}',
}


@pytest.mark.parametrize("name", ["metrics.json", "skill.json", "raw/phenocam/phenocam_phenology.json"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_table_hides_no_other_season(root: Path, client: httpx.Client, name: str, odd: str) -> None:
    path = root / "innsbruck/2024" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ODD[odd].encode("latin-1"))
    found = seasons(client)
    assert found["pitsalu"]["problem"] is None
    assert found["pitsalu"]["scenarios"][SCENARIO]["scores"]["nse_pc"] == 0.8
    if odd not in ("null", "half a character"):
        problem = found["innsbruck"]["problem"]
        assert problem is None or name in problem
        assert problem is not None or odd not in ("a list", "a number", "deep", "half")
    season = client.get(f"/_api/season/innsbruck/2024/{SCENARIO}")
    assert season.status_code in (200, 500)
    assert str(root) not in season.text


def test_links_in_a_circle_and_what_is_no_file_hide_no_other_season(root: Path, client: httpx.Client) -> None:
    season = root / "innsbruck/2024"
    (season / "metrics.json").unlink()
    (season / "metrics.json").symlink_to("metrics.json")
    (season / "raw/s2").rmdir()
    (season / "raw/s2").symlink_to("s2")
    os.mkfifo(season / "skill.json")
    (root / "tables").symlink_to("tables")
    found = seasons(client)
    assert "s2 cannot be listed" in found["innsbruck"]["problem"]
    assert found["pitsalu"]["scenarios"][SCENARIO]["scores"]["nse_pc"] == 0.8


def test_a_site_whose_elevation_is_no_number_hides_no_other(root: Path, client: httpx.Client) -> None:
    path = root / "sites.geojson"
    collection = json.loads(path.read_text())
    collection["features"][0]["properties"]["elevation"] = float("nan")
    path.write_text(json.dumps(collection))
    answer = client.get("/_api/catalog")
    assert answer.status_code in (200, 400)
    assert "NaN" not in answer.text


@pytest.mark.parametrize("odd", ['{"a": 1}', "[3]", '[{"date": 3}]', '[{"date": "2024-05-01", "ndvi": []}]', DEEP])
def test_odd_series_and_screenings_are_said(root: Path, client: httpx.Client, odd: str) -> None:
    season = root / "innsbruck/2024"
    for name in ("raw/preselection/s2_preselection.json", f"processed_{SCENARIO}/gcc/fusion/timeseries.json"):
        (season / name).parent.mkdir(parents=True, exist_ok=True)
        (season / name).write_text(odd)
    for address in (f"season/innsbruck/2024/{SCENARIO}", f"series/innsbruck/2024/{SCENARIO}/processed"):
        answer = client.get(f"/_api/{address}")
        assert answer.status_code == 500
        assert "materialise it again" in answer.json()["error"]
        assert str(root) not in answer.text
        assert client.get(f"/_api/season/pitsalu/2024/{SCENARIO}").status_code == 200


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "", "1e300", "9" * 5000])
def test_a_place_that_is_no_place_is_refused(client: httpx.Client, number: str) -> None:
    for place in (f"x={number}&y=0", f"x=0&y={number}", f"x={number}&y={number}"):
        answer = client.get(f"/_api/pixel/innsbruck/2024/{SCENARIO}/raw?{place}")
        assert answer.status_code == 400, answer.text
        assert len(answer.text) < 400


@pytest.mark.parametrize("season", ["9" * 5000, "0", "02024", "-2024", "2024.0", "٢٠٢٤", "nan"])
def test_a_season_that_is_no_year_is_refused(client: httpx.Client, season: str) -> None:
    answer = client.get(f"/_api/season/innsbruck/{season}/{SCENARIO}")
    assert answer.status_code == 400, answer.text
    assert "is not a season" in answer.json()["error"]
    moved = client.get("/index.html", params={"site": "innsbruck", "season": season})
    assert moved.status_code == 308
    assert moved.headers["location"] == "/"


@pytest.fixture
def layers(root: Path) -> str:
    """A quality file of a season of a large site: 400 bands of 700 x 700."""
    name = "innsbruck/2024/prepared_aggressive/fusion/quality/standard_deviation.tif"
    path = root / name
    path.parent.mkdir(parents=True)
    profile = {"driver": "GTiff", "width": 700, "height": 700, "count": 400, "dtype": "float32"}
    with rasterio.open(path, "w", **profile, compress="deflate", interleave="band", sparse_ok=True) as raster:
        raster.write(np.ones((700, 700), np.float32), 1)
    return name


@pytest.mark.parametrize(
    "bands", ["1," * 2999 + "1", "1,1", "9" * 5000, ",", "1,,2", "²", ",".join(map(str, range(1, 60)))]
)
def test_bands_are_asked_for_once_and_a_few_at_a_time(client: httpx.Client, layers: str, bands: str) -> None:
    answer = client.get(f"/_frame/{layers}", params={"bands": bands})
    assert answer.status_code == 400
    assert "not a list of band numbers" in answer.json()["error"]
    assert len(answer.text) < 400


def test_no_answer_and_no_crowd_of_them_takes_memory_without_bound(client: httpx.Client, layers: str) -> None:
    for address in (f"/_frame/{layers}", f"/_index/gcc/{layers}"):
        answer = client.get(address)
        assert answer.status_code == 400
        assert "ask for fewer" in answer.json()["error"]
    process = psutil.Process()
    before = process.memory_info().rss
    peak = 0
    bands = ",".join(map(str, range(1, 17)))
    with ThreadPoolExecutor(12) as crowd:
        asked = [crowd.submit(client.get, f"/_frame/{layers}?bands={bands}") for _ in range(12)]
        while not all(one.done() for one in asked):
            peak = max(peak, process.memory_info().rss - before)
    assert all(one.result().status_code == 200 for one in asked)
    one = 16 * 700 * 700 * 4
    assert one < 4 * MAX_SIDE**2 * 4
    assert peak < 4 * 8 * one + 12 * 3 * one, "four are worked on at a time; the others wait or are on their way"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])
@pytest.mark.parametrize("path", ["/_api/catalog", "/", "/_files/a/2024/b.json", "/_nothing", "/index.html"])
def test_every_answer_carries_the_security_headers_a_refused_host_too(
    client: httpx.Client, host: str, path: str
) -> None:
    answer = client.get(path, headers={"host": host}, follow_redirects=False)
    assert answer.status_code == 400 if host == "evil.example" else answer.status_code != 400
    assert all(name in answer.headers for name in HEADERS)


def test_an_error_that_nobody_foresaw_is_said_without_its_details(
    root: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(f"{root}/secret")

    monkeypatch.setattr("satfusion_assets.viewer.catalog.Catalog.overview", fail)
    answer = client.get("/_api/catalog")
    assert answer.status_code == 500
    assert "its log says why" in answer.json()["error"]
    assert "secret" not in answer.text
    assert all(name in answer.headers for name in HEADERS)


def test_no_message_says_where_the_files_lie(root: Path, client: httpx.Client) -> None:
    raster = root / "innsbruck/2024/raw/s2/20240501_0.geotiff"
    raster.write_bytes(b"II*\0 this is no raster")
    addresses = ("/_frame/innsbruck/2024/raw/s2/20240501_0.geotiff", f"/_api/season/nowhere/2024/{SCENARIO}")
    for address in addresses:
        assert str(root) not in client.get(address).text
    (root / "sites.geojson").write_text("{")
    answer = client.get("/_api/catalog")
    assert answer.status_code == 400
    assert "sites.geojson" in answer.json()["error"]
    assert str(root) not in answer.text


def test_no_message_says_where_in_the_store_a_version_lies(tmp_path: Path) -> None:
    """What is served lies in versions of products, which GDAL's own words name."""
    store, raw = ProductStore(tmp_path), Product("raw_s2", SiteSeason("innsbruck", 2024))
    with store.publish(raw) as draft:
        draft.write_bytes("raw/s2/20240501_0.geotiff", b"II*\0 this is no raster")
    with serve(tmp_path) as url, httpx.Client(base_url=url, timeout=60) as client:
        for address in ("/_frame", "/_index/ndvi"):
            answer = client.get(f"{address}/innsbruck/2024/raw/s2/20240501_0.geotiff")
            assert answer.status_code == 500
            assert "innsbruck/2024/raw/s2/20240501_0.geotiff is not a readable raster" in answer.json()["error"]
            assert ".satfusion" not in answer.text
