"""The course of every pixel from its clear scenes and their fusion, and how wrong it still may be.

A fusion blends scenes over weeks: it softens and shifts what happens within days, and a scene that is wrong makes it
wrong for as long. The clear scenes are few, but their errors are independent, part of them can be taken off, and how
large the rest is can be estimated (`scene_errors`). So the course is a Whittaker curve through the scenes, each with
the weight of its own error, and between them through the fusion, which knows Sentinel-3, with the weight of its
predictive standard deviation.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.phenology.fields import field_means
from satfusion_assets.phenology.scene_errors import (
    CHUNK,
    LEAST_SCENES,
    Days,
    Scenes,
    Values,
    clear_scenes,
    scene_errors,
)
from satfusion_assets.phenology.smoothing import despiked, weighted_curves

LEAST_NOISE: Final = 0.003
"""A clear scene's GCC is not known better than this, whatever its departures from its neighbours say."""

LAMBDA: Final = 30.0
"""Smoothing parameter [d^2 per scene of usual error]: a bend shorter than two weeks needs several scenes."""


class Evidence(NamedTuple):
    """values: (p, H, W), NaN = nothing is known. error: (p, H, W) standard error that neighbouring days share.
    information: (p, H, W) how many independent observations a day adds (`smoothing.Curves`)."""

    values: NDArray[np.float32]
    error: NDArray[np.float32]
    information: NDArray[np.float32]


class _Weighted(NamedTuple):
    """Values of the days (p, m) and their weights, relative to a scene of usual error; noise: (m,) is that error."""

    values: NDArray[np.float64]
    weight: NDArray[np.float64]
    noise: NDArray[np.float64]


def blended_days(sigma: float) -> float:
    """Days that errors of a Gaussian blend of ``sigma`` days share: their correlation exp(-t^2 / (4 sigma^2)), summed
    over time, is 2 sqrt(pi) sigma."""
    return float(2 * np.sqrt(np.pi) * sigma)


def decaying_days(correlation_days: float) -> float:
    """Days that errors of exponential correlation exp(-|t| / L) share: 2 L."""
    return 2 * correlation_days


def anchored(
    days: Days, fused: Values, deviation: Values, scene_days: Days, bands: Values, shared_days: float
) -> Evidence:
    """GCC of every pixel from its clear scenes, with the fusion between them.

    fused, deviation: (p, H, W) of ``days``, consecutive or not, ascending: GCC and predictive standard deviations
    (NaN = unknown; the pixel's own over the season stands in). bands: (n, 4, H, W) reflectance of ``scene_days``, each
    day once, NaN = not clear; scenes of other days only help to tell errors. shared_days: the sum over time of the
    correlation of the fusion's errors (``blended_days``, ``decaying_days``): so many fused days count for one. A day
    without a fused value stays missing unless a scene shows it.
    """
    if not fused.size:
        return Evidence(fused.astype(np.float32), *np.zeros((2, *fused.shape), np.float32))
    flat, spread = fused.reshape(len(days), -1), deviation.reshape(len(days), -1)
    scenes = clear_scenes(scene_days, bands)
    pooled = field_means(scenes.gcc.reshape(len(scenes.days), *bands.shape[2:]))
    scenes = scenes._replace(gcc=pooled.reshape(scenes.gcc.shape))
    seen = _seen(days, scenes, scene_errors(scenes), flat.shape[1])
    place = (days - days[0]).astype(np.int64)
    values, (error, information) = np.full(flat.shape, np.nan, np.float32), np.zeros((2, *flat.shape), np.float32)
    for start in range(0, flat.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        scene = _Weighted(seen.values[:, part], seen.weight[:, part], seen.noise[part])
        weighted = _filled(scene, flat[:, part], spread[:, part], shared_days)
        known = weighted.weight > 0.0
        series, weight = (np.zeros((known.shape[1], int(place[-1]) + 1)) for _ in range(2))
        series[:, place], weight[:, place] = weighted.values.T, weighted.weight.T
        curves = weighted_curves(series, weight, LAMBDA, weighted.noise)
        values[:, part] = np.where(known, curves.value[:, place].T, np.nan)
        error[:, part] = np.where(known, curves.se[:, place].T, 0.0)
        information[:, part] = curves.information[:, place].T
    return Evidence(*(part.reshape(fused.shape) for part in (values, error, information)))


def _seen(days: Days, scenes: Scenes, errors: NDArray[np.float64], pixels: int) -> _Weighted:
    """The scenes on their days, without isolated spikes; days without have no weight. errors: (n,) of reflectance."""
    usual = np.full(pixels, np.inf)
    usable = np.isfinite(scenes.brightness).any(axis=0)
    usual[usable] = np.nanmedian(scenes.brightness[:, usable], axis=0)
    noise = np.maximum((np.median(errors) if errors.size else 0.0) / usual, LEAST_NOISE)
    # A pixel brighter than usual may be veiled, which is no reason to believe it more.
    own = np.maximum(errors[:, None] / np.minimum(scenes.brightness, usual), LEAST_NOISE)
    gcc = despiked(scenes.gcc)
    values, weight = (np.zeros((len(days), pixels)) for _ in range(2))
    place = np.searchsorted(days, scenes.days)
    within = np.flatnonzero(place < len(days))
    within = within[days[place[within]] == scenes.days[within]]
    values[place[within]] = np.nan_to_num(gcc[within])
    weight[place[within]] = np.where(np.isfinite(gcc[within]), (noise / own[within]) ** 2, 0.0)
    return _Weighted(values, weight, noise)


def _filled(scene: _Weighted, fused: Values, spread: Values, shared_days: float) -> _Weighted:
    """Scenes and fusion together; each day's value is their weighted mean.

    The fusion was made of scenes whose errors nobody knew: where it departs from the curve of the scenes alone by more
    than that curve's own error, the departure is its error.
    """
    known = np.isfinite(spread) & (spread > 0)
    squared = np.where(known, spread, 0.0).astype(np.float64) ** 2
    typical = squared.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    squared = np.where(known, squared, np.maximum(typical, scene.noise**2))
    usable = np.flatnonzero((scene.weight > 0.0).sum(axis=0) >= LEAST_SCENES)
    alone = weighted_curves(scene.values.T[usable], scene.weight.T[usable], LAMBDA, scene.noise[usable])
    departure = np.square(fused[:, usable] - alone.value.T) - np.square(alone.se.T)
    squared[:, usable] = np.fmax(squared[:, usable], departure)
    filling = np.where(np.isfinite(fused), np.minimum(scene.noise**2 / squared, 1.0) / shared_days, 0.0)
    weight = scene.weight + filling
    total = scene.weight * scene.values + filling * np.nan_to_num(fused)
    return _Weighted(np.divide(total, weight, out=np.zeros_like(total), where=weight > 0.0), weight, scene.noise)
