"""Transition dates of every pixel against the true ones of a landscape that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.benchmark import quantities
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.phenology import SCENES, TRANSITIONS, PhenologyMaps, transition_maps
from satfusion_assets.pipeline.phenology.course import LEAST_AMPLITUDE, course_maps, drawn_course

LEAST_SEASON: Final = 0.04
"""True GCC amplitude from which a pixel is expected to have dates; below half of it, to have none."""
FAR_DAYS: Final = 15
"""An error beyond this many days has the wrong half of a month."""
FAR: Final = f"more than {FAR_DAYS} d off"


@dataclass(frozen=True)
class TrueSeason:
    """dates: (6, H, W) days of year as in ``TRANSITIONS``, NaN = none. amplitude: (H, W) of the year's GCC."""

    dates: npt.NDArray[np.floating]
    amplitude: npt.NDArray[np.floating]


def date_rows(
    series: str, maps: PhenologyMaps, truth: TrueSeason, percents: Sequence[int] = (50,)
) -> Iterator[dict[str, Any]]:
    """One row per date of ``percents``: errors in days (found minus true) over pixels with a season; None without any.

    ``FAR``: share of the errors beyond ``FAR_DAYS``. ``dated``: share of these pixels with a date; ``invented``: share
    of the pixels without a season that have one.
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
            FAR: f"{np.mean(np.abs(error) > FAR_DAYS):.0%}" if some else None,
            "dated": f"{scored.sum() / seasonal.sum():.0%}" if seasonal.any() else None,
            "invented": f"{np.isfinite(found)[flat].mean():.0%}" if flat.any() else None,
            "true date in the 95 % interval": f"{np.mean((lower <= 0) & (upper >= 0)):.0%}" if some else None,
            "median width [d]": round(float(np.median(upper - lower)), 0) if some else None,
        }


DATES: Final = tuple(n for n, name in enumerate(TRANSITIONS) if name.endswith("_50"))


def error_rows(strategy: str, series: str, maps: PhenologyMaps, truth: TrueSeason) -> Iterator[dict[str, Any]]:
    """The same in numbers, for tables over many landscapes: one row per 50 % date, errors in days.

    median, p90: of the absolute error. far: share of errors beyond ``FAR_DAYS``. dated: share of the pixels with a
    season that have the date. covered: share of the dates whose 95 % interval holds the true one.
    """
    seasonal = truth.amplitude >= LEAST_SEASON
    for number in DATES:
        true, found = truth.dates[number], maps.day_of_year[number]
        expected = seasonal & np.isfinite(true)
        scored = expected & np.isfinite(found)
        if not scored.any():
            continue
        error = np.abs(found - true)[scored]
        inside = (maps.lower[number] <= true) & (true <= maps.upper[number])
        yield {
            "strategy": strategy,
            "series": series,
            "date": TRANSITIONS[number],
            "n": int(scored.sum()),
            "median": float(np.median(error)),
            "p90": float(np.quantile(error, 0.9)),
            "far": float(np.mean(error > FAR_DAYS)),
            "dated": float(scored.sum() / expected.sum()),
            "covered": float(inside[scored].mean()),
        }


ALONE_SERIES: Final = "sentinel2_alone"
HALO: Final = 1
"""Coarse pixels around the site's own whose dates are judged in a population: a third of a site says the same."""


def season_error_rows(
    stack: SeasonStack, truth: TrueSeason, year: int, days: Days, fusions: Sequence[Fusion]
) -> Iterator[dict[str, Any]]:
    """Dates of Sentinel-2 alone, and of each fusion as the platform's maps have them, drawn to its clear scenes.

    truth: of the stack's pixels. days: every day of the season. Only the middle is judged. What the smoothing makes
    of the clear scenes by themselves is Sentinel-2 alone.
    """
    height, width = stack.fine.shape[2:]
    part, row, column = stack.around(height // 2, width // 2, HALO)
    rows, columns = (
        slice(middle - place, middle - place + side)
        for middle, place, side in zip((height // 2, width // 2), (row, column), part.fine.shape[2:], strict=True)
    )
    known = TrueSeason(truth.dates[:, rows, columns], truth.amplitude[rows, columns])
    strategy = str(fusions[0].scenario.strategy)
    maps = transition_maps(part.fine_days, part.gcc.fine[:, 0], year, SCENES, least_amplitude=LEAST_AMPLITUDE)
    yield from error_rows(strategy, ALONE_SERIES, maps, known)
    for fusion in fusions:
        gcc = quantities(fusion.predict(part, days))["gcc"]
        course = drawn_course(days, gcc, part, fusion.scenario)
        yield from error_rows(strategy, fusion.name, course_maps(course, year), known)
