"""Spectral signatures of the land covers: reflectance of the ground when dormant, green and senescent.

Values are typical bottom-of-atmosphere reflectances of central wavelengths 443 ... 2190 nm, rounded from published
spectral libraries' ranges; they are plausible, not measured. Column order is ``BANDS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

BANDS: Final = (
    "coastal",
    "blue",
    "green",
    "red",
    "rededge1",
    "rededge2",
    "rededge3",
    "nir",
    "nir08",
    "nir09",
    "swir16",
    "swir22",
)
"""Sentinel-2 bands by Earth Search's asset key, B01 ... B12 without B10."""

WAVELENGTHS: Final = np.array([443, 490, 560, 665, 704, 740, 783, 842, 865, 945, 1610, 2190], np.float64)
"""Central wavelengths of ``BANDS`` in nm."""

FUSED: Final = ("blue", "green", "red", "nir08")
"""The four bands that the platform is about: B02 B03 B04 B8A."""


class Cover(IntEnum):
    """Land-cover classes of the landscape."""

    GRASS = 0
    BROADLEAF = 1
    CONIFER = 2
    CROP = 3
    WETLAND = 4
    WATER = 5
    BUILT = 6
    BARE = 7


_DORMANT: Final = {
    Cover.GRASS: (0.050, 0.064, 0.088, 0.108, 0.130, 0.170, 0.190, 0.215, 0.230, 0.240, 0.290, 0.200),
    Cover.BROADLEAF: (0.038, 0.046, 0.060, 0.073, 0.092, 0.130, 0.150, 0.175, 0.190, 0.205, 0.220, 0.140),
    Cover.CONIFER: (0.018, 0.022, 0.036, 0.030, 0.058, 0.130, 0.160, 0.180, 0.195, 0.205, 0.095, 0.045),
    Cover.CROP: (0.062, 0.078, 0.105, 0.135, 0.155, 0.178, 0.195, 0.212, 0.228, 0.240, 0.330, 0.280),
    Cover.WETLAND: (0.040, 0.050, 0.066, 0.078, 0.098, 0.125, 0.140, 0.155, 0.165, 0.175, 0.190, 0.120),
    Cover.WATER: (0.050, 0.045, 0.040, 0.026, 0.020, 0.014, 0.012, 0.010, 0.009, 0.008, 0.004, 0.003),
    Cover.BUILT: (0.110, 0.130, 0.148, 0.160, 0.172, 0.190, 0.200, 0.212, 0.222, 0.230, 0.250, 0.225),
    Cover.BARE: (0.095, 0.115, 0.140, 0.165, 0.180, 0.195, 0.205, 0.218, 0.228, 0.238, 0.310, 0.285),
}
_GREEN: Final = {
    Cover.GRASS: (0.041, 0.051, 0.084, 0.062, 0.125, 0.300, 0.370, 0.395, 0.420, 0.430, 0.230, 0.120),
    Cover.BROADLEAF: (0.022, 0.028, 0.058, 0.032, 0.092, 0.300, 0.385, 0.410, 0.430, 0.440, 0.190, 0.080),
    Cover.CONIFER: (0.017, 0.021, 0.040, 0.027, 0.062, 0.165, 0.205, 0.230, 0.245, 0.255, 0.105, 0.048),
    Cover.CROP: (0.030, 0.038, 0.078, 0.044, 0.110, 0.330, 0.430, 0.465, 0.490, 0.500, 0.210, 0.100),
    Cover.WETLAND: (0.030, 0.037, 0.066, 0.046, 0.100, 0.220, 0.265, 0.285, 0.300, 0.310, 0.160, 0.085),
}
_SENESCENT: Final = {
    Cover.GRASS: (0.048, 0.062, 0.098, 0.112, 0.160, 0.240, 0.270, 0.290, 0.305, 0.315, 0.290, 0.190),
    Cover.BROADLEAF: (0.026, 0.034, 0.066, 0.078, 0.140, 0.240, 0.270, 0.295, 0.310, 0.320, 0.220, 0.120),
    Cover.CONIFER: (0.017, 0.021, 0.038, 0.028, 0.060, 0.150, 0.185, 0.205, 0.220, 0.230, 0.100, 0.047),
    Cover.CROP: (0.055, 0.072, 0.115, 0.140, 0.185, 0.250, 0.275, 0.295, 0.310, 0.320, 0.330, 0.240),
    Cover.WETLAND: (0.040, 0.050, 0.078, 0.086, 0.125, 0.185, 0.205, 0.220, 0.232, 0.240, 0.200, 0.125),
}
_SNOW: Final = (0.900, 0.880, 0.870, 0.850, 0.845, 0.830, 0.815, 0.795, 0.780, 0.680, 0.110, 0.120)

SNOW_BURIES: Final = np.array([1.0, 0.60, 0.35, 1.0, 0.90, 0.10, 0.65, 1.0], np.float32)
"""How much of each cover a full snow pack hides."""


def columns(bands: Sequence[str]) -> list[int]:
    """Columns of ``bands`` in the signature tables."""
    return [BANDS.index(band) for band in bands]


def endmembers(cover: Cover, bands: Sequence[str]) -> npt.NDArray[np.float32]:
    """(3, bands): dormant, green and senescent reflectance; covers without vegetation never leave the first."""
    rows = [_DORMANT[cover], _GREEN.get(cover, _DORMANT[cover]), _SENESCENT.get(cover, _DORMANT[cover])]
    return np.array(rows, np.float32)[:, columns(bands)]


def snow(bands: Sequence[str]) -> npt.NDArray[np.float32]:
    """(bands,): reflectance of settled snow."""
    return np.array(_SNOW, np.float32)[columns(bands)]
