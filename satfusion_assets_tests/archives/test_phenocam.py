"""PhenoCam: the choice of the region, paged lists, pictures."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import httpx
import pytest
from PIL import Image

from satfusion_assets.archives.phenocam import (
    Forbidden,
    PhenoCam,
    Region,
    check_jpeg,
    choose_region,
)
from satfusion_assets.archives.phenocam.pictures import picture_of
from satfusion_assets.archives.phenocam.regions import read_regions
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, NoData
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, archive
from satfusion_assets_tests.conftest import REAL_DATA

SERVER = (FIXTURES / "harvard_DB_0001_1day.csv").read_text("utf-8")
PICTURES = sorted(REAL_DATA.glob("phenocam/vegindex/*.jpg"))
SITE = Site(name="harvard", latitude=42.5, longitude=-72.2, vegetation_type="Deciduous Broadleaf")
URL = "https://phenocam.example"


# -- regions ---------------------------------------------------------------------------------------------------


def region(vegetation: str, sequence: int, first: str, last: str | None, **more: Any) -> Region:
    return Region.model_validate(
        {
            "roi_name": f"harvard_{vegetation}_{sequence:04d}", "site": "harvard", "roitype": vegetation,
            "sequence_number": sequence, "first_date": first, "last_date": last,
        } | more
    )  # fmt: skip


OLD = region("DB", 1000, "2008-04-04", "2016-08-01")
NEW = region("DB", 2000, "2016-08-02", None)
GRASS = region("GR", 1000, "2008-04-04", None)
PANEL = region("RF", 1000, "2008-04-04", None)


@pytest.mark.parametrize(
    ("site", "year", "chosen"),
    [
        (SITE, 2015, OLD),
        (SITE, 2024, NEW),
        (SITE.model_copy(update={"vegetation": "GR"}), 2024, GRASS),
        (SITE.model_copy(update={"vegetation_type": "Grassland"}), 2024, GRASS),
    ],
    ids=["old view", "new view", "site says GR", "grassland"],
)
def test_the_region_is_chosen_by_vegetation_and_dates(site: Site, year: int, chosen: Region) -> None:
    choice = choose_region(site, [PANEL, GRASS, NEW, OLD], date(year, 1, 1), date(year, 12, 31))
    assert choice.region == chosen
    assert len(choice.candidates) == 4


def test_other_vegetation_is_taken_only_with_the_reason_said() -> None:
    choice = choose_region(SITE, [OLD, GRASS], date(2024, 1, 1), date(2024, 12, 31))
    assert choice.region == GRASS
    assert "no region of vegetation DB" in choice.why


def test_no_region_in_that_time_is_no_data() -> None:
    with pytest.raises(NoData, match="harvard"):
        choose_region(SITE, [OLD, PANEL], date(2024, 1, 1), date(2024, 12, 31))


def test_a_drawn_region_without_a_time_series_is_not_preferred() -> None:
    """The list of the whole network holds some: no dates, no site years, no summary."""
    drawn = region("DB", 3000, "None", "None")
    assert choose_region(SITE, [NEW, drawn], date(2024, 1, 1), date(2024, 12, 31)).region == NEW
    with pytest.raises(NoData, match="no region of interest"):
        choose_region(SITE, [drawn], date(2024, 1, 1), date(2024, 12, 31))


def test_a_region_that_says_its_dates_goes_before_one_that_does_not() -> None:
    undated = region("DB", 3000, "None", "None", one_day_summary="/data/harvard_DB_3000_1day.csv")
    assert choose_region(SITE, [NEW, undated], date(2024, 1, 1), date(2024, 12, 31)).region == NEW
    assert choose_region(SITE, [undated, GRASS], date(2024, 1, 1), date(2024, 12, 31)).region == undated


def test_a_region_passed_over_is_named_with_its_reason() -> None:
    both = [NEW, region("DB", 1000, "2008-04-04", None)]
    choice = choose_region(SITE, both, date(2024, 1, 1), date(2024, 12, 31), {NEW: "it is not there."})
    assert choice.region.sequence == 1000
    assert choice.why.endswith("366 of 366 days; not harvard_DB_2000: it is not there")


# -- the API ---------------------------------------------------------------------------------------------------


def record(one: Region) -> dict[str, Any]:
    return json.loads(one.model_dump_json(by_alias=True))


def paged(pages: dict[str, Any]) -> PhenoCam:
    def answer(request: httpx.Request) -> httpx.Response:
        key = request.url.path + (f"?page={request.url.params['page']}" if "page" in request.url.params else "")
        return httpx.Response(200, json=pages[key]) if key in pages else httpx.Response(404)

    return PhenoCam(URL, archive(answer))


def json_pages(pages: dict[str, Any]) -> PhenoCam:
    """The same, with the numbers that Python writes into JSON and the standard does not know."""
    return PhenoCam(URL, archive(lambda request: httpx.Response(200, text=json.dumps(pages[request.url.path]))))


def test_regions_are_collected_over_pages_and_filtered_again() -> None:
    stranger = record(GRASS) | {"site": "elsewhere"}
    pages = {
        "/api/roilists/": {"count": 3, "next": f"{URL}/api/roilists/?page=2", "results": [record(OLD), stranger]},
        "/api/roilists/?page=2": {"count": 3, "next": None, "results": [record(NEW)]},
    }
    assert paged(pages).regions("harvard").kept == (OLD, NEW)


@pytest.mark.parametrize(
    "bad",
    [
        {"roitype": None},
        {"sequence_number": None},
        {"sequence_number": "2000; 3000"},
        {"sequence_number": 1e999},
        {"roi_name": "../../harvard"},
        {"roi_name": None},
        {"roi_name": "harvard_DB_1000"},
        {"one_day_summary": "x" * 5000},
        {"one_day_summary": ["a", "b"]},
    ],
    ids=str,
)
def test_a_malformed_region_costs_itself(bad: dict[str, Any]) -> None:
    pages = {"/api/roilists/": {"count": 2, "next": None, "results": [record(OLD), record(NEW) | bad]}}
    regions = json_pages(pages).regions("harvard")
    assert regions.kept == (OLD,)
    assert len(regions.left_out) == 1


@pytest.mark.parametrize("said", ["0000-00-00", "0000-01-01", "2008-02-30", "", 20080404, None])
def test_a_date_that_is_none_costs_itself(said: object) -> None:
    """The region's days say from when on there are any."""
    pages = {"/api/roilists/": {"count": 1, "next": None, "results": [record(NEW) | {"first_date": said}]}}
    (region,) = json_pages(pages).regions("harvard")
    assert region == NEW.model_copy(update={"first": None})


