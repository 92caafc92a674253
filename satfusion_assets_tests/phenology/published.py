"""The published PhenoCam dates (V1.0, CC BY-NC-ND): read where they lie, never copied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

PERCENTS = (10, 25, 50)


@dataclass(frozen=True)
class PublishedDate:
    """One 50 % date and its published interval (the columns name the bounds of falling dates the other way round)."""

    direction: str
    day: date
    earliest: date
    latest: date


def summaries(root: Path) -> list[Path]:
    """The 1-day summaries below the real data that have published transition dates beside them."""
    folder = root / "phenocam" / "v1"
    return [p for p in sorted(folder.glob("*_1day.csv")) if transition_file(p).exists()]


def transition_file(summary: Path) -> Path:
    return summary.with_name(summary.stem + "_transition_dates.csv")


def read_series(summary: Path) -> pd.DataFrame:
    return pd.read_csv(summary, comment="#", parse_dates=["date"])


def read_dates(summary: Path, percentile: str = "gcc_90") -> list[PublishedDate]:
    columns = ["transition_50", "transition_50_lower_ci", "transition_50_upper_ci"]
    table = pd.read_csv(transition_file(summary), comment="#", parse_dates=columns)
    table = table[table.gcc_value == percentile]
    days = [table[name].dt.date for name in columns]
    return [
        PublishedDate(direction, day, *sorted(bounds))
        for direction, day, *bounds in zip(table.direction, *days, strict=True)
    ]
