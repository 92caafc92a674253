"""Every fault as a client meets it; also the pin on the uvicorn internals that dropping a connection needs."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest
import rasterio
from pystac_client import Client
from rasterio.errors import RasterioIOError

from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.fake_world import SITE, scene_id

PATH = f"/data/archive/{SITE}/ROI/{SITE}_GR_1000_1day.csv"
TABLE = "#\n# 1-day summary product\n#\ndate,year,doy\n2024-06-01,2024,153\n"


def rule(server: ServerProcess, **fields: Any) -> None:
    httpx.post(f"{server.url}/_faults", json={"path": PATH} | fields).raise_for_status()


def get(server: ServerProcess, **options: Any) -> httpx.Response:
    return httpx.get(server.url + PATH, **options)


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_a_status_is_answered_as_often_as_asked_after_skipping(server: ServerProcess, status: int) -> None:
    rule(server, kind="status", status=status, skip=1, times=2, retry_after=7)
    answers = [get(server) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert answers[1].headers["retry-after"] == "7"


def test_a_body_may_be_given_so_that_an_answer_is_malformed(server: ServerProcess) -> None:
    httpx.post(f"{server.url}/_faults", json={"path": "^/v1/search", "kind": "status", "status": 200, "body": '{"a'})
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|unexpected end"):
        list(Client.open(f"{server.url}/v1").search(collections=["sentinel-2-l2a"]).items())


def test_a_truncated_body_breaks_off_short_of_its_length(server: ServerProcess) -> None:
    rule(server, kind="truncate", keep=10)
    with httpx.stream("GET", server.url + PATH) as answer:
        assert answer.headers["content-length"] == str(len(TABLE))
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    (entry,) = httpx.get(f"{server.url}/_faults?log").json()
    assert (entry["bytes"], entry["fault"]) == (10, "truncate")


def test_a_body_can_stall_half_way(server: ServerProcess) -> None:
    rule(server, kind="truncate", keep=10, seconds=60, times=1)
    with httpx.stream("GET", server.url + PATH, timeout=0.3) as answer, pytest.raises(httpx.ReadTimeout):
        answer.read()
    assert get(server).text == TABLE


def test_a_corrupt_body_has_its_length_and_wrong_bytes(server: ServerProcess) -> None:
    rule(server, kind="corrupt", keep=5)
    body = get(server).content
    assert len(body) == len(TABLE)
    assert body[:5] == TABLE[:5].encode()
    assert body != TABLE.encode()
    assert get(server).content == body


@pytest.mark.parametrize("keep", [0.25, 12])
def test_a_lying_length_makes_a_short_body_look_complete(server: ServerProcess, keep: float) -> None:
    rule(server, kind="lying_length", keep=keep)
    answer, length = get(server), int(keep * len(TABLE)) if keep < 1 else int(keep)
    assert answer.content == TABLE[:length].encode()
    assert answer.headers["content-length"] == str(length)
    assert httpx.head(server.url + PATH).headers["content-length"] == str(length)


def test_a_length_that_promises_more_than_comes_ends_in_a_broken_connection(server: ServerProcess) -> None:
    rule(server, kind="lying_length", keep=5000)
    with pytest.raises(httpx.RemoteProtocolError):
        get(server)


def test_a_rewritten_body_is_whole_and_has_its_own_length(server: ServerProcess) -> None:
    rule(server, kind="rewrite", rewrites=[["^2024-06-01", "2024-06-02"], [",153$", ",154"]])
    assert get(server).text == TABLE.replace("2024-06-01", "2024-06-02").replace("153", "154")


def test_an_empty_file_has_no_range(server: ServerProcess) -> None:
    rule(server, kind="empty")
    assert (get(server).status_code, get(server).content) == (200, b"")
    answer = httpx.get(server.url + PATH, headers={"Range": "bytes=0-99"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */0"


def test_a_dropped_connection_has_no_answer_at_all(server: ServerProcess) -> None:
    rule(server, kind="drop", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        get(server)
    assert get(server).text == TABLE


def test_a_hanging_answer_outlasts_the_time_limit_of_the_client(server: ServerProcess) -> None:
    rule(server, kind="hang", times=1)
    with pytest.raises(httpx.ReadTimeout):
        get(server, timeout=0.2)
    assert get(server).text == TABLE


def test_a_hang_with_an_end_drops_the_connection_then(server: ServerProcess) -> None:
    rule(server, kind="hang", seconds=0.1)
    with pytest.raises(httpx.RemoteProtocolError):
        get(server)


def test_delays_add_up_and_combine_with_other_faults(server: ServerProcess) -> None:
    for seconds in (0.25, 0.5):
        httpx.post(f"{server.url}/_faults", json={"path": "", "kind": "delay", "seconds": seconds})
    rule(server, kind="status", status=503)
    with pytest.raises(httpx.ReadTimeout):
        get(server, timeout=0.2)
    assert get(server).status_code == 503
    assert [entry["delay"] for entry in httpx.get(f"{server.url}/_faults?log").json()] == [0.75, 0.75]


def test_rules_choose_their_requests_by_method_query_and_chance(server: ServerProcess) -> None:
    httpx.post(f"{server.url}/_faults", json={"path": r"site=laret", "method": "GET", "kind": "status"})
    assert httpx.get(f"{server.url}/api/roilists/?site=laret").status_code == 503
    assert httpx.head(f"{server.url}/api/roilists/?site=laret").status_code == 200
    assert httpx.get(f"{server.url}/api/roilists/?site={SITE}").status_code == 200


def test_chance_falls_the_same_way_for_the_same_rules(server: ServerProcess) -> None:
    with httpx.Client() as client:
        drawn = []
        for _ in range(2):
            rule(server, kind="status", p=0.5)
            drawn.append([client.get(server.url + PATH).status_code for _ in range(40)])
            httpx.delete(f"{server.url}/_faults")
    assert drawn[0] == drawn[1]
    assert 5 < drawn[0].count(503) < 35


def test_the_rules_in_force_say_how_often_they_struck_and_are_cleared(server: ServerProcess) -> None:
    rule(server, kind="status", times=1)
    get(server)
    (shown,) = httpx.get(f"{server.url}/_faults").json()
    assert shown["struck"] == 1
    assert httpx.delete(f"{server.url}/_faults").json() == []
    assert get(server).status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "explode"},
        {"kind": "drop", "path": "("},
        {"kind": "drop", "typo": 1},
        {"kind": "rewrite", "rewrites": [["(", ""]]},
    ],
)
def test_a_rule_that_means_nothing_is_refused(server: ServerProcess, bad: dict[str, Any]) -> None:
    assert httpx.post(f"{server.url}/_faults", json={"path": PATH} | bad).status_code == 400
    assert httpx.post(f"{server.url}/_faults", content=b"{").status_code == 400


def test_the_log_tells_requests_but_no_secrets(server: ServerProcess) -> None:
    httpx.get(server.url + PATH, headers={"Range": "bytes=0-4", "Authorization": "Bearer very-secret"})
    log = httpx.get(f"{server.url}/_faults?log")
    assert log.json() == [
        {"method": "GET", "path": PATH, "query": "", "range": "bytes=0-4", "status": 206, "bytes": 5}
        | {"delay": 0, "fault": None}
    ]
    httpx.delete(f"{server.url}/_faults?log")
    assert httpx.get(f"{server.url}/_faults?log").json() == []


def test_gdal_meets_a_truncated_range_as_an_error_and_never_as_pixels(server: ServerProcess) -> None:
    url = f"{server.url}/data/sentinel-s2-l2a-cogs/32/T/PT/2024/5/{scene_id(1)}/B02.tif"
    httpx.post(f"{server.url}/_faults", json={"path": scene_id(1), "method": "GET", "kind": "truncate", "keep": 0.3})
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_NON_CACHED": f"/vsicurl/{server.url}"}
    with rasterio.Env(**options):
        with pytest.raises(RasterioIOError), rasterio.open(url) as scene:
            scene.read(1)
        httpx.delete(f"{server.url}/_faults")
        with rasterio.open(url) as scene:
            assert scene.read(1).max() > 1000


def test_an_answer_can_be_changed_at_a_place(server: ServerProcess) -> None:
    edits = [
        {"at": "features.0.id", "value": "../x"},
        {"at": f"features.id={scene_id(2)}.assets.blue", "drop": True},
        {"at": "features.*.properties.eo:cloud_cover", "value": 7},
        {"at": "nothing.of.it", "value": 1},
    ]
    httpx.post(f"{server.url}/_faults", json={"path": "^/v1/search", "kind": "edit", "edits": edits}).raise_for_status()
    found = httpx.post(f"{server.url}/v1/search", json={"limit": 50}).json()["features"]
    assert [one["id"] for one in found].count("../x") == 1
    assert {one["properties"]["eo:cloud_cover"] for one in found} == {7}
    assert ["blue" in one["assets"] for one in found].count(False) <= 1


def test_a_trickle_is_never_silent_and_never_gets_to_an_end(server: ServerProcess) -> None:
    rule(server, kind="trickle", seconds=0.001, times=1)
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {address.host}\r\n\r\n".encode())
        came = b""
        while len(came) < 100:
            came += connection.recv(10)
    assert came.startswith(b"HTTP/1.1 200 OK\r\nX-Slow: xxxxx")
    assert get(server).text == TABLE


def test_a_flood_has_no_length(server: ServerProcess) -> None:
    rule(server, kind="flood", keep=3 * 2**20)
    answer = get(server)
    assert "content-length" not in answer.headers
    assert len(answer.content) == 3 * 2**20


def test_a_status_can_lead_elsewhere(server: ServerProcess) -> None:
    rule(server, kind="status", status=307, headers={"Location": "http://127.0.0.1:9/x"})
    assert get(server).headers["location"] == "http://127.0.0.1:9/x"
