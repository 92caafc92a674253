"""What good means for the camera's series."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, mostly, rounded
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_ROIS

GCC_RANGE: Final = (0.2, 0.7)


FEWEST_CAMERA_DAYS: Final = 60


MOST_PICTURES_LOST: Final = 0.1


SINGLE_PICTURES: Final = 3


def camera_series(checked: CheckedProduct) -> Verdict:
    """Days come once and in order, and only single ones have a greenness that no plant has."""
    import numpy as np

    rows = checked.view.read_json(f"{PHENOCAM_GCC}.json")
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


def camera_coverage(checked: CheckedProduct) -> Verdict:
    days = len(checked.view.read_json(f"{PHENOCAM_GCC}.json"))
    pictures = len(checked.view.names("raw/phenocam/*.jpg"))
    listed = len(checked.view.read_json(PHENOCAM_ROIS)["pictures"])
    says = (
        f"{days} usable days (at least {FEWEST_CAMERA_DAYS} are wanted) and {pictures} of {listed} listed midday "
        f"pictures (at most {MOST_PICTURES_LOST:.0%} may be missing)."
    )
    enough = days >= FEWEST_CAMERA_DAYS and listed - pictures <= max(SINGLE_PICTURES, MOST_PICTURES_LOST * listed)
    return Verdict(enough, says, {"days": days, "pictures": pictures, "pictures_listed": listed})


CRITERIA: Final = (
    Criterion(
        "series",
        "The camera's greenness is a plant's on nearly all days, one value a day, in order.",
        camera_series,
        True,
    ),
    Criterion(
        "coverage",
        "There are enough usable days to score against, and nearly all pictures that the archive lists.",
        camera_coverage,
        False,
    ),
)
