"""Ranges, validators and refusals of the bucket."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.fake_world import SITE, scene_id

PATH = f"/data/sentinel-s2-l2a-cogs/32/T/PT/2024/5/{scene_id(0)}/B02.tif"


@pytest.fixture
def whole(server: ServerProcess) -> httpx.Response:
    return httpx.get(server.url + PATH)


def test_a_file_comes_whole_with_its_length_and_the_md5_of_its_bytes_as_etag(whole: httpx.Response) -> None:
    assert whole.headers["content-length"] == str(len(whole.content))
    assert whole.headers["etag"] == f'"{hashlib.md5(whole.content).hexdigest()}"'
    assert (whole.headers["content-type"], whole.headers["accept-ranges"]) == ("image/tiff", "bytes")


def test_head_has_the_headers_of_get_and_no_body(server: ServerProcess, whole: httpx.Response) -> None:
    head = httpx.head(server.url + PATH)
    names = ("content-length", "etag", "last-modified", "accept-ranges", "content-type")
    assert [head.headers[name] for name in names] == [whole.headers[name] for name in names]
    assert head.content == b""


@pytest.mark.parametrize(("asked", "span"), [("0-99", (0, 100)), ("50-50", (50, 51)), ("1000-", (1000, None))])
def test_ranges_are_cut_from_the_file(
    server: ServerProcess, whole: httpx.Response, asked: str, span: tuple[int, int | None]
) -> None:
    part = httpx.get(server.url + PATH, headers={"Range": f"bytes={asked}"})
    assert (part.status_code, part.content) == (206, whole.content[slice(*span)])
    start, stop = span[0], span[1] or len(whole.content)
    assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole.content)}"


def test_a_suffix_range_is_the_end_of_the_file(server: ServerProcess, whole: httpx.Response) -> None:
    part = httpx.get(server.url + PATH, headers={"Range": "bytes=-10"})
    assert (part.status_code, part.content) == (206, whole.content[-10:])


def test_a_range_past_the_end_is_cut_and_one_behind_it_refused(server: ServerProcess, whole: httpx.Response) -> None:
    size = len(whole.content)
    cut = httpx.get(server.url + PATH, headers={"Range": f"bytes={size - 5}-{size + 100}"})
    behind = httpx.get(server.url + PATH, headers={"Range": f"bytes={size}-"})
    assert (cut.status_code, cut.content) == (206, whole.content[-5:])
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")


def test_several_ranges_at_once_give_the_whole_file(server: ServerProcess, whole: httpx.Response) -> None:
    answer = httpx.get(server.url + PATH, headers={"Range": "bytes=0-1,5-6"})
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_an_unchanged_file_is_not_sent_again(server: ServerProcess, whole: httpx.Response) -> None:
    by_tag = httpx.get(server.url + PATH, headers={"If-None-Match": whole.headers["etag"]})
    by_date = httpx.get(server.url + PATH, headers={"If-Modified-Since": whole.headers["last-modified"]})
    other = httpx.get(server.url + PATH, headers={"If-None-Match": '"another"'})
    assert (by_tag.status_code, by_date.status_code, other.status_code) == (304, 304, 200)
    assert by_tag.content == b""
    assert by_tag.headers["etag"] == whole.headers["etag"]


def test_a_range_of_another_version_gives_the_whole_file(server: ServerProcess, whole: httpx.Response) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert httpx.get(server.url + PATH, headers=headers).content == whole.content


@pytest.mark.parametrize("path", [f"{PATH}.aux.xml", "/data/", "/data/../../etc/passwd", "/data/archive/none.csv"])
def test_what_is_not_there_is_not_found(server: ServerProcess, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 404


def test_the_camera_archive_serves_its_tables(server: ServerProcess) -> None:
    table = httpx.get(f"{server.url}/data/archive/{SITE}/ROI/{SITE}_GR_1000_1day.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert "date,year,doy" in table.text
