"""Bidirectional reflectance: the RossThick-LiSparse-Reciprocal model with published weights.

Kernels: Lucht, Schaaf and Strahler 2000, IEEE TGRS 38, 977-998, equations 37-44 (h/b = 2, b/r = 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from satfusion_assets.sandbox.geometry import FloatArray

WEIGHTS: Final = {
    "coastal": (0.0774, 0.0079, 0.0372),
    "blue": (0.0774, 0.0079, 0.0372),
    "green": (0.1306, 0.0178, 0.0580),
    "red": (0.1690, 0.0227, 0.0574),
    "rededge1": (0.2085, 0.0256, 0.0845),
    "rededge2": (0.2316, 0.0273, 0.1003),
    "rededge3": (0.2599, 0.0294, 0.1197),
    "nir": (0.3093, 0.0330, 0.1535),
    "nir08": (0.3093, 0.0330, 0.1535),
    "nir09": (0.3093, 0.0330, 0.1535),
    "swir16": (0.3430, 0.0453, 0.1154),
    "swir22": (0.2658, 0.0387, 0.0639),
}
"""Isotropic, geometric and volumetric weight per band: global means of the MODIS product (Roy et al. 2016, Remote Sens.
Environ. 176, 255-271, table 5; red edge: Roy et al. 2017, Remote Sens. Environ. 199, 25-38). The coastal band has
blue's, the infrared ones NIR's."""
REFERENCE_SUN: Final = 45.0
"""Solar zenith, with a view from nadir, at which the factor is one: what the landscape calls its reflectance."""


def kernels(sun_zenith: float, view_zenith: float, relative_azimuth: float) -> tuple[float, float]:
    """(volumetric, geometric) kernel at angles in degrees; both are zero with sun and sensor overhead."""
    sun, view, azimuth = np.radians([sun_zenith, view_zenith, relative_azimuth])
    phase = np.arccos(np.clip(_cosine(sun, view, azimuth), -1, 1))
    volume = ((np.pi / 2 - phase) * np.cos(phase) + np.sin(phase)) / (np.cos(sun) + np.cos(view)) - np.pi / 4
    # With b/r = 1 the primed angles are the angles themselves.
    secants = 1 / np.cos(sun) + 1 / np.cos(view)
    distance = np.tan(sun) ** 2 + np.tan(view) ** 2 - 2 * np.tan(sun) * np.tan(view) * np.cos(azimuth)
    across = (np.tan(sun) * np.tan(view) * np.sin(azimuth)) ** 2
    overlap = np.arccos(np.clip(2 * np.sqrt(max(distance, 0.0) + across) / secants, -1, 1))
    shared = (overlap - np.sin(overlap) * np.cos(overlap)) * secants / np.pi
    lit = (1 + np.cos(phase)) / (2 * np.cos(sun) * np.cos(view))
    return float(volume), float(shared - secants + lit)


def factors(bands: Sequence[str], sun_zenith: float, view_zenith: float, relative_azimuth: float) -> FloatArray:
    """(bands,): reflectance at these angles over that seen from nadir with the sun at ``REFERENCE_SUN``."""
    here = _reflectance(bands, *kernels(min(sun_zenith, 80.0), view_zenith, relative_azimuth))
    return (here / _reflectance(bands, *kernels(REFERENCE_SUN, 0.0, 0.0))).astype(np.float32)


def coarse_view(offset: float, half_swath_km: float) -> tuple[float, float]:
    """(zenith, azimuth from the ground) in degrees of Sentinel-3, seen from ``offset`` half swaths east of its track.

    From an orbit of 814.5 km over a round Earth; a track that descends has its sensor to the west-north-west of what
    lies east of it.
    """
    height, radius = 814.5, 6371.0
    centre = abs(offset) * half_swath_km / radius
    nadir = np.arctan2(radius * np.sin(centre), height + radius * (1 - np.cos(centre)))
    return float(np.degrees(nadir + centre)), 285.0 if offset >= 0 else 105.0


def _reflectance(bands: Sequence[str], volume: float, geometry: float) -> np.ndarray:
    weights = np.array([WEIGHTS[band] for band in bands])
    return np.asarray(weights @ np.array([1.0, geometry, volume]))


def _cosine(sun: float, view: float, azimuth: float) -> float:
    return float(np.cos(sun) * np.cos(view) + np.sin(sun) * np.sin(view) * np.cos(azimuth))
