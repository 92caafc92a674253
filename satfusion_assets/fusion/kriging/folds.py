"""Scenes withheld one by one and window by window, from a filter run forwards and one backwards.

What the values before a window say of r is the forward filter's state, what those after it say is the backward filter's
with the prior taken out again (the two-filter smoother of Fraser & Potter 1969); level and gain come from the normal
equations of both and of what they say of each other. The errors equal those of the inverse covariance, ``(Q_WW)^-1
(Q y)_W`` (Dubrule 1983; Sundararajan & Keerthi 2001), at a cost that is linear in the scenes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.compiled import compiled, inlined, over_strips

Array = NDArray[np.float64]

Model = tuple[float, float, float, float]
"""Correlation length in days, variance of r, mean and spread of the gain."""

DIFFUSE: Final = 1e4
"""Variance of the level m over that of r where it has to be a number: flat, and still inverted with ten digits."""
LEAST_UNCERTAIN: Final = 1e-8
"""Of the variance of all values: without noise the difference of large numbers that is left of a variance is rounding,
and may be below zero."""
LEAST_SPREAD: Final = 1e-6
"""Of the gain, where it is known."""
STEP: Final = 16
"""Pixels that one thread takes at a time."""


@inlined
def _run(days: Any, series: Any, noise: Any, length: float, variance: float, state: Any, sums: Any) -> None:
    """Filter three series (m, 3): state (m, 4) their filtered means and variance; sums (m, 7) as in ``_add``, so
    far."""
    for i in range(len(days)):
        if i == 0:
            before_0, before_1, before_2, ahead = 0.0, 0.0, 0.0, variance
        else:
            rho = np.exp(-abs(days[i] - days[i - 1]) / length)
            before_0, before_1, before_2 = rho * state[i - 1, 0], rho * state[i - 1, 1], rho * state[i - 1, 2]
            ahead = rho * rho * (state[i - 1, 3] - variance) + variance
            sums[i] = sums[i - 1]
        total = ahead + noise[i]
        told_0, told_1, told_2 = series[i, 0] - before_0, series[i, 1] - before_1, series[i, 2] - before_2
        gain = ahead / total
        state[i, 0], state[i, 1], state[i, 2] = (
            before_0 + gain * told_0,
            before_1 + gain * told_1,
            before_2 + gain * told_2,
        )
        state[i, 3] = ahead * (1.0 - gain)
        _add(sums[i], told_0, told_1, told_2, total, 1.0)


@inlined
def _add(sums: Any, y: float, one: float, c: float, total: float, sign: float) -> None:
    """Add an innovation to the sums 11, 1c, cc, 1y, cy, yy and log variance."""
    weight = sign / total
    sums[0] += one * one * weight
    sums[1] += one * c * weight
    sums[2] += c * c * weight
    sums[3] += one * y * weight
    sums[4] += c * y * weight
    sums[5] += y * y * weight
    sums[6] += sign * np.log(total)


@inlined
def _solve(sums: Any, precision: float) -> tuple[float, float, float, float, float]:
    """Level, what the gain has beside its mean, and their covariance; the gain's mean is off the series already."""
    a, b, d = sums[0], sums[1], sums[2] + precision
    determinant = a * d - b * b
    level, gain = (d * sums[3] - b * sums[4]) / determinant, (a * sums[4] - b * sums[3]) / determinant
    return level, gain, d / determinant, -b / determinant, a / determinant


@inlined
def _pixel(days: Any, y: Any, drift: Any, noise: Any, model: Any) -> Any:
    """The known values of a pixel: their places, days, series (m, 3) y - g0 c, 1 and c, and noise."""
    known = np.flatnonzero(np.isfinite(y) & (noise < np.inf))
    series = np.ones((len(known), 3))
    if len(known):
        c = drift[known]
        series[:, 2] = c - c.mean()
        series[:, 0] = y[known] - model[2] * series[:, 2]
        series[:, 0] -= series[:, 0].mean()
    return known, days[known], series, noise[known]


