"""The constants of the kriging model: given, learned, or the documented defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.detail import Detail
from satfusion_assets.fusion.kriging.surface_filter import SurfaceFilter

Array = NDArray[np.float64]

LEAST_SCENES: Final = 6
"""Days with scenes from which drift, correlation and scene effects are learned; with fewer the defaults hold."""

GAIN: Final = 0.5
GAIN_WIDTH: Final = 0.7
GAIN_SPREAD: Final = 0.7
"""The drift before any scene has spoken, its mean over the pixels (known to ``GAIN_WIDTH``) and their spread about it:
a pixel may follow its coarse cell, lag behind it, or not at all."""
GAIN_BOUNDS: Final = (0.0, 1.0)
"""A coarse pixel is the mean of its fine ones: over all pixels the gain is 1 at most, less where the series is
noisy."""
CORRELATION_DAYS: Final = 60.0
"""L where too few scenes tell: a season's quarter."""
NOISE_SHARE: Final = 0.15
"""Standard deviation of a pixel's value as a share of that of r, where too few scenes tell."""
FREEDOM: Final = 4.0
"""Degrees of freedom of values about the others' prediction: the usual choice of robust regression (Lange et al.
1989)."""
KINDS: Final = (1 / 64, 1 / 8, 1.0, 8.0)
"""Factors of the variance of r: pixels that hardly change (water, roofs) to those that are mown and ploughed."""


@dataclass(frozen=True)
class Hyperparameters:
    """The model ``F = m + g c + r``, ``y_i = F(t_i) + h_i + k_i (m - m0) + e_i``, per band.

    gain, gain_spread: (b,) of g. variance: (b,) of r. correlation_days: (b,) L. kinds: (k,) factors of the variance
    that pixels may have; shares: (b, k) their prior probabilities. noise: (n, b) variance of e_i. offset: (n, b) h_i.
    contrast: (n, b) k_i, about the level centre (b,) m0 of the sample.
    offset_covariance: (n, b, n, b) of the error of h. season_factor: (n, b) by which the variance of a pixel's own
    error about a scene's day differs from what the model states. Scenes in the order given. freedom: of the Student t
    of e_i, infinite = Gaussian. band_correlation: (b, b) of errors at one pixel. smoothing_days: of the coarse series.
    scenes: days with scenes that were learned from, 0 = nothing was. detail: of bands seen with larger pixels, None =
    there are none, or it is left as it is. surface: of the coarse series, None = its bands are taken as they are.
    """

    gain: Array
    gain_spread: Array
    variance: Array
    correlation_days: Array
    kinds: Array
    shares: Array
    noise: Array
    offset: Array
    contrast: Array
    centre: Array
    offset_covariance: Array
    season_factor: Array
    freedom: float
    band_correlation: Array
    smoothing_days: float
    scenes: int = 0
    detail: Detail | None = None
    surface: SurfaceFilter | None = None


def per_band(value: Any, name: str, bands: int, *, positive: bool = False) -> Array:
    """``value`` (number or (b,)) as (b,); ValueError names the argument."""
    array = np.asarray(value, np.float64)
    if array.shape not in ((), (bands,)):
        raise ValueError(f"{name} must be a number or have one for each of {bands} bands, not shape {array.shape}.")
    if np.isnan(array).any() or (positive and not (array > 0).all()):
        raise ValueError(f"{name} must be {'positive' if positive else 'a number'}, not {value}.")
    return np.broadcast_to(array, (bands,)).copy()


def per_scene(value: Any, name: str, scenes: int, bands: int, *, positive: bool = False) -> Array:
    """``value`` (number, (b,), (n, 1) or (n, b)) as (n, b); ValueError names the argument."""
    array = np.asarray(value, np.float64)
    if array.shape not in ((), (bands,), (scenes, 1), (scenes, bands)):
        raise ValueError(
            f"{name} must be a number, one for each of {bands} bands, or ({scenes}, {bands}) for scenes and bands, "
            f"not shape {array.shape}."
        )
    if np.isnan(array).any() or (positive and not (array > 0).all()):
        raise ValueError(f"{name} must be {'positive' if positive else 'a number'}, not {value}.")
    return np.broadcast_to(array, (scenes, bands)).copy()
