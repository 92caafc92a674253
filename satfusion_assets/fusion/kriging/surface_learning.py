"""The filter from the coarse series to the surface (``surface_filter``), learned from the scenes alone."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.sample import Sample, equations_of, start_of
from satfusion_assets.fusion.kriging.scene_effects import scene_effects

Array = NDArray[np.float64]

PSEUDO_SCENES: Final = 3.0
"""Scenes whose bands do not go together, beside those that there are, in every covariance: the diagonal's weight."""


class Shares(NamedTuple):
    """common and places: (b, b) as in ``SurfaceFilter``. level: (b,) mean of the surface."""

    common: Array
    places: Array
    level: Array


def learn_shares(sample: Sample, common: Array) -> Shares | None:
    """What the coarse bands say of those of the surface; None where too few days tell.

    sample: its drift is what the coarse pixels' changes depart from the area's. common: (n, b) the latter.
    """
    if not sample.tells_enough:
        return None
    telling = sample.telling
    sample, common = sample.of(telling), common[telling]
    drift = sample.drift
    assert drift is not None, "learned from the coarse series"
    n = len(sample.days)
    starts = [start_of(values, (0.0, 0.0)) for values in sample.values]
    noise = np.repeat([[noise] for _, noise in starts], n, axis=1)
    matrices, rights = equations_of(sample, [model for model, _ in starts], noise)
    effects = scene_effects(sample.days, matrices, rights)
    seen = np.einsum("bij,bj->bi", np.linalg.pinv(matrices, rcond=1e-8, hermitian=True), rights)
    weight = effects.weight / effects.weight.sum()
    surface = _about_mean(seen - effects.offset.T, weight)
    rest = _about_mean(common.T, weight) - surface
    of_surface, of_rest = (_shrunk((changes * weight) @ changes.T, n) for changes in (surface, rest))
    own = sample.values - seen[:, None]
    clean = sample.values - effects.offset.T[:, None]
    return Shares(
        of_surface @ np.linalg.pinv(of_surface + of_rest, hermitian=True),
        _of_places(own, drift, weight),
        np.nanmean(clean, axis=(1, 2)),
    )


def _of_places(own: Array, drift: Array, weight: Array) -> Array:
    """Regression (b, b) of what pixels have to themselves (b, k, n) on ``drift``, both about their means over time."""
    known = np.isfinite(own).all(axis=0)
    weights = np.where(known, weight, 0.0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    own, drift = (_about_mean(np.where(known, changes, 0.0), weights) * known for changes in (own, drift))
    with_drift = np.einsum("bkn,kn,jkn->bj", own, weights, drift)
    of_drift = np.einsum("bkn,kn,jkn->bj", drift, weights, drift)
    regression: Array = with_drift @ np.linalg.pinv(_shrunk(of_drift, own.shape[2]), hermitian=True)
    return regression


def _about_mean(changes: Array, weight: Array) -> Array:
    """``changes`` (..., n) without their mean under ``weight``."""
    return changes - (changes * weight).sum(axis=-1, keepdims=True)


def _shrunk(covariance: Array, scenes: int) -> Array:
    """``covariance`` of so many ``scenes`` and of ``PSEUDO_SCENES`` whose bands do not go together."""
    return (scenes * covariance + PSEUDO_SCENES * np.diag(np.diag(covariance))) / (scenes + PSEUDO_SCENES)
