"""Searching through the real client: recorded answers of Earth Search, replayed on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from satfusion_assets.archives.earth_search import SearchResult, search_scenes
from satfusion_assets.archives.patience import Patience
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.grid import site_grid
from satfusion_assets.settings import S2Collection
from satfusion_assets.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES

AREA = site_grid(Site(name="boulder", latitude=40.1672, longitude=-105.1019)).fine
REAL = "https://earth-search.aws.element84.com"


class Replay:
    """A server of recorded answers.

    pages: what POST /v1/search answers, first and following page. failures: statuses that it answers before.
    """

    def __init__(self) -> None:
        self.pages: list[Any] = []
        self.failures: list[int] = []
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
        patience = Patience(attempts=3, first_wait_s=0, timeout_s=5)
        day = date(2023, 10, 8)
        return search_scenes(f"{self.address}/v1", S2Collection.L2A, AREA, day, day, patience)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(replay.recorded("landing"))

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
