"""The predictive standard deviation of a fused value: the variance of a linear predictor.

Let ``r(t)`` be the true surface minus ``U(C(t))``, which the scenes' departures ``F_i - U(C(t_i))`` tell with noise.
The fused value is off by the mean of the departures under the shares ``s_i``, minus ``r(t)``. Its variance is

    v = k U(coarse noise at t) + sum(s_i^2 e_i^2) + b^2 + a D

- The coarse noise on the day itself is estimated from the coarse series alone (``coarse_noise``), and so is the part k
  of it that upsampling leaves: all of it where neighbouring coarse pixels err alike, less where they do not.
- ``e_i`` is the error of scene i predicted from the others, per pixel. Squared, it stands for whatever scene i has to
  itself: haze, an unseen cloud, the coarse noise of its day. This is the sandwich estimator that allows every
  observation a variance of its own (MacKinnon & White 1985, HC2): an error of leave-one-out carries the others'
  noise as well, hence ``e_i^2 / (1 + sum of the others' squared shares)``.
- ``b`` is the bias of a local mean where the departures have a slope (Fan & Gijbels 1996, section 2.2): the slope
  fitted to them under the same shares, times their mean lag; ``b^2`` is without what the slope's own variance adds.
- ``a D`` is the drift of ``r`` beside that line. With the variogram ``a |t| / 2`` the variance of a
  linear predictor (Cressie 1993, section 3.2; Chiles & Delfiner 2012, section 3.4) comes to ``a D`` with
  ``D = integral (S(u) - 1[u >= t])^2 du``, S the shares summed up to u: the Cramer distance of the shares from the day
  (Gneiting & Raftery 2007, section 4.2).

The drift is the one number that is fitted, per band, and by scenes alone: each scene's day is predicted without the
scene, and again without all scenes near it. Both predict the same surface on the same day, so their difference has the
variance above with the difference of the shares in place of the shares, and neither the noise of the withheld scene nor
the coarse noise of its day is in it. ``a`` is such that one standard deviation covers 68.27 % of these differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.withholding import LeftOutScenes

_ONE_SIGMA: Final = 0.6827
_TWO_SIGMA: Final = 0.95
_LEAST_DISTANCE: Final = 0.5
"""Days; what moves the shares less says nothing of drift."""
_MINIMUM_ERRORS: Final = 50
_NOISE_LEVELS: Final = 8

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ErrorModel:
    """What an area's scenes say about errors, per band.

    coarse_part: (b,) k of v. drift: (b,) a of v, variance per day; NaN where there were too few errors to learn from.
    scene_noise: (n, b) variance of each scene, in the order they were given, that turns the surface's intervals into
    those of the scene: haze, unseen clouds, the sensor. NaN where too little of a scene could be predicted.
    typical_error: (b,) median size of the leave-one-out errors.
    """

    coarse_part: NDArray[np.float64]
    drift: NDArray[np.float64]
    scene_noise: NDArray[np.float64]
    typical_error: NDArray[np.float64]

    @property
    def noise_levels(self) -> NDArray[np.float64]:
        """(k, b) variances, equally likely, that a scene of which nothing is known may have: those of the others."""
        middles = (np.arange(_NOISE_LEVELS) + 0.5) / _NOISE_LEVELS
        levels = np.zeros((_NOISE_LEVELS, self.scene_noise.shape[1]))
        for band, noise in enumerate(self.scene_noise.T):
            if np.isfinite(noise).any():
                levels[:, band] = np.nanquantile(noise, middles)
        return levels


def typical_errors(errors: Array) -> NDArray[np.float64]:
    """Median size (b,) of ``errors`` (n, b, ...); NaN where none is known."""
    sizes = [np.abs(errors[:, band][np.isfinite(errors[:, band])]) for band in range(errors.shape[1])]
    return np.array([np.median(size) if size.size else np.nan for size in sizes], np.float64)


def remaining_part(squares_of_mean: Array, mean_of_squares: Array) -> NDArray[np.float64]:
    """k of v (b,), the median over days, from coarse departures: U of them squared, and U of their squares.

    Both (t, b, ...), NaN = missing. 1 where no day tells.
    """
    parts = np.ones(squares_of_mean.shape[1])
    for band in range(len(parts)):
        left, whole = (np.nansum(a[:, band].reshape(len(a), -1), axis=1) for a in (squares_of_mean, mean_of_squares))
        if (whole > 0).any():
            parts[band] = np.median(left[whole > 0] / whole[whole > 0])
    return parts


def fit_error_model(
    errors: Array,
    withheld: LeftOutScenes,
    coarse_noise: Array,
    coarse_part: NDArray[np.float64],
    typical_error: NDArray[np.float64],
) -> ErrorModel:
    """Learn from leave-one-out ``errors`` and the ``coarse_noise`` of their days, both (n, b, k)."""
    scenes, bands = errors.shape[:2]
    drift, scene_noise = np.full(bands, np.nan), np.full((scenes, bands), np.nan)
    for band in range(bands):
        found = _fit_drift(withheld.change[:, band] ** 2, withheld.change_variance[:, band], withheld.change_distance)
        surface = (
            coarse_part[band] * coarse_noise[:, band] + withheld.scene_variance[:, band] + found * withheld.distance
        )
        usable = np.isfinite(errors[:, band]) & np.isfinite(surface)
        if usable.sum() >= _MINIMUM_ERRORS:
            drift[band] = found
        enough = usable.sum(axis=1) >= _MINIMUM_ERRORS
        scene_noise[enough, band] = _own_noise(
            np.where(usable[enough], errors[enough, band] ** 2, np.nan), np.where(usable[enough], surface[enough], 0)
        )
    return ErrorModel(coarse_part, drift, scene_noise, typical_error)


def _fit_drift(squared: Array, scene_variance: Array, distance: Array) -> float:
    """The drift with which ``scene_variance + drift * distance`` covers the squared differences; 0 where there are too
    few."""
    usable = np.isfinite(squared) & (distance > _LEAST_DISTANCE)
    if usable.sum() < _MINIMUM_ERRORS:
        return 0.0
    needed = (squared[usable] - scene_variance[usable]) / distance[usable]
    return max(float(np.quantile(needed, _ONE_SIGMA)), 0.0)


def _own_noise(squared: Array, surface: Array) -> Array:
    """The variance beside the surface's with which both intervals, taken together, cover a scene's errors: (n,) of
    (n, k), NaN = unknown."""
    needed = np.concatenate([squared - surface, squared / 1.96**2 - surface], axis=1)
    # The linear quantile of the known, which NaN come behind; numpy's own goes scene by scene where some are NaN.
    place = (np.isfinite(needed).sum(axis=1) - 1) * (_ONE_SIGMA + _TWO_SIGMA) / 2
    below, scenes = np.floor(place).astype(np.intp), np.arange(len(needed))
    above = np.minimum(below + 1, needed.shape[1] - 1)
    if needed.size:
        needed.partition(np.unique([below, above]), axis=1)
    lower, upper = needed[scenes, below], needed[scenes, above]
    quantile: Array = np.maximum(lower + (place - below) * (upper - lower), 0.0)
    return quantile
