"""How wrong each clear scene is, estimated from the others.

What atmospheric correction leaves behind is much the same all over a small site: thin haze adds reflectance, too thick
an aerosol takes some away, and either moves every pixel of the scene, the dark ones most, since an index of ratios
divides by their brightness. What blue shows of it is taken off (`veil`); one standard deviation of reflectance per
scene says how much is left, from the departures from each pixel's smooth course (`scene_variance`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.phenology.smoothing import Curves, weighted_curves
from satfusion_assets.vocabulary.indices import gcc
from satfusion_assets.vocabulary.scenarios import BANDS

Days = NDArray[np.datetime64]
Values = NDArray[np.floating]

VISIBLE: Final = tuple(BANDS.index(band) for band in ("blue", "green", "red"))

SNOW_BRIGHTNESS: Final = 0.10
"""Blue reflectance above the pixel's own clear level from which it is snow or cloud: bare soil adds half of that."""
CLEAR_QUANTILE: Final = 0.10
"""Of a pixel's blue values: its clear level, where nine in ten scenes at most show snow."""
LEAST_BRIGHTNESS: Final = 0.01
"""Sum of the visible bands below which GCC means nothing more."""
LEAST_ERROR: Final = 1e-4
"""Reflectance of 16-bit data."""
GCC_LAMBDA: Final = 400.0
"""Smoothing parameter of the course that scenes depart from [d^2 per scene of usual error]. It lags where a whole site
turns within days, which counts as error of the scenes: they err on the side of width."""
BLUE_LAMBDA: Final = 3000.0
"""The same of blue, which changes little with the season."""
FREEDOM: Final = 2.0
"""Degrees of freedom of the t distribution of the scenes' errors: a scene is a single draw, and some are far off."""
ITERATIONS: Final = 8
SAMPLE: Final = 1200
"""Pixels that errors are learned from."""
LEAST_SCENES: Final = 10
"""Fewer scenes of a pixel say nothing of each other."""
CHUNK: Final = 2000
"""Pixels worked on at a time: bounds the memory for daily curves."""
MEDIAN_OF_SQUARES: Final = 0.455
"""Of a standard normal."""


class Scenes(NamedTuple):
    """Clear scenes in the order of days. days: (n,). gcc, brightness: (n, m) of m pixels, NaN = not clear or snow; the
    latter is the sum of the visible bands."""

    days: Days
    gcc: NDArray[np.float64]
    brightness: NDArray[np.float64]


def clear_scenes(days: Days, bands: Values) -> Scenes:
    """Scenes without snow and veil. days: (n,) in any order; bands: (n, 4, H, W) in the order of BANDS."""
    order = np.argsort(days)
    pixels = bands.shape[2] * bands.shape[3]
    blue, green, red = (bands[order, band].reshape(len(days), pixels).astype(np.float64) for band in VISIBLE)
    usable = np.isfinite(blue + green + red) & (blue <= _clear_level(blue) + SNOW_BRIGHTNESS)
    over = veil(days[order], np.where(usable, blue, np.nan))
    brightness = np.maximum(blue + green + red - 3.0 * over, LEAST_BRIGHTNESS)
    index = np.where(usable, gcc(blue - over, green - over, red - over), np.nan)
    return Scenes(days[order], index, np.where(np.isfinite(index), brightness, np.nan))


