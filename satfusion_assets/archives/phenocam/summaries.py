"""One-day summary CSVs: 32 columns from the server (provisional), 49 from curated releases; read by column name.

Missing is ``NA``, ``-9999``, empty or ``None``. Server files never carry outlier and snow flags: unknown, not clear.

Snow comes on two scales: 0 and 1, or the curated releases' codes (`SNOW_CODES`).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from satfusion_assets.errors import ArchiveAnswerInvalid

_MISSING: Final = frozenset({"", "NA", "NaN", "nan", "None", "-9999", "-9999.0"})
SNOW_CODES: Final = {1: None, 2: False, 3: True, 4: True, 5: True}
"""What volunteers saw in the day's picture (Kosmala, Hufkens and Richardson 2018, PLoS ONE 13, e0209649). The archive
numbered the answers of the majority in alphabetical order and published no key, so that the meaning is read off the
data: every summer day is 2, no snow; 3, 4 and 5 are kinds of snow, from November to April nearly alone; 1 is scattered
over the seasons, a picture nobody could judge, and counts as not said. Other numbers are not said either."""
_ANSWERS: Final = frozenset({2.0, 3.0, 4.0, 5.0})
"""Codes that a file of zeros and ones cannot hold."""
_NEEDED: Final = ("date", "image_count", "midday_filename", "gcc_90", "snow_flag", "outlierflag_gcc_90")


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


def parse_one_day_summary(text: str, source: str) -> list[DailySummary]:
    """All days of a one-day summary, in order; ArchiveAnswerInvalid names ``source``, line and field."""
    header, rows = _table(text, source)
    absent = [name for name in _NEEDED if name not in header]
    if absent:
        raise ArchiveAnswerInvalid(f"{source} has no column {absent[0]!r}; it is not a PhenoCam one-day summary.")
    records = []
    for number, row in rows:
        if len(row) != len(header):
            raise ArchiveAnswerInvalid(f"{source}, line {number}: {len(row)} fields instead of {len(header)}.")
        records.append((number, dict(zip(header, row, strict=True))))
    coded = any(_is_answer(record["snow_flag"]) for _, record in records)
    days: list[DailySummary] = []
    for number, record in records:
        try:
            days.append(_day(record, coded))
        except ValueError as error:
            raise ArchiveAnswerInvalid(f"{source}, line {number}: {error}.") from error
    if any(later.day <= earlier.day for earlier, later in pairwise(days)):
        raise ArchiveAnswerInvalid(f"{source}: its days are not in order.")
    return days


def _table(text: str, source: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    if not lines:
        raise ArchiveAnswerInvalid(f"{source} has no table; it is empty or cut off.")
    numbers = [number for number, _ in lines]
    records = list(csv.reader(line for _, line in lines))
    return records[0], zip(numbers[1:], records[1:], strict=True)


def _day(row: dict[str, str], snow_is_coded: bool) -> DailySummary:
    gcc = _number(row["gcc_90"])
    if not math.isnan(gcc) and not 0 < gcc < 1:
        raise ValueError(f"gcc_90 is {gcc}, outside 0 to 1")
    count = _number(row["image_count"])
    midday = row["midday_filename"].strip()
    return DailySummary(
        day=date.fromisoformat(row["date"].strip()),
        gcc_90=gcc,
        image_count=0 if math.isnan(count) else int(count),
        midday=None if midday in _MISSING else midday,
        snow=_coded_snow(row["snow_flag"]) if snow_is_coded else _flag(row["snow_flag"]),
        outlier=_flag(row["outlierflag_gcc_90"]),
        colour=(_number(row.get("r_mean", "")), _number(row.get("g_mean", "")), _number(row.get("b_mean", ""))),
    )


def _number(text: str) -> float:
    text = text.strip()
    return math.nan if text in _MISSING else float(text)


def _flag(text: str) -> bool | None:
    value = _number(text)
    return None if math.isnan(value) else value > 0


def _is_answer(text: str) -> bool:
    """Whether a snow flag is of the curated scale; what is no number is refused where its day is read."""
    try:
        return _number(text) in _ANSWERS
    except ValueError:
        return False


def _coded_snow(text: str) -> bool | None:
    value = _number(text)
    return SNOW_CODES.get(int(value)) if value in SNOW_CODES else None
