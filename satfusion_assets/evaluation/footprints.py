"""Series read through a camera's footprint, on the camera's scale: Sentinel-3 alone, Sentinel-2 alone, and fused.

A camera's colours are its own, so a series is mapped to the target by bias and gain, fitted on the other fifths of the
season (``skill.calibrate``), and what is left is compared day by day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from satfusion_assets.evaluation.bootstrap import Bootstrap, interval, two_sided_p, weighted_scores
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
from satfusion_assets.evaluation.scores import Paired
from satfusion_assets.evaluation.skill import calibrate
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.sampling.footprint import read_footprints

FloatArray = npt.NDArray[np.float64]

COARSE: Final = tuple(f"sentinel3_{name}" for name in ("linear", "whittaker"))
"""Sentinel-3 alone: its composites, filled and smoothed by the same code as Sentinel-2's pixels."""
LEAST_DAYS: Final = 30
"""Common days below which two series are not compared."""


def readings(
    stack: SeasonStack, images: Mapping[str, npt.NDArray[np.floating]], days: Days, weights: csr_matrix
) -> dict[str, FloatArray]:
    """(p, k) GCC of every source in footprints (k, H * W) on ``days`` (p,): Sentinel-3 alone, and each of ``images``.

    images: (p, H, W) GCC of ``days`` by name.
    """
    coarse, found = stack.gcc, {}
    for method in PIXEL_METHODS:
        if f"sentinel3_{method.name}" in COARSE:
            cells = method.fill(coarse.coarse, coarse.coarse_days, days)[:, 0]
            found[f"sentinel3_{method.name}"] = read_footprints(spread(cells, stack.ratio), weights)
    return found | {name: read_footprints(gcc, weights) for name, gcc in images.items()}


def spread(cells: npt.NDArray[np.floating], ratio: int) -> npt.NDArray[np.floating]:
    """Each coarse value (p, h, w) in all of its fine pixels (p, H, W)."""
    return np.asarray(np.repeat(np.repeat(cells, ratio, axis=1), ratio, axis=2))


def calibrated_errors(days: Days, series: FloatArray, target: FloatArray) -> FloatArray:
    """(p, k): series (p, k) on the scale of the target (p, k), minus the target; NaN where either is missing.

    A place whose series is constant or too short to be mapped is NaN as a whole.
    """
    errors = np.full(target.shape, np.nan)
    for place in range(target.shape[1]):
        both = np.isfinite(series[:, place]) & np.isfinite(target[:, place])
        common = Paired(days[both], series[both, place].astype(np.float64), target[both, place].astype(np.float64))
        mapped = calibrate(common)
        if mapped is not None:
            errors[both, place] = mapped - common.reference
    return errors


@dataclass(frozen=True)
class FootprintComparison:
    """Two series on their common days. difference: RMSE of the first over the second's, minus one, with its interval.

    p: two-sided, block bootstrap over days.
    """

    days: int
    difference: float
    interval: list[float] | None
    p: float | None


def compare(
    days: Days, first: FloatArray, second: FloatArray, bootstrap: Bootstrap | None = None
) -> FootprintComparison | None:
    """Errors (p,) of two series, NaN = none; None below ``LEAST_DAYS`` common days."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < LEAST_DAYS:
        return None
    weights = (bootstrap or Bootstrap()).weights(days[both])
    zero = np.zeros(int(both.sum()))
    one, other = (weighted_scores(error[both], zero, weights)["rmse"] for error in (first, second))
    draws = one / other - 1
    whole = np.sqrt(np.mean(first[both] ** 2) / np.mean(second[both] ** 2)) - 1
    return FootprintComparison(int(both.sum()), float(whole), interval(draws), two_sided_p(draws))
