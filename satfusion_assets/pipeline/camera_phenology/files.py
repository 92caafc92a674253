"""Where the camera's dates lie below a site-season."""

from __future__ import annotations

from typing import Final

PHENOCAM_PHENOLOGY: Final = "raw/phenocam/phenocam_phenology.json"


CAMERA_DATES: Final = "raw/phenocam/camera_dates.json"
"""The camera's dates with their intervals, in the shape of ``PhenologyLayout.site``."""