@inlined
def _predict(
    place: int, begin: int, end: int, then: Any, series: Any, model: Any, past: Any, future: Any, sums: Any
) -> tuple[float, float]:
    """Error and variance (without noise) of value ``place`` predicted from all but ``begin:end``.

    past and future: (state, sums) of the filters; the backward one is stored in the order of the days.
    """
    length, variance, _, spread = model
    precision = 1.0 / max(spread, LEAST_SPREAD) ** 2
    m = len(then)
    sums[:] = 0.0
    mean_0, mean_1, mean_2, left = 0.0, 0.0, 0.0, variance
    if begin > 0:
        state, totals = past
        sums += totals[begin - 1]
        rho = np.exp(-(then[place] - then[begin - 1]) / length)
        mean_0, mean_1, mean_2 = rho * state[begin - 1, 0], rho * state[begin - 1, 1], rho * state[begin - 1, 2]
        left = rho * rho * (state[begin - 1, 3] - variance) + variance
    if end < m:
        state, totals = future
        sums += totals[end]
        # The state has the prior of r in it, which the past brings along: what remains is z = r + noise of `own`.
        own = 1.0 / (1.0 / state[end, 3] - 1.0 / variance)
        factor = own / state[end, 3]
        z_0, z_1, z_2 = factor * state[end, 0], factor * state[end, 1], factor * state[end, 2]
        _add(sums, z_0, z_1, z_2, own + variance, -1.0)
        rho = np.exp(-(then[end] - then[place]) / length)
        total = rho * rho * left + variance * (1.0 - rho * rho) + own
        told_0, told_1, told_2 = z_0 - rho * mean_0, z_1 - rho * mean_1, z_2 - rho * mean_2
        _add(sums, told_0, told_1, told_2, total, 1.0)
        gain = left * rho / total
        mean_0, mean_1, mean_2 = mean_0 + gain * told_0, mean_1 + gain * told_1, mean_2 + gain * told_2
        left *= 1.0 - gain * rho
    level, slope, aa, ab, bb = _solve(sums, precision)
    one, c = series[place, 1] - mean_1, series[place, 2] - mean_2
    error = series[place, 0] - mean_0 - one * level - c * slope
    return error, left + one * one * aa + 2.0 * one * c * ab + c * c * bb


@compiled
def _fold(days: Any, y: Any, drift: Any, noise: Any, model: Any, windows: Any, first: int, last: int, out: Any) -> None:
    error, uncertain = out
    n = len(days)
    past, future = (np.empty((n, 4)), np.empty((n, 7))), (np.empty((n, 4)), np.empty((n, 7)))
    sums = np.empty(7)
    for pixel in range(first, last):
        known, then, series, own = _pixel(days, y[pixel], drift[pixel], noise[pixel], model)
        m = len(known)
        if m < 2:
            continue
        past[1][:], future[1][:] = 0.0, 0.0
        _run(then, series, own, model[0], model[1], past[0], past[1])
        back = (future[0][:m][::-1], future[1][:m][::-1])
        _run(then[::-1], series[::-1], own[::-1], model[0], model[1], back[0], back[1])
        for w in range(len(windows)):
            for i in range(m):
                begin, end = i, i + 1
                while begin > 0 and then[i] - then[begin - 1] <= windows[w]:
                    begin -= 1
                while end < m and then[end] - then[i] <= windows[w]:
                    end += 1
                if end - begin < m:
                    found, variance = _predict(i, begin, end, then, series, model, past, future, sums)
                    error[w, pixel, known[i]], uncertain[w, pixel, known[i]] = found, variance + own[i]


