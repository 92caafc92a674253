"""The camera's greenness tables: both formats, what a line, a column or a day costs, and what is refused."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.archives.phenocam import (
    parse_one_day_summary,
)
from satfusion_assets.archives.phenocam.summaries import decode_summary
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets_tests.archives.conftest import FIXTURES
from satfusion_assets_tests.conftest import REAL_DATA

SERVER = (FIXTURES / "harvard_DB_0001_1day.csv").read_text("utf-8")
HEADER = next(line for line in SERVER.splitlines() if line.startswith("date,"))
CURATED = sorted(REAL_DATA.glob("phenocam/v1/*_1day.csv"))


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
