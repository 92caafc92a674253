"""Where the raw Sentinel-2 scenes lie below a site-season."""

from __future__ import annotations

from typing import Final

S2_SCENES: Final = "raw/s2/scenes.json"


def raw_scl(scene: str) -> str:
    """Scene classification of one Sentinel-2 scene, with the cloud margin around the site."""
    return f"raw/scl/{scene}.geotiff"
