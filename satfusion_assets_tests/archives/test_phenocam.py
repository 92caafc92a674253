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

from satfusion_assets.archives.phenocam import PhenoCam, Region, check_jpeg, choose_region, parse_one_day_summary
from satfusion_assets.archives.phenocam.pictures import picture_of
from satfusion_assets.errors import ArchiveAnswerInvalid, NoData
from satfusion_assets.sites import Site
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


@pytest.mark.parametrize("path", [FIXTURES / "harvard_DB_0001_1day.csv", *CURATED], ids=lambda path: path.stem)
def test_real_files_of_both_formats_are_plausible(path: Path) -> None:
    days = parse_one_day_summary(path.read_text("utf-8"), path.name)
    assert all(math.isnan(day.gcc_90) or 0.2 < day.gcc_90 < 0.6 for day in days)
    snow = [day.day.month for day in days if day.snow]
    assert set(snow) <= {1, 2, 3, 4, 5, 6, 10, 11, 12}, "no snow in July, August and September"
    assert bool(snow) is (path in CURATED)


@pytest.mark.parametrize("missing", ["NA", "-9999", "", "None"])
def test_every_spelling_of_missing_is_missing(missing: str) -> None:
    row = dict.fromkeys(HEADER.split(","), missing) | {"date": "2009-06-30"}
    days = parse_one_day_summary(HEADER + "\n" + ",".join(row.values()), "file")
    assert math.isnan(days[0].gcc_90)
    assert (days[0].midday, days[0].snow, days[0].outlier, days[0].image_count) == (None, None, None, 0)


def test_a_row_cut_off_names_file_and_line() -> None:
    cut = SERVER[: SERVER.index("2009-06-30") + 40]
    with pytest.raises(ArchiveAnswerInvalid, match=r"harvard\.csv, line 20\d: \d+ fields instead of 32"):
        parse_one_day_summary(cut, "harvard.csv")


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


# -- the API ---------------------------------------------------------------------------------------------------


def record(one: Region) -> dict[str, Any]:
    return json.loads(one.model_dump_json(by_alias=True))


def paged(pages: dict[str, Any]) -> PhenoCam:
    def answer(request: httpx.Request) -> httpx.Response:
        key = request.url.path + (f"?page={request.url.params['page']}" if "page" in request.url.params else "")
        return httpx.Response(200, json=pages[key]) if key in pages else httpx.Response(404)

    return PhenoCam(URL, archive(answer))


def test_regions_are_collected_over_pages_and_filtered_again() -> None:
    stranger = record(GRASS) | {"site": "elsewhere"}
    pages = {
        "/api/roilists/": {"count": 3, "next": f"{URL}/api/roilists/?page=2", "results": [record(OLD), stranger]},
        "/api/roilists/?page=2": {"count": 3, "next": None, "results": [record(NEW)]},
    }
    assert paged(pages).regions("harvard") == [OLD, NEW]


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
    pages = {"/api/middayimages/harvard/": [{"imgpath": f"/data/archive/harvard/{name}.jpg"} for name in names]}
    pictures = paged(pages).pictures("harvard")
    assert [picture.day.isoformat() for picture in pictures] == ["2024-06-01", "2024-06-03"]


def test_an_infrared_frame_is_known_by_its_name() -> None:
    assert picture_of("/data/alligatorriver_IR_2013_06_01_120032.jpg") is None


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