@compiled
def _gather(days: Any, y: Any, drift: Any, noise: Any, model: Any, share: Any, matrix: Any, right: Any) -> None:
    length, variance, _, spread = model
    for pixel in range(len(y)):
        known, then, series, own = _pixel(days, y[pixel], drift[pixel], noise[pixel], model)
        m = len(known)
        if m < 2:
            continue
        covariance = np.empty((m, m))
        for i in range(m):
            for j in range(i + 1):
                value = variance * (np.exp(-abs(then[i] - then[j]) / length) + DIFFUSE)
                value += spread * spread * series[i, 2] * series[j, 2]
                covariance[i, j] = value
                covariance[j, i] = value
            covariance[i, i] += own[i]
        inverse = np.linalg.inv(covariance)
        for i in range(m):
            for j in range(m):
                right[known[i]] += share[pixel] * inverse[i, j] * series[j, 0]
                matrix[known[i], known[j]] += share[pixel] * share[pixel] * inverse[i, j]


@compiled
def _marginal(
    days: Any, y: Any, drift: Any, noise: Any, model: Any, kinds: Any, first: int, last: int, out: Any
) -> None:
    n = len(days)
    state, sums = np.empty((n, 4)), np.zeros((n, 7))
    precision = 1.0 / max(model[3], LEAST_SPREAD) ** 2
    for pixel in range(first, last):
        known, then, series, own = _pixel(days, y[pixel], drift[pixel], noise[pixel], model)
        m = len(known)
        if m < 3:
            continue
        for k in range(len(kinds)):
            sums[:] = 0.0
            _run(then, series, own, model[0], model[1] * kinds[k], state, sums)
            total = sums[m - 1]
            level, slope, _, _, _ = _solve(total, precision)
            determinant = total[0] * (total[2] + precision) - total[1] * total[1]
            explained = level * total[3] + slope * total[4]
            out[k, pixel] = -0.5 * (total[5] - explained + total[6] + np.log(determinant))


def withhold(days: Array, y: Array, drift: Array, noise: Array, model: Model, windows: Array) -> tuple[Array, Array]:
    """Errors of withheld values and their variances (w, k, n), NaN where nothing is left to predict from.

    days: (n,). y, drift, noise: (k, n) of k pixels, NaN = missing; noise: variances. windows: (w,) days to either side
    that are withheld with each scene; 0 withholds the scenes of its day.
    """
    error = np.full((len(windows), *y.shape), np.nan)
    uncertain = np.full_like(error, np.nan)

    def task(first: int, last: int) -> None:
        _fold(days, y, drift, noise, model, windows, first, last, (error, uncertain))

    over_strips(task, len(y), STEP)
    least = LEAST_UNCERTAIN * float(np.nanvar(y)) if np.isfinite(y).any() else 0.0
    return error, np.maximum(uncertain, max(least, np.finfo(np.float64).tiny))


def scene_equations(
    days: Array, y: Array, drift: Array, noise: Array, model: Model, share: Array | None = None
) -> tuple[Array, Array]:
    """What the pixels say of a value u_i that scene i adds to all of them: matrix (n, n) and right side of ``A u = b``.

    ``A = sum_p x_p^2 Q_p``, ``b = sum_p x_p Q_p y_p`` with the inverse covariances Q_p of the pixels (generalised least
    squares). share: (k,) x_p, the part of u_i that a pixel has; None = 1. Other arguments as in ``withhold``.
    """
    matrix, right = np.zeros((len(days), len(days))), np.zeros(len(days))
    _gather(days, y, drift, noise, model, np.ones(len(y)) if share is None else share, matrix, right)
    return matrix, right


def likelihoods(days: Array, y: Array, drift: Array, noise: Array, model: Model, kinds: Array) -> Array:
    """Restricted log likelihood (kinds, k) of every pixel's values, with the variance of r times each of ``kinds``.

    NaN with fewer than three values; other arguments as in ``withhold``.
    """
    out = np.full((len(kinds), len(y)), np.nan)
    over_strips(lambda first, last: _marginal(days, y, drift, noise, model, kinds, first, last, out), len(y), STEP)
    return out
