"""PhenoCam: summaries of both formats, the choice of the region, paged lists, pictures."""

from __future__ import annotations

import io
import json
import math
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from satfusion_assets.archives.phenocam import (
    Forbidden,
    PhenoCam,
    Region,
    check_jpeg,
    choose_region,
    parse_one_day_summary,
)
from satfusion_assets.archives.phenocam.pictures import picture_of
from satfusion_assets.archives.phenocam.regions import read_regions
from satfusion_assets.archives.phenocam.summaries import decode_summary
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, NoData
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, archive
from satfusion_assets_tests.conftest import REAL_DATA

SERVER = (FIXTURES / "harvard_DB_0001_1day.csv").read_text("utf-8")
HEADER = next(line for line in SERVER.splitlines() if line.startswith("date,"))
PICTURES = sorted(REAL_DATA.glob("phenocam/vegindex/*.jpg"))
CURATED = sorted(REAL_DATA.glob("phenocam/v1/*_1day.csv"))
SITE = Site(name="harvard", latitude=42.5, longitude=-72.2, vegetation_type="Deciduous Broadleaf")
URL = "https://phenocam.example"


def test_the_servers_format_says_nothing_of_outliers_and_snow() -> None:
    days = parse_one_day_summary(SERVER, "harvard")
    assert (len(days), days[0].day, days[-1].day) == (365, date(2009, 1, 1), date(2009, 12, 31))
    assert days[0].gcc_90 == 0.36535
    assert days[0].midday == "harvard_2009_01_01_113135.jpg"
    assert all(0 < channel < 255 for channel in days[0].colour)
    assert sum(math.isnan(day.gcc_90) for day in days) == 10
    assert {(day.snow, day.outlier) for day in days} == {(None, None)}


def curated(*snow: str) -> str:
    """A curated summary: 17 more columns, snow on the codes' scale."""
    header = HEADER + "," + ",".join(f"smooth_{number}" for number in range(17))
    rows = []
    for number, code in enumerate(snow, 1):
        row = dict.fromkeys(header.split(","), "0.4") | {"date": f"2015-01-{number:02d}", "snow_flag": code}
        rows.append(",".join((row | {"outlierflag_gcc_90": str(number % 2)}).values()))
    return "# a comment\n" + header + "\n" + "\n".join(rows)


def test_the_curated_format_says_outliers_and_snow_in_codes() -> None:
    days = parse_one_day_summary(curated("2", "3", "4", "5", "1", "NA"), "file")
    assert [day.snow for day in days] == [False, True, True, True, None, None]
    assert [day.outlier for day in days] == [True, False, True, False, True, False]


@pytest.mark.parametrize(
    ("codes", "snow"),
    [
        (("3", "1", "NA"), [True, None, None]),
        (("3.0", "2.0", "1.0"), [True, False, None]),
        (("3", "0", "7"), [True, None, None]),
    ],
)
def test_one_code_above_one_makes_the_scale_and_unknown_codes_say_nothing(
    codes: tuple[str, ...], snow: list[bool | None]
) -> None:
    assert [day.snow for day in parse_one_day_summary(curated(*codes), "file")] == snow


def test_snow_may_also_be_yes_or_no() -> None:
    assert [day.snow for day in parse_one_day_summary(curated("0", "1"), "file")] == [False, True]


@pytest.mark.parametrize("codes", [("1", "NA", "1"), ("1.0", "1", "1"), ("NA", "", "1")])
def test_nothing_but_ones_says_nothing_of_snow(codes: tuple[str, ...]) -> None:
    """1 is snow on one scale and a picture nobody could judge on the other."""
    assert {day.snow for day in parse_one_day_summary(curated(*codes), "file")} == {None}


