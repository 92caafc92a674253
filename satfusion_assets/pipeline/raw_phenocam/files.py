"""Where the camera's series and pictures lie below a site-season."""

from __future__ import annotations

from datetime import date
from typing import Final

from satfusion_assets.vocabulary.days import stamp

PHENOCAM_ROIS: Final = "raw/phenocam/rois.json"


PHENOCAM_GCC: Final = "raw/phenocam/phenocam_gcc"


PHENOCAM_GCC_3Y: Final = "raw/phenocam/phenocam_gcc_3y.json"


PHENOCAM_REGIONS: Final = "raw/phenocam/phenocam_gcc_regions.json"


def camera_picture(day: date) -> str:
    return f"raw/phenocam/{stamp(day)}.jpg"
