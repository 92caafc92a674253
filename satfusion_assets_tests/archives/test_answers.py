"""What the back-end's JSON means: real results, in which files are known by type or address and never by their key."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from satfusion_assets.archives.copernicus.answers import (
    JobPage,
    LogEntry,
    Results,
    files_of,
    found_nothing,
    netcdf_among,
    parsed,
)
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets_tests.archives.conftest import FIXTURES
from satfusion_assets_tests.conftest import REAL_DATA

BOTH = sorted(FIXTURES.glob("openeo_job_results_*.json"))
REAL = [*BOTH, *REAL_DATA.glob("openeo_job_results/*job-results.json")]
ADDRESS = "https://openeo.dataspace.copernicus.eu/openeo/1.2/jobs/j-1/results"


def chosen(document: Any) -> Any:
    return netcdf_among(files_of(parsed(Results, document, "result"), ADDRESS), "j-1")


def as_netcdf(document: dict[str, Any], key: str | None = None, **changes: Any) -> dict[str, Any]:
    """A real list of results whose file is a NetCDF. key: under another key."""
    changed = copy.deepcopy(document)
    ((name, asset),) = changed["assets"].items()
    asset |= {"href": asset["href"].replace(name, "openEO.nc"), "type": "application/x-netcdf"} | changes
    changed["assets"] = {key or "openEO.nc": asset}
    return changed


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem[-40:])
def test_a_real_list_without_a_netcdf_says_what_there_is(path: Any) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match=r"has no NetCDF among its 1 files \(.*(tif|json)"):
        chosen(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("path", BOTH, ids=lambda path: path.stem[-4:])
@pytest.mark.parametrize("key", ["openEO.nc", "15f40353_openEO", "data", ""])
@pytest.mark.parametrize("media_type", ["application/x-netcdf", "application/netcdf", "application/octet-stream", None])
def test_the_key_carries_no_meaning(path: Any, key: str, media_type: str | None) -> None:
    document = as_netcdf(json.loads(path.read_text("utf-8")), key, type=media_type)
    assert "openEO.nc?" in chosen(document).href


@pytest.mark.parametrize("path", BOTH, ids=lambda path: path.stem[-4:])
def test_a_file_of_unknown_type_and_name_is_left_to_its_bytes(path: Any) -> None:
    document = as_netcdf(json.loads(path.read_text("utf-8")), "result", href="https://a.example/1", type=None)
    assert chosen(document).href == "https://a.example/1"


def test_the_length_is_known_when_it_is_told() -> None:
    by_year = [as_netcdf(json.loads(path.read_text("utf-8"))) for path in BOTH]
    assert [chosen(document).size for document in by_year] == [2782, None]
    assert chosen(as_netcdf(by_year[0], **{"file:size": "many"})).size is None


def test_one_file_under_two_keys_is_one_and_two_files_are_too_many() -> None:
    document = as_netcdf(json.loads(BOTH[0].read_text("utf-8")))
    asset = document["assets"]["openEO.nc"]
    document["assets"]["again"] = dict(asset)
    assert chosen(document).href == asset["href"]
    document["assets"]["other"] = asset | {"href": "https://a.example/other.nc"}
    with pytest.raises(ArchiveAnswerInvalid, match="2 NetCDF files among its 3 files"):
        chosen(document)


def test_an_address_is_taken_from_where_the_results_lie_or_from_its_alternates() -> None:
    document = as_netcdf(json.loads(BOTH[1].read_text("utf-8")), href="results/openEO.nc")
    assert chosen(document).href == ADDRESS.removesuffix("results") + "results/openEO.nc"
    alternate = {"https": {"href": "https://a.example/openEO.nc"}}
    assert chosen(as_netcdf(document, href="s3://b/openEO.nc", alternate=alternate)).href.startswith("https://a.ex")
    for href in ("s3://bucket/openEO.nc", "https://a.example:99999/openEO.nc", "https://[broken/openEO.nc"):
        with pytest.raises(ArchiveAnswerInvalid, match="cannot be fetched"):
            chosen(as_netcdf(document, href=href))


@pytest.mark.parametrize(
    ("lines", "empty"),
    [
        (["OpenEO batch job failed: NoDataAvailable: There is no data available for the given extents."], True),
        (["OpenEO batch job failed: Internal: NoSuchFeaturesException: no features found for criteria"], True),
        (["no data available for S3A_OL_1_EFR", "OpenEO batch job failed: executor lost"], False),
        (["OpenEO batch job failed: executor lost", "no products found", "NoDataAvailable in retry"], False),
        (["no products found"], False),
        ([], False),
    ],
)
def test_only_the_line_that_says_why_a_job_failed_can_say_that_there_is_nothing(lines: list[str], empty: bool) -> None:
    assert found_nothing(LogEntry(message=line) for line in lines) is empty


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ".hidden", "", "x" * 200, "a b", None, 7])
def test_what_is_no_id_of_a_job_is_left_out(name: Any) -> None:
    page = parsed(JobPage, {"jobs": [{"id": name, "title": "t"}, {"id": "j-240215519a43"}, None, 3]}, "list")
    assert [job.id for job in page.entries()] == ["j-240215519a43"]


def test_the_next_page_is_asked_for_at_the_same_place_whatever_host_its_link_names() -> None:
    link = {"rel": "next", "href": "https://elsewhere.example/steal?limit=100&offset=200"}
    page = parsed(JobPage, {"jobs": [], "links": [None, {"rel": "prev", "href": "x"}, link]}, "list")
    assert page.next == {"limit": "100", "offset": "200"}
