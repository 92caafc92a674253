"""Names of raw rasters, the same for both sensors."""

from __future__ import annotations

from satfusion_assets.vocabulary.sources import Sensor


def raw_scene(sensor: Sensor, scene: str) -> str:
    """Raster of one raw scene or overpass, ``scene`` = ``20240131_0``."""
    return f"raw/{sensor}/{scene}.geotiff"
