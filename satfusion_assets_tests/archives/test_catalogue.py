"""Searching through the real client: recorded answers of Earth Search, replayed on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from satfusion_assets.archives.earth_search import LatestChange, SearchResult, latest_change, search_scenes
from satfusion_assets.archives.earth_search.boxes import box_width, geographic_boxes, geojson
from satfusion_assets.archives.retry import RetryPolicy
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S2Collection
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, IMPATIENT, archive, trickling

AREA = site_grid(Site(name="boulder", latitude=40.1672, longitude=-105.1019)).fine
REAL = "https://earth-search.aws.element84.com"


class Replay:
    """A server of recorded answers.

    pages: what POST /v1/search answers, first and following page. failures: statuses that it answers before.
    """

    def __init__(self) -> None:
        self.pages: list[Any] = []
        self.failures: list[int] = []
        self.landing: Any = None
        self.asked: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def recorded(self, name: str) -> Any:
        text = (FIXTURES / f"earthsearch_v1_{name}.json").read_text("utf-8")
        return json.loads(text.replace(REAL, self.address))

    def search(self) -> SearchResult:
        policy = RetryPolicy(attempts=3, first_wait_s=0, timeout_s=5)
        day = date(2023, 10, 8)
        return search_scenes(f"{self.address}/v1", S2Collection.L2A, AREA, day, day, policy)

    def watch(self) -> LatestChange:
        day = date(2023, 10, 8)
        return latest_change(f"{self.address}/v1", S2Collection.L2A, AREA, day, day, RetryPolicy(1, 0, 5))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(replay.landing or replay.recorded("landing"))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                replay.asked.append(json.loads(body))
                page = replay.pages[min("next" in replay.asked[-1], len(replay.pages) - 1)]
                self._send(replay.failures.pop(0) if replay.failures else page)

            def _send(self, answer: Any) -> None:
                content = b"{}" if isinstance(answer, int) else json.dumps(answer).encode()
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Type", "application/geo+json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler


@pytest.fixture
def replay() -> Iterator[Replay]:
    server = Replay()
    server.pages = [server.recorded(f"search_20231008_{page}") for page in ("point_s2l2a_landsat", "page2_empty")]
    server.start()
    yield server
    server.stop()


def test_recorded_pages_are_scenes_and_a_record_of_what_was_answered(replay: Replay) -> None:
    found = replay.search()
    assert [scene.id for scene in found.scenes] == ["S2A_13TDE_20231008_0_L2A"]
    assert found.scenes[0].href("nir08").endswith("/B8A.tif")
    assert list(found.malformed) == ["LC08_L2SP_033032_20231008_02_T1"], "not a Sentinel-2 item"
    assert found.matched == 2
    assert len(found.pages) == 2
    assert replay.search().pages == found.pages


def test_the_search_asks_for_small_pages_of_what_is_needed(replay: Replay) -> None:
    replay.search()
    body = replay.asked[0]
    assert body["limit"] <= 100, "the real catalogue fails above 267"
    assert body["collections"] == ["sentinel-2-l2a"]
    assert body["datetime"] == "2023-10-08T00:00:00Z/2023-10-08T23:59:59.999Z"
    west, south = body["intersects"]["coordinates"][0][0]
    assert (west, south) == pytest.approx((-105.1019, 40.1672), abs=0.02)
    assert "assets.nir08" in body["fields"]["include"]
    assert not any("jp2" in field for field in body["fields"]["include"])


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_a_search_is_retried_although_it_is_a_post(replay: Replay, status: int) -> None:
    replay.failures = [status]
    assert len(replay.search().scenes) == 1


def test_a_catalogue_that_stays_down_is_one_sentence(replay: Replay) -> None:
    replay.failures = [503] * 9
    with pytest.raises(ArchiveUnavailable, match=r"HTTP 503, 3 attempts\); run this again later\.$"):
        replay.search()
    assert len(replay.asked) == 3


@pytest.mark.parametrize(("header", "says"), [("3600", "3600 s before"), ("nan", "3 attempts")])
def test_the_search_waits_as_every_request_does(monkeypatch: pytest.MonkeyPatch, header: str, says: str) -> None:
    def busy(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": header})

    monkeypatch.setattr("satfusion_assets.archives.earth_search.catalogue._archive", lambda policy: archive(busy))
    day = date(2023, 10, 8)
    for ask in (search_scenes, latest_change):
        with pytest.raises(ArchiveUnavailable, match=says):
            ask("https://a.example/v1", S2Collection.L2A, AREA, day, day, IMPATIENT)


def test_a_refusal_is_the_archives_trouble_since_it_knows_no_credentials(replay: Replay) -> None:
    replay.failures = [401] * 2
    with pytest.raises(ArchiveUnavailable, match="HTTP 401"):
        replay.search()
    with pytest.raises(ArchiveUnavailable, match="HTTP 401"):
        replay.watch()


def test_fewer_items_than_announced_is_not_a_season(replay: Replay) -> None:
    replay.pages[0] = replay.pages[0] | {"numberMatched": 7}
    with pytest.raises(ArchiveAnswerInvalid, match="announced 7 items and listed 2"):
        replay.search()


def test_an_empty_page_ends_nothing(replay: Replay) -> None:
    """The client would stop at an empty page, and at an empty first one find nothing without a word."""
    replay.pages = [replay.pages[1]]
    with pytest.raises(ArchiveAnswerInvalid, match="announced 2 items and listed 0"):
        replay.search()


def test_pages_that_repeat_are_refused(replay: Replay) -> None:
    replay.pages = [replay.pages[0] | {"numberMatched": None}]
    with pytest.raises(ArchiveAnswerInvalid, match="circles|repeat"):
        replay.search()


@pytest.mark.parametrize("nonsense", [[], {"type": "FeatureCollection", "features": 5}, {"features": [1]}], ids=str)
def test_what_is_no_catalogue_is_refused(replay: Replay, nonsense: Any) -> None:
    replay.pages = [nonsense]
    with pytest.raises(ArchiveAnswerInvalid, match="SATFUSION_EARTH_SEARCH_URL"):
        replay.search()


def pages_of(replay: Replay, *pages: list[dict[str, Any]], matched: int | None) -> None:
    """Pages of these items, each with a link to the next."""
    template = replay.pages[0]
    following = next(link for link in template["links"] if link["rel"] == "next")
    replay.pages = [
        template
        | {"features": items, "numberMatched": matched, "context": {"matched": matched}}
        | {"links": [following] if number < len(pages) else []}
        for number, items in enumerate(pages, 1)
    ]


@pytest.fixture
def real(replay: Replay) -> dict[str, Any]:
    """The one Sentinel-2 item of the recorded answer."""
    return next(one for one in replay.pages[0]["features"] if one["collection"] == "sentinel-2-l2a")


def test_an_item_twice_at_a_pages_border_is_one_item(replay: Replay, real: dict[str, Any]) -> None:
    touched = real | {"properties": real["properties"] | {"updated": "2099-01-01T00:00:00Z"}}
    pages_of(replay, [real], [touched], matched=1)
    assert [scene.updated for scene in replay.search().scenes] == ["2099-01-01T00:00:00Z"]


def test_an_item_twice_and_another_missing_is_no_whole_list(replay: Replay, real: dict[str, Any]) -> None:
    pages_of(replay, [real, real], [real | {"id": "S2A_13TDE_20231008_1_L2A"}], matched=3)
    with pytest.raises(
        ArchiveAnswerInvalid, match="announced 3 items and listed 2, 1 of them twice; run this again"
    ) as caught:
        replay.search()
    assert "EARTH_SEARCH_URL" not in str(caught.value), "the address is not at fault"


@pytest.mark.parametrize("lost", ["id", "properties", "bbox", "assets"])
def test_a_malformed_item_costs_itself(replay: Replay, real: dict[str, Any], lost: str) -> None:
    odd = {key: value for key, value in real.items() if key != lost} | ({} if lost == "id" else {"id": "odd"})
    pages_of(replay, [odd, real], matched=2)
    found = replay.search()
    assert [scene.id for scene in found.scenes] == [real["id"]]
    assert len(found.malformed) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"datetime": "2022-10-08T17:50:00Z"}, "was sensed at 2022"),
        ({"datetime": "9999-12-31T00:00:00Z"}, "was sensed at 9999"),
        ({"collection": "sentinel-2-c1-l2a"}, "not of sentinel-2-l2a"),
        ({"bbox": [10.0, 46.0, 11.0, 47.0]}, "does not touch"),
    ],
)
def test_what_was_not_asked_for_is_not_used(
    replay: Replay, real: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    properties = real["properties"] | {key: value for key, value in change.items() if key == "datetime"}
    pages_of(
        replay, [real | {"properties": properties} | {k: v for k, v in change.items() if k != "datetime"}], matched=1
    )
    found = replay.search()
    assert found.scenes == ()
    assert says in found.malformed[real["id"]]


@pytest.mark.parametrize("count", [float("inf"), float("nan"), -1, "many", 1.5, 10**30, [2]])
@pytest.mark.parametrize("where", ["numberMatched", "context"])
def test_a_count_that_is_none_is_no_catalogues(replay: Replay, where: str, count: Any) -> None:
    replay.pages[0] |= {"numberMatched": None} | {where: {"matched": count} if where == "context" else count}
    with pytest.raises(ArchiveAnswerInvalid, match="SATFUSION_EARTH_SEARCH_URL"):
        replay.search()
    with pytest.raises(ArchiveAnswerInvalid, match="SATFUSION_EARTH_SEARCH_URL"):
        replay.watch()


@pytest.mark.parametrize(
    "landing",
    [
        {"type": "Collection"},
        {"type": None},
        {"conformsTo": None},
        {"conformsTo": []},
        {"conformsTo": ["https://api.stacspec.org/v1.0.0/core"]},
        {"conformsTo": "https://api.stacspec.org/v1.0.0/item-search"},
    ],
    ids=str,
)
def test_a_landing_page_of_something_else_is_refused(replay: Replay, landing: dict[str, Any]) -> None:
    replay.landing = replay.recorded("landing") | landing
    with pytest.raises(ArchiveAnswerInvalid, match="SATFUSION_EARTH_SEARCH_URL"):
        replay.search()
    assert replay.asked == []


def test_without_the_fields_extension_whole_items_are_asked_for(replay: Replay) -> None:
    landing = replay.recorded("landing")
    landing["conformsTo"] = [text for text in landing["conformsTo"] if not text.endswith("item-search#fields")]
    replay.landing = landing
    assert len(replay.search().scenes) == 1
    assert "fields" not in replay.asked[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "earth-search.aws.element84.com/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:port/v1",
        "/etc",
        "s3://x/v1",
        "http://",
    ],
)
def test_an_address_that_is_none_is_said(address: str) -> None:
    day = date(2023, 10, 8)
    for ask in (search_scenes, latest_change):
        with pytest.raises(ArchiveAnswerInvalid, match="SATFUSION_EARTH_SEARCH_URL"):
            ask(address, S2Collection.L2A, AREA, day, day, RetryPolicy(attempts=1))


@pytest.mark.parametrize("link", ["s3://bucket/page2", 5, None, "", {"href": "x"}])
def test_a_link_to_the_next_page_that_leads_nowhere_is_refused(replay: Replay, link: Any) -> None:
    replay.pages[0]["links"] = [{"rel": "next", "href": link, "method": "POST"}]
    with pytest.raises(ArchiveAnswerInvalid):
        replay.search()


def test_deep_json_is_refused(replay: Replay, real: dict[str, Any]) -> None:
    deep: Any = 1
    for _ in range(90):
        deep = [deep]
    pages_of(replay, [real | {"properties": real["properties"] | {"x": deep}}], matched=1)
    with pytest.raises(ArchiveAnswerInvalid, match="levels"):
        replay.search()


def test_the_watch_gives_up_on_a_trickle() -> None:
    with trickling() as address, pytest.raises(ArchiveUnavailable, match="no answer in time"):
        latest_change(address, S2Collection.L2A, AREA, date(2024, 1, 1), date(2024, 2, 1), RetryPolicy(1, 0, 2, 0.3))


@pytest.mark.parametrize("longitude", [179.9995, -179.9995, 179.99, 179.9999, -180.0])
def test_a_site_at_180_degrees_is_asked_for_around_itself(longitude: float) -> None:
    boxes = geographic_boxes(site_grid(Site(name="taveuni", latitude=-16.8, longitude=longitude)).fine)
    assert sum(box_width(box) for box in boxes) < 0.03
    assert all(-180 <= west < east <= 180 for west, _, east, _ in boxes)
    assert any(west - 1e-6 <= longitude <= east + 1e-6 for west, _, east, _ in boxes)
    near = abs(longitude) > 179.995
    assert geojson(boxes)["type"] == ("MultiPolygon" if near else "Polygon")


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(47.1, 11.3), (-33.9, 151.2), (69.3, 20.5), (0.0, 6.0), (-16.8, 170.0)]
)
def test_elsewhere_the_box_is_that_of_the_outline(latitude: float, longitude: float) -> None:
    area = site_grid(Site(name="x", latitude=latitude, longitude=longitude)).fine
    outline = area.extent.to_crs("EPSG:4326", resolution=100).boundingbox
    assert geographic_boxes(area) == [pytest.approx(tuple(outline), abs=1e-5)]
