"""How the errors of the scenes' effects reach a day: the part of the deviation that all pixels share."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.hyperparameters import Hyperparameters

Array = NDArray[np.float64]

REACH: Final = 1e4
"""Variance of the level over that of r, as in ``folds``."""


def typical_weights(
    days: NDArray[np.int64], scenes: NDArray[np.int64], variance: float, length: float, noise: Array
) -> Array:
    """Kriging weights (p, n) of the scenes at a pixel that sees all of them, without drift."""
    apart = np.abs(scenes[:, None] - scenes[None, :])
    covariance = variance * (np.exp(-apart / length) + REACH) + np.diag(noise)
    towards = variance * (np.exp(-np.abs(days[:, None] - scenes[None, :]) / length) + REACH)
    weights: Array = np.linalg.solve(covariance, towards.T).T
    return weights


def common_covariance(
    days: NDArray[np.int64], scenes: NDArray[np.int64], settings: Hyperparameters, order: NDArray[Any]
) -> Array:
    """Covariance (p, b, b) over the bands of the error that scenes' effects leave on each of ``days``.

    scenes: (n,) ascending, scene s at ``order[s]`` of the settings.
    """
    bands = len(settings.variance)
    errors = settings.offset_covariance[order][:, :, order]
    if not errors.any():
        return np.zeros((len(days), bands, bands))
    noise = settings.noise[order]
    usual = np.where(np.isfinite(noise), noise, 1e6 * settings.variance)
    weights = [
        typical_weights(days, scenes, settings.variance[b], settings.correlation_days[b], usual[:, b])
        for b in range(bands)
    ]
    common = np.empty((len(days), bands, bands))
    for one in range(bands):
        for other in range(one, bands):
            reached = weights[one] @ errors[:, one, :, other]
            common[:, one, other] = common[:, other, one] = np.einsum("pn,pn->p", reached, weights[other])
    return common