def test_black_pictures_have_no_greenness_and_cost_no_other_day() -> None:
    """A lens that was covered from July on: half of the days."""
    column = HEADER.split(",").index("gcc_90")
    cut = [line.rstrip("\n").split(",") for line in LINES[FIRST + 181 :]]
    rows = [",".join([*fields[:column], "0.00000", *fields[column + 1 :]]) for fields in cut]
    days = parse_one_day_summary("".join(LINES[: FIRST + 181]) + "\n".join(rows) + "\n", "harvard")
    assert (len(days), days.left_out) == (365, ())
    assert all(math.isnan(day.gcc_90) for day in days if day.day >= date(2009, 7, 1))
    assert sum(not math.isnan(day.gcc_90) for day in days) > 150


def test_a_comment_in_another_encoding_costs_nothing_and_a_line_itself() -> None:
    whole = parse_one_day_summary(SERVER, "harvard")
    commented = "# Forêt de chênes\n".encode("latin-1") + SERVER.encode()
    assert parse_one_day_summary(decode_summary(commented, "harvard"), "harvard") == whole
    line = changed("midday_filename", "forêt.jpg").encode("latin-1")
    days = parse_one_day_summary(decode_summary(line, "harvard"), "harvard")
    assert (len(days), len(days.left_out)) == (364, 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_table_in_another_encoding_is_refused_in_a_sentence(encoding: str) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match=r"^harvard .*\.$"):
        parse_one_day_summary(decode_summary(SERVER.encode(encoding), "harvard"), "harvard")


@pytest.mark.parametrize("path", [FIXTURES / "harvard_DB_0001_1day.csv", *CURATED], ids=lambda path: path.stem)
def test_real_files_of_both_formats_are_plausible(path: Path) -> None:
    days = parse_one_day_summary(path.read_text("utf-8"), path.name)
    assert all(math.isnan(day.gcc_90) or 0.2 < day.gcc_90 < 0.6 for day in days)
    snow = [day.day.month for day in days if day.snow]
    assert set(snow) <= {1, 2, 3, 4, 5, 6, 10, 11, 12}, "no snow in July, August and September"
    assert bool(snow) is (path in CURATED)


@pytest.mark.parametrize("missing", ["NA", "-9999", "-9999.0", "-9999.00000", "", "None"])
def test_every_spelling_of_missing_is_missing(missing: str) -> None:
    row = dict.fromkeys(HEADER.split(","), missing) | {"date": "2009-06-30"}
    days = parse_one_day_summary(HEADER + "\n" + ",".join(row.values()), "file")
    assert math.isnan(days[0].gcc_90)
    assert (days[0].midday, days[0].snow, days[0].outlier, days[0].image_count) == (None, None, None, 0)


def test_a_row_cut_off_names_file_and_line() -> None:
    cut = SERVER[: SERVER.index("2009-06-30") + 40]
    with pytest.raises(ArchiveAnswerInvalid, match=r"harvard\.csv, line 20\d: \d+ fields instead of 32"):
        parse_one_day_summary(cut, "harvard.csv")


LINES = SERVER.splitlines(keepends=True)
FIRST = next(number for number, line in enumerate(LINES) if line.startswith("2009-01-01"))
"""Where the first day stands."""


def with_line(line: str, at: int = FIRST + 10) -> str:
    """The real summary with ``line`` in the place of one day's."""
    return "".join([*LINES[:at], line, *LINES[at + 1 :]])


