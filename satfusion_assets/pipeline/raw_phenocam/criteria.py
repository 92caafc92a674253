"""What good means for the camera's series."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from satfusion_assets.pipeline.criteria import Criterion, Judged, Verdict, mostly, rounded
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC

GCC_RANGE: Final = (0.2, 0.7)


FEWEST_CAMERA_DAYS: Final = 60


def camera_series(judged: Judged) -> Verdict:
    """Days come once and in order, and only single ones have a greenness that no plant has."""
    rows = judged.view.read_json(f"{PHENOCAM_GCC}.json")
    disorder = [
        {"date": row["date"], "why": "comes twice or out of order"}
        for earlier, row in pairwise(rows)
        if earlier["date"] >= row["date"]
    ]
    greenness = {row["date"]: row["greenness_index"] for row in rows}
    odd = [
        {"date": day, "why": f"greenness {value} is outside {GCC_RANGE}"}
        for day, value in greenness.items()
        if value is None or not GCC_RANGE[0] <= value <= GCC_RANGE[1]
    ]
    values = [value for value in greenness.values() if value is not None]
    amplitude = rounded(np.percentile(values, 95) - np.percentile(values, 5)) if values else float("nan")
    found = mostly(disorder + odd, len(rows), "days", {"days": len(rows), "amplitude": amplitude})
    return replace(found, passed=found.passed and not disorder)


def camera_coverage(judged: Judged) -> Verdict:
    days = len(judged.view.read_json(f"{PHENOCAM_GCC}.json"))
    pictures = len(judged.view.names("raw/phenocam/*.jpg"))
    says = f"{days} usable days and {pictures} midday pictures (at least {FEWEST_CAMERA_DAYS} days are wanted)."
    return Verdict(days >= FEWEST_CAMERA_DAYS, says, {"days": days, "pictures": pictures})


CRITERIA: Final = (
    Criterion(
        "series",
        "The camera's greenness is a plant's on nearly all days, one value a day, in order.",
        camera_series,
        True,
    ),
    Criterion("coverage", "There are enough usable days to score against.", camera_coverage, False),
)
