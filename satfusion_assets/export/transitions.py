"""Transition dates in the columns of PhenoCam's own files, for the programs that read those."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from satfusion_assets.phenology.series import EPOCH, PERCENTS, Season, TransitionDate

COLUMNS: Final = (
    "sitename", "veg_type", "roi_id", "direction", "gcc_value",
    *(f"transition_{percent}" for percent in PERCENTS),
    *(f"transition_{percent}_lower_ci" for percent in PERCENTS),
    *(f"transition_{percent}_upper_ci" for percent in PERCENTS),
    *(f"threshold_{percent}" for percent in PERCENTS),
    "min_gcc", "max_gcc",
)  # fmt: skip
"""Those of PhenoCam's dataset (Richardson et al. 2018, Sci. Data 5, 180028), in its order."""
_MISSING: Final = "NA"


@dataclass(frozen=True)
class DatedSeries:
    """A series whose seasons are dated. region: what stands for the region of interest: its number, or the scenario.
    value: what of the greenness is dated (gcc_90, gcc)."""

    site: str
    vegetation: str
    region: str
    value: str
    seasons: Sequence[Season]


def transition_csv(series: Iterable[DatedSeries], sources: Iterable[str] = ()) -> str:
    """One row for each rise and each fall; what the archives say of their data in front, behind ``#``.

    The lower end of an interval is the earlier day, in falls as well. A date or number that there is none of is NA.
    """
    heads = [f"# Data: {' '.join(text.split())}" for text in sources]
    rows = [",".join(row.get(name, _MISSING) for name in COLUMNS) for one in series for row in _rows(one)]
    return "\n".join([*heads, ",".join(COLUMNS), *rows, ""])


def _rows(series: DatedSeries) -> Iterable[dict[str, str]]:
    for direction in ("rising", "falling"):
        for season in series.seasons:
            dates, base = (
                (season.rising, season.base_before) if direction == "rising" else (season.falling, season.base_after)
            )
            yield {
                "sitename": series.site,
                "veg_type": series.vegetation or _MISSING,
                "roi_id": series.region,
                "direction": direction,
                "gcc_value": series.value,
                **_dates(dates),
                **{
                    f"threshold_{percent}": _number(base + percent / 100 * (season.peak - base)) for percent in PERCENTS
                },
                "min_gcc": _number(base),
                "max_gcc": _number(season.peak),
            }


def _dates(found: Mapping[int, TransitionDate]) -> dict[str, str]:
    days = {
        f"transition_{percent}{ending}": day
        for percent, at in found.items()
        for ending, day in (("", at.day), ("_lower_ci", at.lower), ("_upper_ci", at.upper))
    }
    return {
        name: _MISSING if math.isnan(day) else str(EPOCH + timedelta(days=round(day))) for name, day in days.items()
    }


def _number(value: float) -> str:
    return f"{value:.5f}" if math.isfinite(value) else _MISSING
