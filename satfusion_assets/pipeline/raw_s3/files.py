"""Where the raw Sentinel-3 overpasses lie below a site-season."""

from __future__ import annotations

from typing import Final

S3_OVERPASSES: Final = "raw/s3/overpasses.json"
