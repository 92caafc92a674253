"""How wrong each clear scene is, told by the others.

What atmospheric correction leaves behind is much the same all over a small site: thin haze adds reflectance, too thick
an aerosol takes some away, and either moves every pixel of the scene, the dark ones most, since an index of ratios
divides by their brightness. One standard deviation of reflectance per scene says it, found from the departures from
each pixel's smooth course (iteratively reweighted; the departure's expected share of the error is one minus leverage).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.indices import gcc
from satfusion_assets.processing.phenology.smoothing import weighted_curves
from satfusion_assets.scenarios import BANDS

Days = NDArray[np.datetime64]
Values = NDArray[np.floating]

VISIBLE: Final = tuple(BANDS.index(band) for band in ("blue", "green", "red"))

SNOW_BRIGHTNESS: Final = 0.10
"""Blue reflectance above the pixel's own clear level from which it is snow or cloud: bare soil adds half of that."""
CLEAR_QUANTILE: Final = 0.25
"""Of a pixel's blue values: its clear level."""
LEAST_BRIGHTNESS: Final = 0.01
"""Sum of the visible bands below which GCC means nothing more."""
LEAST_ERROR: Final = 1e-4
"""Reflectance of 16-bit data."""
LAMBDA: Final = 400.0
"""Smoothing parameter of the course that scenes depart from [d^2 per scene of usual error]. It lags where a whole site
turns within days, which counts as error of the scenes: they err on the side of width."""
ITERATIONS: Final = 8
SAMPLE: Final = 1200
"""Pixels that errors are learned from."""
LEAST_SCENES: Final = 10
"""Fewer scenes of a pixel say nothing of each other."""
LEAST_FREE: Final = 0.05
"""Share of its error below which a departure says nothing: the course goes through it."""
MEDIAN_OF_SQUARES: Final = 0.455
"""Of a standard normal."""


class Scenes(NamedTuple):
    """Clear scenes in the order of days. days: (n,). gcc, brightness: (n, m) of m pixels, NaN = not clear or snow; the
    latter is the sum of the visible bands."""

    days: Days
    gcc: NDArray[np.float64]
    brightness: NDArray[np.float64]


def clear_scenes(days: Days, bands: Values) -> Scenes:
    """Scenes without snow. days: (n,) in any order; bands: (n, 4, H, W) in the order of BANDS."""
    order = np.argsort(days)
    pixels = bands.shape[2] * bands.shape[3]
    blue, green, red = (bands[order, band].reshape(len(days), pixels).astype(np.float64) for band in VISIBLE)
    usable = np.isfinite(blue + green + red) & (blue <= _clear_level(blue) + SNOW_BRIGHTNESS)
    index = np.where(usable, gcc(blue, green, red), np.nan)
    brightness = np.maximum(blue + green + red, LEAST_BRIGHTNESS)
    return Scenes(days[order], index, np.where(np.isfinite(index), brightness, np.nan))


def scene_errors(scenes: Scenes) -> NDArray[np.float64]:
    """(n,) standard deviation of each scene's additive error [reflectance]; the median where nothing tells."""
    seen = np.isfinite(scenes.gcc)
    told = np.flatnonzero(seen.sum(axis=0) >= LEAST_SCENES)
    if not told.size:
        return np.full(len(scenes.days), LEAST_ERROR)
    pixels = told[:: -(-told.size // SAMPLE)]
    index, brightness, seen = (array[:, pixels] for array in (scenes.gcc, scenes.brightness, seen))
    place = (scenes.days - scenes.days[0]).astype(np.int64)
    usual = np.nanmedian(brightness, axis=0)
    weight, series = (np.zeros((pixels.size, int(place[-1]) + 1)) for _ in range(2))
    variance = np.ones(len(place))
    for _ in range(ITERATIONS):
        typical = float(np.median(variance))
        relative = typical / variance[:, None] * (brightness / usual) ** 2
        # Two scenes of one day would share its place; days are merged before they come here.
        weight[:, place], series[:, place] = np.where(seen, relative, 0.0).T, np.nan_to_num(index).T
        course = weighted_curves(series, weight, LAMBDA, np.ones(pixels.size))
        free = np.maximum(1.0 - course.information[:, place].T, LEAST_FREE)
        squares = np.square((index - course.value[:, place].T) * brightness) / free
        variance = np.array([_middle(row) for row in squares])
        variance = np.where(np.isnan(variance), np.nanmedian(variance), np.maximum(variance, LEAST_ERROR**2))
    return np.sqrt(variance)


def _middle(squares: NDArray[np.float64]) -> float:
    """The variance that the median square stands for; NaN without any."""
    known = squares[np.isfinite(squares)]
    return float(np.median(known)) / MEDIAN_OF_SQUARES if known.size else np.nan


def _clear_level(blue: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) usual blue reflectance of each pixel without cloud or snow; infinite where nothing is seen."""
    seen = np.isfinite(blue).any(axis=0)
    level = np.full(blue.shape[1], np.inf)
    level[seen] = np.nanquantile(blue[:, seen], CLEAR_QUANTILE, axis=0)
    return level
