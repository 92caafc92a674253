"""A fused stack corrected by the clear scenes it was made from, and how wrong it still may be.

A fusion blends scenes over weeks: it softens and shifts what happens within days, and its errors last as long as its
blending does. The clear scenes are few, but each is exact to its own noise and independent of the others. So the
fusion's error is observed on every clear day; between clear days it is smoothed from these observations, and away from
them it is expected to be nought, as surely as the predictive standard deviation says (regression kriging, with the
Whittaker smoother as its covariance). The course between clear days stays the fusion's, which knows Sentinel-3.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.phenology.smoothing import Curves, despiked, weighted_curves

Days = NDArray[np.datetime64]
Values = NDArray[np.floating]

LEAST_NOISE: Final = 0.003
"""A clear scene's GCC is not known better than this, whatever its departures from its neighbours say."""

LAMBDA: Final = 400.0
"""Smoothing parameter of the error's course [d^2 per clear scene]: that of every satellite series."""

CHUNK: Final = 2000
"""Pixels worked on at a time: bounds the memory for daily curves."""


class Evidence(NamedTuple):
    """values: (p, H, W), NaN = nothing is known. error: (p, H, W) standard error that neighbouring days share."""

    values: NDArray[np.float32]
    error: NDArray[np.float32]


def anchored(
    days: Days, fused: Values, deviation: Values, scene_days: Days, scenes: Values, noise: float, sigma: float
) -> Evidence:
    """The fused series of every pixel, drawn to its clear scenes.

    fused, deviation: (p, H, W) of ``days``, ascending: values and predictive standard deviations (NaN = unknown; the
    pixel's own over the season stands in). scenes: (n, H, W) of ``scene_days``, NaN = not clear; those of other days
    are left out. noise: standard deviation of a scene. sigma: of the blending [d]; errors of a Gaussian blend have a
    correlation of exp(-t^2 / (4 sigma^2)), which sums to 2 sqrt(pi) sigma days: so many days of "no error expected"
    count for one.
    """
    if not fused.size:
        return Evidence(fused.astype(np.float32), np.zeros(fused.shape, np.float32))
    flat, spread = fused.reshape(len(days), -1), deviation.reshape(len(days), -1)
    values, error = flat.astype(np.float32), np.zeros(flat.shape, np.float32)
    observed = _observed_errors(days, flat, scene_days, scenes.reshape(len(scene_days), flat.shape[1]))
    place = (days - days[0]).astype(np.int64)
    for start in range(0, flat.shape[1], CHUNK):
        rows = slice(start, start + CHUNK)
        expected = _expected_weight(spread[:, rows], max(noise, LEAST_NOISE), 2 * np.sqrt(np.pi) * sigma)
        curves = _error_curves(place, observed[:, rows], expected)
        values[:, rows] += curves.value[:, place].T
        error[:, rows] = curves.se[:, place].T
    return Evidence(values.reshape(fused.shape), error.reshape(fused.shape))


def _observed_errors(days: Days, fused: Values, scene_days: Days, scenes: Values) -> Values:
    """(p, pixels): scene minus fusion on the days of scenes, NaN elsewhere."""
    observed = np.full(fused.shape, np.nan, np.float32)
    place = np.searchsorted(days, scene_days)
    within = np.flatnonzero(place < len(days))
    within = within[days[place[within]] == scene_days[within]]
    observed[place[within]] = despiked(scenes)[within] - fused[place[within]]
    return observed


def _expected_weight(spread: Values, noise: float, shared_days: float) -> Values:
    """(p, pixels): what "no error" on a day weighs beside a scene."""
    known = np.isfinite(spread) & (spread > 0)
    squared = np.where(known, spread, 0.0) ** 2
    typical = squared.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    squared = np.where(known, squared, np.maximum(typical, noise**2))
    return np.minimum(noise**2 / squared, 1.0) / shared_days


def _error_curves(place: NDArray[np.int64], observed: Values, expected: Values) -> Curves:
    """Curves (pixels, consecutive days) through the observed errors and the expectation of none between them."""
    weight, series = (np.zeros((observed.shape[1], int(place[-1]) + 1)) for _ in range(2))
    weight[:, place] = np.where(np.isfinite(observed), 1.0, expected).T
    series[:, place] = np.nan_to_num(observed).T
    return weighted_curves(series, weight, LAMBDA)