def test_a_date_may_come_with_its_time() -> None:
    entry = record(NEW) | {"first_date": "2008-04-04T12:30:00Z"}
    pages = {"/api/roilists/": {"count": 1, "next": None, "results": [entry]}}
    assert json_pages(pages).regions("harvard")[0].first == date(2008, 4, 4)


@pytest.mark.parametrize("said", [None, "", "no word on it", 1, "True"])
def test_a_region_is_in_use_unless_the_archive_says_that_it_is_not(said: object) -> None:
    entry = {"site": "here", "roi_name": "here_GR_1000", "roitype": "GR", "sequence_number": 1000}
    regions = read_regions([entry | {"active": said}, entry | {"active": False, "roi_name": "here_GR_2000"}], "here")
    assert [one.active for one in regions] == [True, False]


def test_a_list_without_a_single_good_region_is_malformed() -> None:
    pages = {"/api/roilists/": [record(OLD) | {"roitype": None}]}
    with pytest.raises(
        ArchiveAnswerInvalid, match="list of regions for harvard is malformed; harvard_DB_1000: roitype"
    ):
        paged(pages).regions("harvard")


@pytest.mark.parametrize(
    "link", [5, True, {"href": "x"}, "http://[", "s3://bucket/page", "http://host:99999/", "http:///"]
)
def test_a_next_link_that_is_no_link_is_refused(link: object) -> None:
    pages = {"/api/roilists/": {"count": 2, "next": link, "results": [record(OLD)]}}
    with pytest.raises(ArchiveAnswerInvalid, match="gave a link that is no address"):
        paged(pages).regions("harvard")


def test_a_file_that_can_never_be_fetched_is_said_at_once() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(500)

    elsewhere = NEW.model_copy(update={"summary": "s3://bucket/harvard_DB_2000_1day.csv"})
    with pytest.raises(ArchiveAnswerInvalid, match="no address"):
        PhenoCam(URL, archive(answer)).one_day_summary(elsewhere, {})
    assert asked == []


