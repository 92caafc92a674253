"""How much more or less a pixel's prediction errs at a time of year than one variance for all of it says.

r has one variance all year, while meadows grow and are cut in summer and rest in winter. The prediction minds that
little, its variance much. Withheld scenes tell by how much, season by season: the factor of a day is the one with which
as many withheld values about it lie within one deviation as should (recalibration of regression, Kuleshov, Fenner &
Ermon 2018; local in time, as the bands of Lei & Wasserman 2014).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, roots_genlaguerre

from satfusion_assets.fusion.kriging import hyperparameters as defaults
from satfusion_assets.fusion.kriging.folds import Model, likelihoods, withhold
from satfusion_assets.fusion.kriging.scene_noise import ALONE, LEAST_SEEN, wide

Array = NDArray[np.float64]

WINDOW: Final = np.array([10.0])
"""Days to either side that are withheld with a scene: a usual gap of a cloudy season. Scenes alone tell noise, no
change."""
SEASON_DAYS: Final = 20.0
"""Standard deviation of the weight in time by which scenes tell of one another's factor. Scenes left out are told best
with 10 to 20 (of 10, 20, 30, 45 and 60)."""
PSEUDO_SCENES: Final = 2.0
"""Weight of the factor 1, in scenes; not in values, whose errors on one day go together. Scenes left out are told alike
with 1 and 3, less well with 6 and 12."""
FACTORS: Final = 2.0 ** np.linspace(-2, 2, 33)
"""Among which a factor is sought, and between them in proportion: a deviation is halved or doubled at most."""
_SHARES: Final = np.linspace(0, 1, 21)
_NODES: Final = 16


def posterior_scales(table: Array, shares: Array) -> Array:
    """Mean (k,) of the kinds' factors under every pixel's posterior; table: log likelihoods (kinds, k)."""
    chance = shares[:, None] * np.exp(table - table.max(axis=0))
    scale: Array = (chance * np.array(defaults.KINDS)[:, None]).sum(axis=0) / chance.sum(axis=0)
    return np.where(np.isfinite(scale), scale, 1.0)


def season_factors(days: Array, values: Array, drift: Array, noise: Array, model: Model, shares: Array) -> Array:
    """Factors (n,) of the variance of a pixel's own error about each of ``days``, for one band.

    days: (n,). values and drift: (k, n), without what scenes add, NaN = missing. noise: (n,) variances. shares:
    (kinds,) prior probabilities of the kinds of pixel.
    """
    own = wide(noise, values) * _doubt(days, values, drift, noise, model)
    scale = posterior_scales(likelihoods(days, values, drift, own, model, np.array(defaults.KINDS)), shares)[:, None]
    root = np.sqrt(scale)
    # Of a pixel whose r has `scale` times the variance: in units of its root, the usual model holds.
    error, uncertain = withhold(days, values / root, drift / root, own / scale, model, WINDOW)
    spread = np.maximum(uncertain[0] * scale - own, np.finfo(np.float64).tiny)
    return _smoothed(days, _surplus(error[0] * root, spread, noise))


def _doubt(days: Array, values: Array, drift: Array, noise: Array, model: Model) -> Array:
    """What each value's noise (k, n) is multiplied by for lying far from what the others say, as the kernels do."""
    error, uncertain = withhold(days, values, drift, wide(noise, values), model, ALONE)
    squared = np.nan_to_num(error[0] ** 2 / uncertain[0])
    doubt: Array = np.maximum((defaults.FREEDOM + squared) / (defaults.FREEDOM + 1), 1.0)
    return doubt


def _surplus(error: Array, spread: Array, noise: Array) -> Array:
    """Share of a day's values within one deviation less what should be, (n, factors); NaN where few are known.

    The surface's part of an error, of variance ``factor * spread``, is Gaussian, the noise Student's t.
    """
    known = np.isfinite(error)
    count = known.sum(axis=0)
    expected = _within(defaults.FREEDOM)
    found = np.empty((error.shape[1], len(FACTORS)))
    for f, factor in enumerate(FACTORS):
        surface = np.where(known, factor * spread, 1.0)
        total = surface + noise
        right = np.interp(surface / total, _SHARES, expected)
        found[:, f] = np.where(known, (error**2 <= total) - right, 0.0).sum(axis=0) / np.maximum(count, 1)
    return np.where((count > LEAST_SEEN * len(error))[:, None], found, np.nan)


def _within(freedom: float) -> Array:
    """Probability that a sum of a Gaussian of variance s and ``1 - s`` times a squared scale of Student's t lies within
    one, for the s of ``_SHARES``: Student's t is Gaussian with a variance over a gamma's, integrated by quadrature."""
    nodes, weights = roots_genlaguerre(_NODES, freedom / 2 - 1)
    variances = _SHARES[:, None] + (1 - _SHARES[:, None]) * (freedom / 2) / nodes
    probability: Array = erf(1 / np.sqrt(2 * variances)) @ (weights / weights.sum())
    return probability


def _smoothed(days: Array, surplus: Array) -> Array:
    """The factor (n,) at which the surplus of the scenes around each day is none."""
    known = np.isfinite(surplus).all(axis=1)
    weight = np.exp(-np.square((days[:, None] - days[None, known]) / SEASON_DAYS) / 2)
    as_stated = erf(np.sqrt(FACTORS / 2)) - erf(np.sqrt(0.5))
    table = weight @ surplus[known] + PSEUDO_SCENES * as_stated
    after = np.clip((table < 0).sum(axis=1), 1, len(FACTORS) - 1)
    here, logs = np.arange(len(days)), np.log(FACTORS)
    low, high = table[here, after - 1], table[here, after]
    part = np.clip(-low / np.maximum(high - low, np.finfo(np.float64).tiny), 0.0, 1.0)
    factors: Array = np.exp(logs[after - 1] * (1 - part) + logs[after] * part)
    return factors


def on_days(days: NDArray[Any], scenes: NDArray[Any], factors: Array) -> Array:
    """Factors (p, b) of ``days`` from those of ascending ``scenes`` (n, b): in proportion to time between two, the
    nearest beyond."""
    return np.stack([np.interp(days, scenes, of_band) for of_band in factors.T], axis=1)
