"""Light on relief: what a slope gets of the sun, against flat ground, and what a ridge keeps from it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.sandbox.geometry import OUTER, STEP, Cells, FloatArray
from satfusion_assets.sandbox.signatures import BANDS, WAVELENGTHS

RAYLEIGH: Final = 0.00864
"""Optical depth of the molecules at 1 um and sea level, by the power -4.08 (Leckner 1978, Solar Energy 20, 143-150)."""
AEROSOL: Final = (0.1, 1.3)
"""Optical depth at 550 nm and Angstrom exponent of clear continental air (Angstrom 1964, Tellus 16, 64-75)."""
FORWARD: Final = (0.5, 0.9)
"""Share of the light scattered by molecules and by aerosol that goes on downwards."""
_LOWEST_SUN: Final = 8.0


def diffuse_share(band: str, elevation: float) -> float:
    """Part of the light on flat ground under a clear sky that does not come from the sun itself, 0 ... 1."""
    wavelength = float(WAVELENGTHS[BANDS.index(band)])
    rayleigh = RAYLEIGH * (wavelength / 1000) ** -4.08
    aerosol = AEROSOL[0] * (550 / wavelength) ** AEROSOL[1]
    mass = 1 / np.sin(np.radians(max(elevation, _LOWEST_SUN)))
    direct = np.exp(-(rayleigh + aerosol) * mass)
    scattered = (FORWARD[0] * rayleigh + FORWARD[1] * aerosol) / (rayleigh + aerosol) * (1 - direct)
    return float(scattered / (scattered + direct))


class Terrain:
    """Slopes and horizons of a site's cells, on a grid of 60 m."""

    def __init__(self, cells: Cells, height: FloatArray) -> None:
        """height: metres per cell."""
        side = cells.tile.size // OUTER
        self._height = cells.expand(height).reshape(side, OUTER, side, OUTER).mean(axis=(1, 3)).astype(np.float64)
        down, right = np.gradient(self._height, STEP)
        self._east, self._north = right, -down
        x, y = cells.coordinates
        self._row = np.clip((cells.tile.north - y) // STEP, 0, side - 1).astype(int)
        self._column = np.clip((x - cells.tile.west) // STEP, 0, side - 1).astype(int)

    def direct(self, elevation: float, azimuth: float) -> FloatArray:
        """(cells,): the sun's own light over that on flat ground; 0 in cast shadow and on slopes turned away.

        elevation, azimuth: of the sun in degrees.
        """
        height, bearing = np.radians(max(elevation, _LOWEST_SUN)), np.radians(azimuth)
        towards = np.sin(bearing) * self._east + np.cos(bearing) * self._north
        steepness = np.sqrt(1 + self._east**2 + self._north**2)
        lit = np.maximum((np.sin(height) - np.cos(height) * towards) / (steepness * np.sin(height)), 0)
        lit[self.shaded(max(elevation, _LOWEST_SUN), azimuth)] = 0
        return lit[self._row, self._column].astype(np.float32)

    def factor(self, band: str, elevation: float, azimuth: float) -> FloatArray:
        """(cells,): light of ``band`` on the cells over that on flat ground."""
        share = diffuse_share(band, elevation)
        return np.float32(share) + np.float32(1 - share) * self.direct(elevation, azimuth)

    def shaded(self, elevation: float, azimuth: float) -> npt.NDArray[np.bool_]:
        """(rows, columns) of 60 m: where other ground stands between it and the sun."""
        bearing, rise = np.radians(azimuth), STEP * np.tan(np.radians(elevation))
        rows, columns = np.mgrid[: self._height.shape[0], : self._height.shape[1]]
        shaded = np.zeros(self._height.shape, bool)
        steps = int(np.ptp(self._height) / rise) + 1
        for step in range(1, min(steps, self._height.shape[0]) + 1):
            row = np.rint(rows - step * np.cos(bearing)).astype(int)
            column = np.rint(columns + step * np.sin(bearing)).astype(int)
            inside = (row >= 0) & (row < rows.shape[0]) & (column >= 0) & (column < rows.shape[1])
            shaded[inside] |= self._height[row[inside], column[inside]] > self._height[inside] + step * rise
        return shaded
