"""Misregistration: where a scene says that its pixels lie, and where they lie."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from satfusion_assets.sandbox.geometry import Cells, FloatArray, generator

RMS_PIXELS: Final = 1 / 3
"""Root mean square of the distance by which a scene is off, in pixels of its sensor: Sentinel-2 is held to 0.3 pixels
between dates (95 %, Sentinel-2 Mission Requirements; met since the Global Reference Image, older products reach 1.2:
Gascon et al. 2017, Remote Sens. 9, 584), Sentinel-3 OLCI to 0.5 pixels of RMS (Sentinel-3 Mission Requirements
Traceability Document)."""
COARSE_OFFSETS: Final = 16
"""Sentinel-3 overpasses share so many different offsets, since each needs a point spread of its own in memory."""


def offset(pixel: float, *key: int | str) -> tuple[float, float]:
    """Metres east and north by which the scene of ``key`` is off, for a sensor with pixels of ``pixel`` metres."""
    east, north = generator(*key, "misregistration").normal(0, pixel * RMS_PIXELS / np.sqrt(2), 2)
    return float(east), float(north)


def displaced(values: FloatArray, cells: Cells, east: float, north: float) -> FloatArray:
    """Cell values as a scene shows them whose image lies ``east``, ``north`` metres from its place: bilinear.

    Of the outer cells of 60 m, which stand for themselves, nothing moves.
    """
    side = cells.core_size
    core = values[: side * side].reshape(side, side)
    moved = ndimage.shift(core, (-north / 10, east / 10), order=1, mode="nearest", prefilter=False)
    return np.concatenate([moved.ravel(), values[side * side :]]).astype(np.float32)