@pytest.mark.parametrize(
    ("record", "offset", "latitude"),
    [
        ({"utc_offset": 1, "Lat": 47.1}, 1.0, 47.1),
        ({"utc_offset": float("nan"), "Lat": float("inf")}, None, None),
        ({"utc_offset": True, "Lat": "47.1"}, None, None),
        ({"utc_offset": 10**400, "Lat": -91}, None, None),
        ({"sitemetadata": {"utc_offset": -5, "site_acknowledgements": {"no": "text"}}}, -5.0, None),
    ],
)
def test_what_a_camera_says_of_itself_is_in_range_or_not_said(
    record: dict[str, Any], offset: float | None, latitude: float | None
) -> None:
    camera = json_pages({"/api/cameras/harvard/": record}).camera("harvard")
    assert (camera.utc_offset_hours, camera.latitude) == (offset, latitude)
    assert isinstance(camera.acknowledgement, str)


def test_another_cameras_record_is_refused() -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="answered for harvard with 'bartlett'"):
        paged({"/api/cameras/harvard/": {"Sitename": "bartlett"}}).camera("harvard")


@pytest.mark.parametrize(
    ("region", "says"), [(OLD.model_copy(update={"site": "bartlett"}), "Site 'harvard'"), (GRASS, "Veg Type 'DB'")]
)
def test_a_summary_of_another_region_than_asked_for_is_refused(region: Region, says: str) -> None:
    harvard = PhenoCam(URL, archive(lambda request: httpx.Response(200, text=SERVER)))
    assert len(harvard.one_day_summary(OLD, {})[1]) == 365
    with pytest.raises(ArchiveAnswerInvalid, match=f"is of {says}, not of"):
        harvard.one_day_summary(region, {})


def test_a_refused_file_is_that_files_trouble_and_a_refused_api_is_the_archives() -> None:
    refusing = PhenoCam(URL, archive(lambda request: httpx.Response(401)))
    with pytest.raises(Forbidden):
        refusing.one_day_summary(NEW, {})
    with pytest.raises(ArchiveUnavailable, match="asks nobody for credentials"):
        refusing.camera("harvard")


def test_pages_that_go_in_circles_are_refused() -> None:
    circle = {"count": 2, "next": f"{URL}/api/roilists/?page=2", "results": [record(OLD)]}
    with pytest.raises(ArchiveAnswerInvalid, match="circles"):
        paged({"/api/roilists/": circle, "/api/roilists/?page=2": circle}).regions("harvard")


def test_a_list_shorter_than_announced_is_refused() -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="announced 9"):
        paged({"/api/roilists/": {"count": 9, "next": None, "results": [record(OLD)]}}).regions("harvard")


def test_an_unknown_camera_is_no_data() -> None:
    with pytest.raises(NoData, match="nowhere"):
        paged({}).camera("nowhere")


def test_pictures_are_in_visible_light_one_a_day() -> None:
    names = ["harvard_2024_06_01_120005", "harvard_IR_2024_06_02_120005", "harvard_2024_06_03_120005", "odd"]
    names += ["bartlett_2024_06_04_120005", "harvard_2024_13_04_120005"]
    pages = {"/api/middayimages/harvard/": [{"imgpath": f"/data/archive/harvard/{name}.jpg"} for name in names]}
    pictures = paged(pages).pictures("harvard")
    assert [picture.day.isoformat() for picture in pictures] == ["2024-06-01", "2024-06-03"]
    assert [bad.what for bad in pictures.left_out] == ["entry 4", "entry 5", "entry 6"]


def test_a_list_that_names_no_picture_at_all_is_malformed() -> None:
    with pytest.raises(
        ArchiveAnswerInvalid, match=r"list of pictures of harvard is malformed; entry 1: None is no path"
    ):
        paged({"/api/middayimages/harvard/": [{"path": "harvard_2024_06_01_120005.jpg"}]}).pictures("harvard")


def test_an_infrared_frame_is_known_by_its_name() -> None:
    assert picture_of("/data/alligatorriver_IR_2013_06_01_120032.jpg", "alligatorriver") is None


def jpeg() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (60, 120, 40)).save(target, "JPEG")
    return target.getvalue()


@pytest.mark.parametrize(
    "whole", [jpeg(), *(path.read_bytes() for path in PICTURES)], ids=lambda whole: f"{len(whole)} bytes"
)
def test_a_whole_jpeg_passes_and_a_cut_one_does_not(whole: bytes) -> None:
    check_jpeg(whole, "picture")
    for damaged in (whole[: len(whole) // 2], b"<html>", b""):
        with pytest.raises(ArchiveAnswerInvalid, match="picture is not a whole JPEG"):
            check_jpeg(damaged, "picture")