def veil(days: Days, blue: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) reflectance that haze, thin cloud and patches of snow add to blue (n, m); below 0: that is missing.

    A veil is nearly white, so that it draws GCC to a third, and adds to blue what the pixel's course does not know.
    What a scene takes away is the same all over the site (a shadow, which dims all bands alike, is left in); what it
    adds may stand above that in any pixel. NaN where blue is.
    """
    if not np.isfinite(blue).any():
        return np.full(blue.shape, np.nan)
    variance = scene_variance(days, blue, np.ones_like(blue), BLUE_LAMBDA)
    weight = (np.median(variance) / variance)[:, None]
    excess = np.empty_like(blue)
    for start in range(0, blue.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        excess[:, part] = blue[:, part] - _courses(days, blue[:, part], weight, BLUE_LAMBDA).value
    seen = np.isfinite(excess).any(axis=1)
    usual = np.zeros((len(days), 1))
    usual[seen, 0] = np.nanmedian(excess[seen], axis=1)
    return np.maximum(excess, usual)


def scene_errors(scenes: Scenes) -> NDArray[np.float64]:
    """(n,) standard deviation of each scene's additive error [reflectance]; the usual one where nothing tells."""
    return np.sqrt(scene_variance(scenes.days, scenes.gcc, scenes.brightness, GCC_LAMBDA))


def scene_variance(
    days: Days, values: NDArray[np.float64], scale: NDArray[np.float64], lam: float
) -> NDArray[np.float64]:
    """(n,) variance of each scene's error: of values (n, m), NaN = not clear, about smooth courses, times scale (n, m).

    All pixels of a scene share most of its error, so that a scene is one draw however many pixels it shows: its
    variance is that of a t distribution given the draw (expectation and maximisation; Lange, Little and Taylor 1989,
    JASA 84, 881). A scene that stands alone, where the course goes through it, keeps the usual variance.
    """
    usable = np.flatnonzero(np.isfinite(values).sum(axis=0) >= LEAST_SCENES)
    if not usable.size:
        return np.full(len(days), LEAST_ERROR**2)
    pixels = usable[:: -(-usable.size // SAMPLE)]
    values, scale = values[:, pixels], scale[:, pixels]
    relative = np.square(scale / np.nanmedian(np.where(np.isfinite(values), scale, np.nan), axis=0))
    squares = np.square((values - _courses(days, values, relative, lam).value) * scale)
    usual = float(np.nanmedian([_middle(row) for row in squares]))
    variance = np.full(len(days), max(usual, LEAST_ERROR**2))
    for _ in range(ITERATIONS):
        course = _courses(days, values, relative * (np.median(variance) / variance)[:, None], lam)
        squares = np.square((values - course.value) * scale)
        known = np.where(np.isfinite(values), course.information, np.nan)
        draw = np.array([_middle(row) for row in squares]) + variance * np.array([_mean(row) for row in known])
        draw = np.where(np.isnan(draw), variance, draw)
        usual = max(usual * float(np.mean(draw / variance)), LEAST_ERROR**2)
        variance = (FREEDOM * usual + draw) / (FREEDOM + 1.0)
    return variance


def _courses(days: Days, values: NDArray[np.float64], weight: NDArray[np.float64], lam: float) -> Curves:
    """Smooth courses through values (n, m), NaN = missing, with weights (n, m) or (n, 1), at their days: each (n, m).

    Two values of one day would share its place; days are merged before they come here.
    """
    place = (days - days[0]).astype(np.int64)
    series, weights = (np.zeros((values.shape[1], int(place[-1]) + 1)) for _ in range(2))
    series[:, place] = np.nan_to_num(values).T
    weights[:, place] = np.where(np.isfinite(values), weight, 0.0).T
    curves = weighted_curves(series, weights, lam, np.ones(values.shape[1]))
    value, se, information = (part[:, place].T for part in curves[:3])
    return Curves(value, se, information, curves.noise)


def _middle(squares: NDArray[np.float64]) -> float:
    """The variance that the median square stands for; NaN without any."""
    known = squares[np.isfinite(squares)]
    return float(np.median(known)) / MEDIAN_OF_SQUARES if known.size else np.nan


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _clear_level(blue: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) usual blue reflectance of each pixel without cloud or snow; infinite where nothing is seen."""
    seen = np.isfinite(blue).any(axis=0)
    level = np.full(blue.shape[1], np.inf)
    level[seen] = np.nanquantile(blue[:, seen], CLEAR_QUANTILE, axis=0)
    return level
