"""One-day summary CSVs: 32 columns from the server (provisional), 49 from curated releases; read by column name.

Missing is ``NA``, ``-9999``, empty or ``None``; a gcc_90 of exactly 0 is that of black pictures, which have no
greenness. Server files never carry outlier and snow flags: unknown, not clear.

Snow comes on two scales: 0 and 1, or the curated releases' codes (`SNOW_CODES`). 1 means snow on the one and a picture
nobody could judge on the other, so a file with neither a 0 nor another code does not say what its 1 means.

A line that cannot be right, or is not UTF-8, costs its day alone; a comment costs nothing. A file with many such lines,
a cut-off one, and one that sums up more than a day a row are refused whole.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from satfusion_assets.archives.phenocam.sifted import LeftOut, Sifted, quoted
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid

_MISSING: Final = frozenset({"", "NA", "NaN", "nan", "None"})
_MISSING_NUMBER: Final = -9999.0
"""How the server writes a missing number where it has to be one, with any count of decimals."""
SNOW_CODES: Final = {1: None, 2: False, 3: True, 4: True, 5: True}
"""What volunteers saw in the day's picture (Kosmala, Hufkens and Richardson 2018, PLoS ONE 13, e0209649). The archive
numbered the answers of the majority in alphabetical order and published no key, so that the meaning is read off the
data: every summer day is 2, no snow; 3, 4 and 5 are kinds of snow, from November to April nearly alone; 1 is scattered
over the seasons, a picture nobody could judge, and counts as not said. Other numbers are not said either."""
_ANSWERS: Final = frozenset({2.0, 3.0, 4.0, 5.0})
"""Codes that a file of zeros and ones cannot hold."""
_NEEDED: Final = ("date", "image_count", "midday_filename", "gcc_90", "snow_flag", "outlierflag_gcc_90")
_CALENDAR: Final = ("year", "doy")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_BREAK: Final = re.compile(r"\r\n?|\n")
"""Between lines. Other characters that end a line for Unicode come in with descriptions that people have pasted."""
_NOT_UTF8: Final = "\ufffd"
_PERIOD: Final = re.compile(r"#\s*Aggregation Period:\s*(\d+)", re.ASCII)
_STATED: Final = re.compile(r"#\s*(Site|Veg Type):\s*(\S+)")
_MOST_PICTURES: Final = 86_400
"""One a second: a count beyond it counts no pictures."""
_LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class DailySummary:
    """One day of a region of interest.

    gcc_90: 90th percentile of the day's GCC, NaN = missing. image_count: pictures of that day. midday: file name of
    the picture nearest noon. snow, outlier: the file's flags, None = not said. colour: the day's mean red, green and
    blue in the region [digital numbers of 8 bits], NaN = missing.
    """

    day: date
    gcc_90: float
    image_count: int
    midday: str | None
    snow: bool | None
    outlier: bool | None
    colour: tuple[float, float, float] = (math.nan, math.nan, math.nan)


def decode_summary(content: bytes, source: str) -> str:
    """The text of a summary, with or without a byte order mark; ArchiveAnswerInvalid when its table is not UTF-8.

    Bytes of another encoding, which people paste into comments, are marked: they cost the line that they stand in.
    """
    text = content.decode("utf-8-sig", "replace")
    table = next((line for line in _lines(text) if line.strip() and not line.startswith("#")), "")
    if _NOT_UTF8 in table:
        raise ArchiveAnswerInvalid(f"{source} is not text in UTF-8.")
    return text


def refuse_other_region(text: str, source: str, site: str, vegetation: str) -> None:
    """ArchiveAnswerInvalid when the file's own header names another site or vegetation than was asked for."""
    wanted = {"Site": site, "Veg Type": vegetation}
    for line in _lines(text):
        stated = _STATED.match(line)
        if stated and stated[2] != wanted[stated[1]]:
            raise ArchiveAnswerInvalid(
                f"{source} is of {stated[1]} {quoted(stated[2])}, not of {wanted[stated[1]]} as its region."
            )


def parse_one_day_summary(text: str, source: str) -> Sifted[DailySummary]:
    """The days of a one-day summary, in order, and the lines that cost their day.

    ArchiveAnswerInvalid names ``source`` and what is wrong with it as a whole.
    """
    lines = _lines(text.removeprefix("\ufeff"))
    table = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not table:
        raise ArchiveAnswerInvalid(f"{source} has no table; it is empty or cut off.")
    header = _header(table[0][1], source)
    days: list[DailySummary] = []
    left_out: list[LeftOut] = []
    rows = []
    for number, line in table[1:]:
        try:
            rows.append((number, _row(line, header)))
        except ValueError as error:
            left_out.append(LeftOut(f"line {number}", str(error)))
    flags = {_snow_flag(row["snow_flag"]) for _, row in rows}
    coded = bool(flags & _ANSWERS) or 0.0 not in flags
    for number, row in rows:
        try:
            days.append(_day(row, coded))
        except ValueError as error:
            left_out.append(LeftOut(f"line {number}", str(error)))
    last = f"line {table[-1][0]}"
    for bad in left_out:
        if bad.what == last and not text.endswith(("\n", "\r")):
            raise ArchiveAnswerInvalid(f"{source}, {bad}; the file is cut off.")
    sifted = _once_a_day(days, left_out)
    if sifted.too_many_left_out:
        raise ArchiveAnswerInvalid(
            f"{source} has {len(sifted.left_out)} lines of {len(table) - 1} that cannot be used; {sifted.left_out[0]}."
        )
    _refuse_longer_periods(lines, sifted, source)
    return sifted