def changed(column: str, value: str, at: int = FIRST + 10) -> str:
    fields = LINES[at].rstrip("\n").split(",")
    fields[HEADER.split(",").index(column)] = value
    return with_line(",".join(fields) + "\n", at)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (changed("gcc_90", "1.00000"), "gcc_90 is 1, outside 0 to 1"),
        (changed("gcc_90", "inf"), "'inf' is no number"),
        (changed("gcc_90", "-0.36535"), "outside 0 to 1"),
        (changed("image_count", "1e999"), "'1e999' is no number"),
        (changed("image_count", "-3"), "image_count is -3"),
        (changed("midday_filename", '"harvard'), "unexpected end of data"),
        (changed("midday_filename", "x" * 500), "midday_filename has 500 characters"),
        (changed("date", "2009-02-30"), "day is out of range for month"),
        (changed("date", "20090111"), "'20090111' is no day"),
        (changed("doy", "12"), "doy is 12, but the day is 2009-01-11"),
        (changed("year", "2010"), "year is 2010, but the day is 2009-01-11"),
        (changed("snow_flag", "inf"), "'inf' is no number"),
        (with_line("2009-01-11,2009\n"), "2 fields instead of 32"),
        (with_line(",,,\n"), "4 fields instead of 32"),
        (changed("midday_filename", "for\ufffdt.jpg"), "it is not text in UTF-8"),
        (changed("date", "0000-00-00"), "year 0 is out of range"),
    ],
)
def test_a_line_that_cannot_be_right_costs_its_day(text: str, reason: str) -> None:
    days = parse_one_day_summary(text, "file")
    assert len(days) == 364
    assert date(2009, 1, 11) not in {day.day for day in days}
    (left_out,) = days.left_out
    assert left_out.what == f"line {FIRST + 11}"
    assert reason in left_out.reason


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + SERVER,
        SERVER.replace("\n2009-07", "\n   \n\n2009-07"),
        SERVER.replace("\n", "\r\n"),
        SERVER + LINES[FIRST],
        "".join([*LINES[: FIRST + 5], *reversed(LINES[FIRST + 5 :])]),
        "# Oak\u2028and\x85maple\x0bstand\n" + SERVER,
    ],
    ids=["byte order mark", "blank lines", "line ends", "a day twice", "another order", "pasted description"],
)
def test_what_changes_nothing_costs_nothing(text: str) -> None:
    assert parse_one_day_summary(text, "file") == parse_one_day_summary(SERVER, "file")


def test_a_day_told_twice_and_differently_is_no_day() -> None:
    twice = changed("gcc_90", "0.40000", FIRST)
    days = parse_one_day_summary(twice + LINES[FIRST], "file")
    assert days[0].day == date(2009, 1, 2)
    assert str(days.left_out[0]) == "2009-01-01: 2 lines that differ"


@pytest.mark.parametrize("column", ["gcc_90", "date", "year"])
def test_a_column_that_stands_there_twice_is_refused(column: str) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match=f"file has the column '{column}' 2 times"):
        parse_one_day_summary(SERVER.replace("max_solar_elev", column), "file")


def test_many_bad_lines_are_no_single_bad_lines() -> None:
    with pytest.raises(ArchiveAnswerInvalid, match=r"harvard has 197 lines of 365 that cannot be used; line 24: "):
        parse_one_day_summary(SERVER.replace("0.3", "3."), "harvard")


def three_day() -> str:
    """Every third day of the real summary, as a three-day one has them."""
    return "".join([*LINES[:FIRST], *LINES[FIRST::3]])


@pytest.mark.parametrize(
    "text",
    [three_day().replace("Aggregation Period: 1", "Aggregation Period: 3"), three_day().replace("Aggregation", "")],
    ids=["said by the header", "told by the days"],
)
def test_a_three_day_summary_is_refused(text: str) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="file sums up 3 days a row; a one-day summary is needed"):
        parse_one_day_summary(text, "file")


def test_a_real_three_day_summary_is_refused() -> None:
    path = REAL_DATA / "phenocam/vegindex/harvard_DB_0001_3day.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here; name the folder of real data in SATFUSION_REAL_DATA")
    with pytest.raises(ArchiveAnswerInvalid, match="sums up 3 days a row"):
        parse_one_day_summary(path.read_text("utf-8"), path.name)


@given(st.integers(0, len(SERVER)), st.text(max_size=8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_fuzzed_summary_is_days_or_one_typed_error(position: int, junk: str, cut: bool) -> None:
    with suppress(ArchiveAnswerInvalid):
        parse_one_day_summary(SERVER[:position] + junk + ("" if cut else SERVER[position + len(junk) :]), "file")


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
