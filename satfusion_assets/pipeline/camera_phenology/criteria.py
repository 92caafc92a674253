"""What good means for the camera's dates."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict


def camera_dates(checked: CheckedProduct) -> Verdict:
    """Both dates of the season are known and in order; a camera of an evergreen may honestly have none."""
    dates = checked.view.read_json(PHENOCAM_PHENOLOGY)
    up, down = dates["green_up_50pct_date"], dates["green_down_50pct_date"]
    season = checked.product.site_season
    inside = all(day is None or season.raw_start.isoformat() <= day <= season.raw_end.isoformat() for day in (up, down))
    says = f"Green-up {up or 'unknown'}, green-down {down or 'unknown'}."
    return Verdict(inside and up is not None and down is not None and up < down, says)


CRITERIA: Final = (
    Criterion("dates", "The camera's season has a green-up and a later green-down.", camera_dates, False),
)
