"""What a scene has to itself: haze, calibration, a wrong stretch, the same over the site and alike in the bands.

The pixels say ``A u = b`` of what each scene adds to all of them (``folds.scene_equations``). Part of u is the surface,
which changes steadily, and part the scene:

    u_ib = R_b(t_i) + h_ib,   R_b Matern 3/2,   h_i ~ N(0, T / w_i),   w_i ~ Gamma(nu / 2, nu / 2)

so h_i is Student t over the scenes, with one weight for all bands: a scene that is bad in blue is doubted in near
infrared. T says how bands go together (haze: much blue, little near infrared). w and T by expectation
maximisation (Liu & Rubin 1995), R's variance and length per band by restricted likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FREEDOM: Final = 2.0
"""nu: one scene in ten lies more than three times the usual deviation off, as hazy ones do."""
ROUNDS: Final = 40
"""Of expectation maximisation; weights settle in about twenty."""
LENGTHS: Final = (10.0, 200.0)
"""Days; bounds of R's correlation length."""
LENGTH: Final = 60.0
"""Days; R changes with the season."""
PRIOR_WIDTH: Final = 0.5
"""Width of the normal priors of R's log deviation (about the scenes' robust spread) and log length: inside a season
only their combination is known, at its ends the deviation alone says how far R may stray."""
TELLING: Final = 0.1
"""Scenes that tell less than this share of the most telling one are no part of the spread."""
PSEUDO_SCENES: Final = 3.0
"""Weight of the diagonal in the estimate of T, in scenes."""


@dataclass(frozen=True)
class SceneEffects:
    """offset: (n, b) h. covariance: (n * b, n * b) of its error, scene-major. weight: (n,) w, 1 = as usual."""

    offset: Array
    covariance: Array
    weight: Array


def no_effects(scenes: int, bands: int) -> SceneEffects:
    return SceneEffects(np.zeros((scenes, bands)), np.zeros((scenes * bands,) * 2), np.ones(scenes))


def scene_effects(days: Array, matrices: Array, rights: Array) -> SceneEffects:
    """Best linear prediction of h. days: (n,). matrices: (b, n, n) A and rights: (b, n) b of every band."""
    bands, n = rights.shape
    fits = [_fit_band(days, matrix, right) for matrix, right in zip(matrices, rights, strict=True)]
    information, right = np.zeros((n, bands, n, bands)), rights.T.reshape(-1)
    surface = np.zeros_like(information)
    for band, (change, _, _) in enumerate(fits):
        information[:, band, :, band] = matrices[band]
        surface[:, band, :, band] = change
    size = n * bands
    stacked, steady = information.reshape(size, size), surface.reshape(size, size)
    weight = np.exp(np.mean([np.log(weights) for _, _, weights in fits], axis=0))
    start = np.diag([tau for _, tau, _ in fits])
    together = start.copy()
    for _ in range(ROUNDS):
        offset, error = _predict(stacked, right, steady, _own(together, weight))
        per_scene = offset.reshape(n, bands)
        square = per_scene[:, :, None] * per_scene[:, None, :] + _diagonal_blocks(error, n, bands)
        far = np.einsum("nij,ij->n", square, np.linalg.inv(together))
        weight = np.asarray((FREEDOM + bands) / (FREEDOM + far), np.float64)
        together = (np.einsum("n,nij->ij", weight, square) + PSEUDO_SCENES * start) / (n + PSEUDO_SCENES)
    offset, error = _predict(stacked, right, steady, _own(together, weight))
    return SceneEffects(offset.reshape(n, bands), error, weight)


def _own(together: Array, weight: Array) -> Array:
    """Covariance (n * b, n * b) of h."""
    return np.asarray(np.kron(np.diag(1 / weight), together), np.float64)


def _diagonal_blocks(matrix: Array, n: int, bands: int) -> Array:
    blocks: Array = np.einsum("ninj->nij", matrix.reshape(n, bands, n, bands))
    return blocks


def _predict(information: Array, right: Array, surface: Array, own: Array) -> tuple[Array, Array]:
    """h (n * b,) and the covariance of its error, with u ~ N(0, surface + own) and the data's ``information``."""
    gain = np.linalg.solve(np.eye(len(own)) + (surface + own) @ information, own).T
    error = own - gain @ information @ own
    return gain @ right, (error + error.T) / 2


def _fit_band(days: Array, matrix: Array, right: Array) -> tuple[Array, float, Array]:
    """Covariance (n, n) of R, the usual variance of h and the scenes' weights, of one band by itself."""
    apart = np.abs(days[:, None] - days[None, :])
    known = np.diag(matrix) > TELLING * np.diag(matrix).max()
    alone = np.linalg.pinv(matrix, rcond=1e-8, hermitian=True) @ right
    usual = max(float(np.median(np.abs(np.diff(alone[known])))) if known.sum() > 1 else 0.0, 1e-5)
    spread = max(1.4826 * float(np.median(np.abs(alone[known] - np.median(alone[known])))), usual)

    def loss(logs: Array) -> float:
        if not LENGTHS[0] <= np.exp(logs[1]) <= LENGTHS[1]:
            return np.inf
        prior = np.sum(np.square((logs - start)[:2] / PRIOR_WIDTH)) / 2
        steady = _matern(apart, np.exp(2 * logs[0]), np.exp(logs[1]))
        return float(prior) - _weigh(matrix, right, steady, np.exp(2 * logs[2]), 6)[0]

    from scipy.optimize import minimize  # a third of a second, and none of EFAST's

    start = np.log([spread, LENGTH, usual])
    found = minimize(loss, start, method="Nelder-Mead", options={"maxfev": 120, "xatol": 0.05, "fatol": 0.02}).x
    steady, tau = _matern(apart, np.exp(2 * found[0]), np.exp(found[1])), float(np.exp(2 * found[2]))
    return steady, tau, _weigh(matrix, right, steady, tau, 20)[1]


def _weigh(matrix: Array, right: Array, steady: Array, tau: float, rounds: int) -> tuple[float, Array]:
    """Log likelihood of one band's u with the scenes' weights at their best, and those weights."""
    n = len(right)
    weight = np.ones(n)
    likelihood = -np.inf
    for _ in range(rounds):
        prior = steady + np.diag(tau / weight)
        spread = np.eye(n) + prior @ matrix
        inner = np.linalg.solve(spread, np.column_stack([prior @ right, np.diag(tau / weight)]))
        likelihood = 0.5 * (right @ inner[:, 0] - np.linalg.slogdet(spread)[1])
        likelihood += FREEDOM / 2 * float(np.sum(np.log(weight) - weight + 1))
        own = inner[:, 1:].T
        square = (own @ right) ** 2 + np.maximum(
            tau / weight - np.einsum("ij,ji->i", own @ matrix, np.diag(tau / weight)), 0
        )
        weight = (FREEDOM + 1) / (FREEDOM + square / tau)
    return float(likelihood), weight


def _matern(apart: Array, variance: float, length: float) -> Array:
    scaled = np.sqrt(3.0) * apart / length
    steady: Array = variance * (1 + scaled) * np.exp(-scaled)
    return steady