def _lines(text: str) -> list[str]:
    return _BREAK.split(text)


def _header(line: str, source: str) -> list[str]:
    """Column names; ArchiveAnswerInvalid when one that is read is absent or stands there twice."""
    try:
        header = [name.strip() for name in _fields(line)]
    except ValueError as error:
        raise ArchiveAnswerInvalid(f"{source} has no readable row of column names: {error}.") from error
    for name in _NEEDED:
        if name not in header:
            raise ArchiveAnswerInvalid(f"{source} has no column {name!r}; it is not a PhenoCam one-day summary.")
    for name in (*_NEEDED, *_CALENDAR):
        if header.count(name) > 1:
            raise ArchiveAnswerInvalid(f"{source} has the column {name!r} {header.count(name)} times.")
    return header


def _fields(line: str) -> list[str]:
    """Fields of one line: no field of a summary holds a line break, so a quote left open ends with its line."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _row(line: str, header: Sequence[str]) -> dict[str, str]:
    if _NOT_UTF8 in line:
        raise ValueError("it is not text in UTF-8")
    fields = _fields(line)
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields instead of {len(header)}")
    return dict(zip(header, fields, strict=True))


def _day(row: dict[str, str], snow_is_coded: bool) -> DailySummary:
    gcc = _number(row["gcc_90"])
    if not math.isnan(gcc) and not 0 <= gcc < 1:
        raise ValueError(f"gcc_90 is {gcc:g}, outside 0 to 1")
    count = _number(row["image_count"])
    if not math.isnan(count) and not 0 <= count <= _MOST_PICTURES:
        raise ValueError(f"image_count is {count:g}, no count of pictures")
    midday = row["midday_filename"].strip()
    if len(midday) > _LONGEST_NAME:
        raise ValueError(f"midday_filename has {len(midday)} characters")
    return DailySummary(
        day=_date(row),
        gcc_90=gcc or math.nan,
        image_count=0 if math.isnan(count) else int(count),
        midday=None if midday in _MISSING or midday.startswith("-9999") else midday,
        snow=_coded_snow(row["snow_flag"]) if snow_is_coded else _flag(row["snow_flag"]),
        outlier=_flag(row["outlierflag_gcc_90"]),
        colour=(_number(row.get("r_mean", "")), _number(row.get("g_mean", "")), _number(row.get("b_mean", ""))),
    )


def _date(row: dict[str, str]) -> date:
    """The row's day; a row whose year or day of year says another one is damaged."""
    text = row["date"].strip()
    if not _DAY.fullmatch(text):
        raise ValueError(f"{quoted(text)} is no day")
    day = date.fromisoformat(text)
    for name, value in zip(_CALENDAR, (day.year, day.timetuple().tm_yday), strict=True):
        said = _number(row.get(name, ""))
        if said.is_integer() and said != value:
            raise ValueError(f"{name} is {said:g}, but the day is {day}")
    return day


def _once_a_day(days: Sequence[DailySummary], left_out: Sequence[LeftOut]) -> Sifted[DailySummary]:
    """Days in order, each once; a day that is listed twice and differently is no day of ours."""
    versions_of: dict[date, set[str]] = {}
    for day in days:
        versions_of.setdefault(day.day, set()).add(repr(day))
    doubtful = sorted(day for day, versions in versions_of.items() if len(versions) > 1)
    kept = {day.day: day for day in days if len(versions_of[day.day]) == 1}
    twice = [LeftOut(str(day), f"{len(versions_of[day])} lines that differ") for day in doubtful]
    return Sifted(tuple(kept[day] for day in sorted(kept)), (*left_out, *twice))


def _refuse_longer_periods(lines: Sequence[str], days: Sequence[DailySummary], source: str) -> None:
    """Three-day summaries have the same columns with another meaning: by their header, else by their usual step."""
    named = next((int(found[1]) for line in lines if (found := _PERIOD.match(line))), None)
    steps = Counter((later.day - earlier.day).days for earlier, later in pairwise(days))
    period = named if named is not None else steps.most_common(1)[0][0] if steps else 1
    if period != 1:
        raise ArchiveAnswerInvalid(f"{source} sums up {period} days a row; a one-day summary is needed.")


def _number(text: str) -> float:
    """The number in a field, NaN = missing; ValueError for what is no finite number."""
    text = text.strip()
    if text in _MISSING:
        return math.nan
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        raise ValueError(f"{quoted(text)} is no number")
    return math.nan if value == _MISSING_NUMBER else value


def _flag(text: str) -> bool | None:
    value = _number(text)
    return None if math.isnan(value) else value > 0


def _snow_flag(text: str) -> float:
    """A snow flag, NaN where there is none; what is no number is refused where its day is read."""
    try:
        return _number(text)
    except ValueError:
        return math.nan


def _coded_snow(text: str) -> bool | None:
    value = _number(text)
    return SNOW_CODES.get(int(value)) if value in SNOW_CODES else None
