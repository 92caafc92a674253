"""STARFM (Gao et al. 2006, IEEE Trans. Geosci. Remote Sens. 44, 2207), written from the paper, as a competitor.

The prediction at a fine pixel is a weighted mean, over the spectrally similar pixels i of a window around it and over
the base pairs k (a fine and a coarse image of one day), of ``M_i(t0) + L_i(tk) - M_i(tk)`` (their eq. 7), with L the
fine and M the coarse image on the fine grid. Weights are ``1 / C``, normalised,
``C = ln(S B + 1) ln(T B + 1) D`` (eq. 13) from the spectral difference ``S = |L_i(tk) - M_i(tk)|`` (eq. 8), the
temporal difference ``T = |M_i(tk) - M_i(t0)|`` (eq. 9) and the distance ``D = 1 + d / A`` (eq. 10). Similar pixels
differ from the centre by at most twice the image's standard deviation over the number of classes; pixels that
promise less than the centre itself are dropped (eqs. 15, 16, with the sensors' uncertainties).

Base pairs are the nearest scenes before and after the predicted day. The coarse image of a day is interpolated in time
between the composites around it and bilinearly onto the fine grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy.ndimage import zoom

from satfusion_assets.evaluation.gaps.competitors import LINEAR, Prediction
from satfusion_assets.fusion.season import Days, Float32Array, SeasonStack

CLASSES: Final = 4
"""Expected number of land-cover classes (m in the paper)."""
SCALE: Final = 10_000.0
"""B: reflectance is taken in ten-thousandths inside the logarithms."""
FINE_SD: Final = (0.002, 0.002, 0.002, 0.005)
COARSE_SD: Final = (0.002, 0.002, 0.002, 0.005)
"""Uncertainty of reflectance, visible and near infrared, as in the paper's section III."""
MIN_CLEAR_SHARE: Final = 0.5
"""A base scene has at least this share of its pixels clear."""


@dataclass(frozen=True)
class Starfm:
    """half_window: reach of the search in fine pixels (the window is 2 * half_window + 1 wide)."""

    half_window: int = 20
    name: str = "starfm"
    reach: int = 2

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        shape = (len(days), *stack.fine.shape[1:])
        values = np.full(shape, np.nan, dtype=np.float32)
        usable = np.flatnonzero(stack.clear.mean(axis=(1, 2)) >= MIN_CLEAR_SHARE)
        coarse = _Coarse(stack)
        for number, day in enumerate(days):
            base = _base_scenes(stack.fine_days, usable, day)
            if not base.size:
                continue
            target = coarse.on(day)
            pairs = np.stack([coarse.on(stack.fine_days[k]) for k in base])
            for band in range(shape[1]):
                values[number, band] = _predict_band(
                    stack.fine[base, band], pairs[:, band], target[band], band, self.half_window
                )
        return Prediction(values)


class _Coarse:
    """Coarse images on the fine grid, by day, each made once."""

    def __init__(self, stack: SeasonStack) -> None:
        self._stack = stack
        self._images: dict[np.datetime64, Float32Array] = {}

    def on(self, day: np.datetime64) -> Float32Array:
        if day not in self._images:
            stack = self._stack
            image = LINEAR.fill(stack.coarse, stack.coarse_days, np.array([day]))[0]
            ratio = stack.ratio
            self._images[day] = zoom(image, (1, ratio, ratio), order=1, mode="nearest", grid_mode=True)
        return self._images[day]


def _base_scenes(days: Days, usable: npt.NDArray[np.intp], day: np.datetime64) -> npt.NDArray[np.intp]:
    before, after = usable[days[usable] < day], usable[days[usable] > day]
    return np.concatenate([before[-1:], after[:1]])


def _predict_band(
    fine: Float32Array, coarse: Float32Array, target: Float32Array, band: int, half_window: int
) -> Float32Array:
    """One band (H, W) from base pairs ``fine`` and ``coarse`` (k, H, W) and the day's coarse image (H, W)."""
    spectral, temporal = np.abs(fine - coarse), np.abs(coarse - target)
    cost = np.log(spectral * SCALE + 1) * np.log(temporal * SCALE + 1)
    # The paper gives full weight to a pair without any difference; a floor does the same and keeps weights finite.
    weight = (1 / np.maximum(cost, 1e-3)).astype(np.float32)
    tolerance = 2 * np.nanstd(fine, axis=(1, 2)) / CLASSES
    # A neighbour must promise more than the centre does, within what both sensors' noise can make of it.
    spectral_limit = np.fmax.reduce(spectral) + np.hypot(FINE_SD[band], COARSE_SD[band])
    temporal_limit = np.fmax.reduce(temporal) + np.hypot(COARSE_SD[band], COARSE_SD[band])
    span = np.arange(-half_window, half_window + 1)
    nearness = 1 / (1 + np.hypot(span[:, None], span[None, :]) / max(half_window, 1))
    candidates = Candidates(fine, target + fine - coarse, weight, spectral, temporal)
    return _weighted_mean(candidates, spectral_limit, temporal_limit, tolerance, nearness.astype(np.float32))


class Candidates(NamedTuple):
    """What a neighbour brings, each (k, H, W): its value, its estimate of the centre, weight and differences."""

    fine: Float32Array
    estimate: Float32Array
    weight: Float32Array
    spectral: Float32Array
    temporal: Float32Array


@njit(cache=True, nogil=True, parallel=True)
def _weighted_mean(candidates: Any, spectral_limit: Any, temporal_limit: Any, tolerance: Any, nearness: Any) -> Any:
    fine, estimate, weight, spectral, temporal = candidates
    pairs, height, width = fine.shape
    half = nearness.shape[0] // 2
    out = np.full((height, width), np.nan, dtype=np.float32)
    for row in prange(height):
        for col in range(width):
            total, norm = 0.0, 0.0
            for k in range(pairs):
                centre = fine[k, row, col]
                for i in range(max(row - half, 0), min(row + half + 1, height)):
                    for j in range(max(col - half, 0), min(col + half + 1, width)):
                        # Comparisons with a missing value are false, so a masked pixel is no candidate.
                        similar = abs(fine[k, i, j] - centre) <= tolerance[k]
                        better = spectral[k, i, j] < spectral_limit[row, col]
                        if similar and better and temporal[k, i, j] < temporal_limit[row, col]:
                            w = weight[k, i, j] * nearness[i - row + half, j - col + half]
                            total += w * estimate[k, i, j]
                            norm += w
            if norm > 0:
                out[row, col] = total / norm
    return out
