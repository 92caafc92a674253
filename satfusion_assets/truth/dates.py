"""Transition dates of every pixel against the true ones of a landscape that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.phenology import TRANSITIONS, PhenologyMaps

LEAST_SEASON: Final = 0.04
"""True GCC amplitude from which a pixel is expected to have dates; below half of it, to have none."""


@dataclass(frozen=True)
class TrueSeason:
    """dates: (6, H, W) days of year as in ``TRANSITIONS``, NaN = none. amplitude: (H, W) of the year's GCC."""

    dates: npt.NDArray[np.floating]
    amplitude: npt.NDArray[np.floating]


def date_rows(
    series: str, maps: PhenologyMaps, truth: TrueSeason, percents: Sequence[int] = (50,)
) -> Iterator[dict[str, Any]]:
    """One row per date of ``percents``: errors in days (found minus true) over pixels with a season; None without any.

    ``dated``: share of these pixels with a date; ``invented``: share of the pixels without a season that have one.
    """
    seasonal, flat = truth.amplitude >= LEAST_SEASON, truth.amplitude < LEAST_SEASON / 2
    for number, transition in enumerate(TRANSITIONS):
        if int(transition.split("_")[1]) not in percents:
            continue
        true, found = truth.dates[number], maps.day_of_year[number]
        scored = seasonal & np.isfinite(true) & np.isfinite(found)
        error, lower, upper = ((layer[number] - true)[scored] for layer in (maps.day_of_year, maps.lower, maps.upper))
        some = error.size > 0
        yield {
            "series": series,
            "date": transition.replace("_", " ") + " %",
            "median abs. error [d]": round(float(np.median(np.abs(error))), 1) if some else None,
            "bias [d]": round(float(np.median(error)), 1) if some else None,
            "dated": f"{scored.sum() / seasonal.sum():.0%}" if seasonal.any() else None,
            "invented": f"{np.isfinite(found)[flat].mean():.0%}" if flat.any() else None,
            "true date in the 95 % interval": f"{np.mean((lower <= 0) & (upper >= 0)):.0%}" if some else None,
            "median width [d]": round(float(np.median(upper - lower)), 0) if some else None,
        }
