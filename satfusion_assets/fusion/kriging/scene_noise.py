"""How noisy the values of each scene are beside those of the others, and which scenes are plainly wrong."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.folds import Model, withhold

Array = NDArray[np.float64]

ALONE: Final = np.zeros(1)
"""Every scene is withheld with those of its own day."""
LEAST_SEEN: Final = 0.1
"""Share of the sample that a day must show to say anything of all pixels; what is left of a clouded or snowed-in scene
is not like the rest."""
NOISE_ROUNDS: Final = 8
OUTLYING: Final = 16.0
"""Squared errors count up to this multiple of their median: a missed cloud is no property of its scene."""
UNLIKE: Final = 9.0
"""How many times the usual noise (in variance) a scene must show before half of it counts; what the surface does of
its own accord between scenes looks like noise as well."""
LIVELY: Final = 4.0
"""Times the usual variance of r that a scene is judged by: that of the livelier pixels."""
WRONG: Final = 4.0
"""Median squared error of a scene's values, in units of what even lively pixels may err by, above which it is wrong (a
stretch, a cloud over all of it): two deviations off in half of its pixels."""
LEAST_NOISE: Final = 1e-4
"""Variance of noise over that of r: below, nothing can be told apart from rounding."""


def scene_noise(days: Array, values: Array, drift: Array, model: Model, noise: Array) -> Array:
    """Noise (n,) of every scene by expectation maximisation; a scene that tells little keeps the usual one.

    days: (n,). values and drift: (k, n) of k pixels, without what scenes add to them, NaN = missing. noise: (n,) to
    begin with, whose median is kept.
    """
    usual = float(np.median(noise))
    # A scene is to blame for what even lively pixels cannot have done: fields that are cut in a gap make none guilty.
    length, variance, gain, spread = model
    lively = (length, variance * LIVELY, gain, spread)
    noise = _without_wrong(days, values, drift, lively, noise)
    for _ in range(NOISE_ROUNDS):
        error, uncertain = withhold(days, values, drift, wide(noise, values), lively, ALONE)
        # What smoothing leaves of a value, and its variance, from the prediction without it.
        squares = (error[0] * noise / uncertain[0]) ** 2 + noise - noise**2 / uncertain[0]
        known = np.isfinite(squares)
        count = known.sum(axis=0)
        filled = np.where(known, squares, 0.0)
        middle = np.array([np.median(squares[known[:, i], i]) if count[i] else usual for i in range(len(noise))])
        total = np.minimum(filled, OUTLYING * middle).sum(axis=0)
        pseudo = 0.05 * len(squares)
        noise = np.maximum((total + pseudo * usual) / (count + pseudo), LEAST_NOISE * model[1])
    # How scenes compare follows from their noise as it is; how much noise there is, by withholding.
    times = noise / np.median(noise)
    return usual * np.maximum(times**2 / (times + UNLIKE), 1.0)


def _without_wrong(days: Array, values: Array, drift: Array, model: Model, noise: Array) -> Array:
    """Noise (n,) in which scenes that are plainly wrong, one after the other the worst, have that of their errors."""
    noise = noise.copy()
    for _ in range(len(noise) // 4):
        error, uncertain = withhold(days, values, drift, wide(noise, values), model, ALONE)
        squares = np.where(np.isfinite(error[0]), error[0] ** 2 / uncertain[0], np.nan)
        often_seen = np.isfinite(squares).mean(axis=0) > LEAST_SEEN
        far = np.array(
            [np.nanmedian(column) if seen else 0.0 for column, seen in zip(squares.T, often_seen, strict=True)]
        )
        worst = int(far.argmax())
        if far[worst] < WRONG:
            break
        noise[worst] = np.nanmean(error[0][:, worst] ** 2)
    return noise


def wide(noise: Array, values: Array) -> Array:
    """``noise`` (n,) for every pixel of ``values`` (k, n)."""
    return np.broadcast_to(noise, values.shape).copy()
