"""Scenes withheld one by one and window by window, in closed form, and the normal equations of what scenes have alone.

With Q the inverse covariance of a pixel's values, the error of the values of a window W predicted from all others is
``(Q_WW)^-1 (Q y)_W`` with covariance ``(Q_WW)^-1`` (Dubrule 1983; Sundararajan & Keerthi 2001 for a window of one).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast.compiled import compiled, inlined, over_strips

Array = NDArray[np.float64]

DIFFUSE: Final = 1e4
"""Variance of the level m over that of r: flat, and still inverted with ten digits."""
STEP: Final = 16
"""Pixels that one thread takes at a time."""


@inlined
def _precision(days: Any, drift: Any, noise: Any, length: float, variance: float, spread: float) -> Any:
    """Inverse covariance (m, m) of a pixel's values, level and gain integrated out."""
    m = len(days)
    covariance = np.empty((m, m))
    for i in range(m):
        for j in range(i + 1):
            value = variance * (np.exp(-abs(days[i] - days[j]) / length) + DIFFUSE)
            value += spread * spread * drift[i] * drift[j]
            covariance[i, j] = value
            covariance[j, i] = value
        covariance[i, i] += noise[i]
    return np.linalg.inv(covariance)


@inlined
def _window(precision: Any, product: Any, first: int, last: int, at: int, lower: Any, column: Any) -> tuple[float, float]:
    """Error and variance of value ``at`` predicted from all but ``first:last``, by a Cholesky factor of that block."""
    size = last - first
    for i in range(size):
        for j in range(i + 1):
            total = precision[first + i, first + j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(total) if i == j else total / lower[j, j]
    for i in range(size):
        total = 1.0 if first + i == at else 0.0
        for k in range(i):
            total -= lower[i, k] * column[k]
        column[i] = total / lower[i, i]
    for i in range(size - 1, -1, -1):
        total = column[i]
        for k in range(i + 1, size):
            total -= lower[k, i] * column[k]
        column[i] = total / lower[i, i]
    error = 0.0
    for i in range(size):
        error += column[i] * product[first + i]
    return error, column[at - first]


@inlined
def _centred(values: Any, known: Any) -> Any:
    """The ``known`` of ``values`` minus their mean, which a flat level makes of no account but for rounding."""
    chosen = values[known]
    return chosen - chosen.mean()


@compiled
def _fold(days: Any, y: Any, drift: Any, noise: Any, model: Any, windows: Any, first: int, last: int, out: Any) -> None:
    length, variance, gain, spread = model
    error, uncertain = out
    n = len(days)
    lower, column = np.empty((n, n)), np.empty(n)
    for pixel in range(first, last):
        known = np.flatnonzero(np.isfinite(y[pixel]) & (noise[pixel] < np.inf))
        if len(known) < 2:
            continue
        then, c = days[known], _centred(drift[pixel], known)
        precision = _precision(then, c, noise[pixel][known], length, variance, spread)
        product = precision @ (_centred(y[pixel], known) - gain * c)
        for w in range(len(windows)):
            for i in range(len(known)):
                begin, end = i, i + 1
                while begin > 0 and then[i] - then[begin - 1] <= windows[w]:
                    begin -= 1
                while end < len(known) and then[end] - then[i] <= windows[w]:
                    end += 1
                if end - begin < len(known):
                    result = _window(precision, product, begin, end, i, lower, column)
                    error[w, pixel, known[i]], uncertain[w, pixel, known[i]] = result


@compiled
def _gather(days: Any, y: Any, drift: Any, noise: Any, model: Any, matrix: Any, right: Any, squares: Any) -> None:
    length, variance, gain, spread = model
    for pixel in range(len(y)):
        known = np.flatnonzero(np.isfinite(y[pixel]) & (noise[pixel] < np.inf))
        if len(known) < 3:
            continue
        c, own = _centred(drift[pixel], known), noise[pixel][known]
        precision = _precision(days[known], c, own, length, variance, spread)
        product = precision @ (_centred(y[pixel], known) - gain * c)
        for i in range(len(known)):
            right[known[i]] += product[i]
            mean = own[i] * product[i]
            squares[pixel, known[i]] = mean * mean + own[i] - own[i] * own[i] * precision[i, i]
            for j in range(len(known)):
                matrix[known[i], known[j]] += precision[i, j]


Model = tuple[float, float, float, float]
"""Correlation length in days, variance of r, mean and spread of the gain."""


def withhold(
    days: Array, y: Array, drift: Array, noise: Array, model: Model, windows: Array
) -> tuple[Array, Array]:
    """Errors of withheld values and their variances (w, k, n), NaN where nothing is left to predict from.

    days: (n,). y, drift, noise: (k, n) of k pixels, NaN = missing; noise: variances. windows: (w,) days to either side
    that are withheld with each scene; 0 withholds the scenes of its day.
    """
    error = np.full((len(windows), *y.shape), np.nan)
    uncertain = np.full_like(error, np.nan)

    def task(first: int, last: int) -> None:
        _fold(days, y, drift, noise, model, windows, first, last, (error, uncertain))

    over_strips(task, len(y), STEP)
    return error, uncertain


def scene_equations(
    days: Array, y: Array, drift: Array, noise: Array, model: Model
) -> tuple[Array, Array, Array]:
    """What the pixels say of a value u_i that scene i adds to all of them: matrix (n, n) and right side of ``A u = b``.

    ``A = sum_p Q_p``, ``b = sum_p Q_p y_p`` (generalised least squares). Third: (k, n) expected squared noise of every
    value, NaN = missing, for the expectation step of the scenes' noise (Dempster et al. 1977).
    """
    matrix, right = np.zeros((len(days), len(days))), np.zeros(len(days))
    squares = np.full(y.shape, np.nan)
    _gather(days, y, drift, noise, model, matrix, right, squares)
    return matrix, right, squares


@compiled
def _marginal(days: Any, y: Any, drift: Any, noise: Any, model: Any, first: int, last: int, out: Any) -> None:
    length, variance, gain, spread = model
    for pixel in range(first, last):
        known = np.flatnonzero(np.isfinite(y[pixel]) & (noise[pixel] < np.inf))
        if len(known) < 3:
            continue
        c = _centred(drift[pixel], known)
        precision = _precision(days[known], c, noise[pixel][known], length, variance, spread)
        value = _centred(y[pixel], known) - gain * c
        sign, log_determinant = np.linalg.slogdet(precision)
        # The flat level's variance goes with that of r, and is no part of the comparison.
        out[pixel] = 0.5 * (log_determinant + np.log(DIFFUSE * variance) - value @ (precision @ value))


def likelihood(days: Array, y: Array, drift: Array, noise: Array, model: Model) -> Array:
    """Restricted log likelihood (k,) of every pixel's values, NaN with fewer than three; arguments of ``withhold``."""
    out = np.full(len(y), np.nan)
    over_strips(lambda first, last: _marginal(days, y, drift, noise, model, first, last, out), len(y), STEP)
    return out
