"""Universal kriging in time as a scalar Kalman smoother, for all pixels of a row at once.

Model of a pixel and band (Cressie 1993, section 3.4; Rasmussen & Williams 2006, section 2.7), scenes i on days t_i:

    F(t) = m + g c(t) + r(t),   y_i = F(t_i) + e_i,
    m flat, g ~ N(g0, s_g^2), r Ornstein-Uhlenbeck: cov(r(t), r(u)) = s^2 exp(-|t - u| / L), e_i ~ N(0, n_i)

Given beta = (m, g), r is a scalar Markov process (Hartikainen & Sarkka 2010), so one filter run over the series y, 1
and c gives its smoothed value as a linear function of beta, and beta by generalised least squares (the diffuse filter
of De Jong 1991): 1 - A1(t) and c(t) - Ac(t) are what kriging calls the drift's residual. Between two scene days
r is a bridge of its two neighbours, whose coefficients are the same for all pixels. A scene that is missing in a pixel is
one of infinite noise, so all pixels share the same scene days and the loops over pixels are vector operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.processing.efast.compiled import compiled, inlined
from satfusion_assets.processing.kriging.operands import Bridges, Prior, Strip, Surface

CHUNK = 128
"""Pixels that are worked on together: the filter's states of a season stay in the core's cache."""

ROBUST_ROUNDS = 2
"""Times that values far from what the others say lose weight before the last smoothing."""


@inlined
def _forward(y: Any, noise: Any, drift: Any, rho: Any, scale: Any, mean: Any, spread: Any, sums: Any) -> None:
    """Filter the series y, 1 and drift of every pixel.

    y, noise, drift: (n, x). rho: (n,) correlation of a scene day with the one before. scale: (x,) variance of r.
    mean: (n, 3, x) filtered states. spread: (n, 2, x) filtered and predicted variance. sums: (7, x), added to: the
    normal equations 11, 1c, cc, 1y, cy, then yy and the log determinant.
    """
    n, width = y.shape
    for s in range(n):
        for x in range(width):
            if s == 0:
                ahead = scale[x]
                before_y, before_1, before_c = 0.0, 0.0, 0.0
            else:
                ahead = rho[s] * rho[s] * (spread[s - 1, 0, x] - scale[x]) + scale[x]
                before_y = rho[s] * mean[s - 1, 0, x]
                before_1 = rho[s] * mean[s - 1, 1, x]
                before_c = rho[s] * mean[s - 1, 2, x]
            total = ahead + noise[s, x]
            gain = ahead / total
            told_y, told_1, told_c = y[s, x] - before_y, 1.0 - before_1, drift[s, x] - before_c
            mean[s, 0, x] = before_y + gain * told_y
            mean[s, 1, x] = before_1 + gain * told_1
            mean[s, 2, x] = before_c + gain * told_c
            spread[s, 0, x] = ahead * (1.0 - gain)
            spread[s, 1, x] = ahead
            sums[0, x] += told_1 * told_1 / total
            sums[1, x] += told_1 * told_c / total
            sums[2, x] += told_c * told_c / total
            sums[3, x] += told_1 * told_y / total
            sums[4, x] += told_c * told_y / total
            sums[5, x] += told_y * told_y / total
            # A missing scene adds the same to every likelihood of a pixel: nothing.
            sums[6, x] += np.log(total) if noise[s, x] < np.inf else 0.0


@inlined
def _solve(sums: Any, prior_gain: float, prior_precision: float, beta: Any) -> None:
    """beta (5, x): m, g and the covariance mm, mg, gg, from the normal equations of ``_forward``."""
    for x in range(beta.shape[1]):
        a, b, d = sums[0, x], sums[1, x], sums[2, x] + prior_precision
        p, q = sums[3, x], sums[4, x] + prior_precision * prior_gain
        determinant = a * d - b * b
        beta[0, x] = (d * p - b * q) / determinant
        beta[1, x] = (a * q - b * p) / determinant
        beta[2, x] = d / determinant
        beta[3, x] = -b / determinant
        beta[4, x] = a / determinant


@inlined
def _backward(rho: Any, mean: Any, spread: Any) -> None:
    """Smooth in place: mean (n, 3, x); spread (n, 2, x) becomes the smoothed variance and the covariance with the next."""
    n, _, width = mean.shape
    for s in range(n - 2, -1, -1):
        for x in range(width):
            back = spread[s, 0, x] * rho[s + 1] / spread[s + 1, 1, x]
            for k in range(3):
                mean[s, k, x] += back * (mean[s + 1, k, x] - rho[s + 1] * mean[s, k, x])
            spread[s, 0, x] += back * back * (spread[s + 1, 0, x] - spread[s + 1, 1, x])
            # The predicted variance of s + 1 has served; its place takes the covariance of s with s + 1.
            spread[s + 1, 1, x] = back * spread[s + 1, 0, x]


@inlined
def _fit(
    y: Any, noise: Any, drift: Any, rho: Any, scale: Any, gain: float, precision: float, work: Any
) -> None:
    mean, spread, sums, beta = work
    sums[:] = 0.0
    _forward(y, noise, drift, rho, scale, mean, spread, sums)
    _solve(sums, gain, precision, beta)
    _backward(rho, mean, spread)


@inlined
def _reweigh(y: Any, given: Any, drift: Any, freedom: float, work: Any, noise: Any) -> None:
    """noise (n, x) = given noise over the Student-t weight of each value's leave-one-out error.

    The error and its variance come from the smoothed value and its variance V (Sundararajan & Keerthi 2001, in the form
    of a linear smoother): ``e n / (n - V)`` and ``n^2 / (n - V)``.
    """
    mean, spread, _, beta = work
    n, width = y.shape
    for s in range(n):
        for x in range(width):
            if given[s, x] < np.inf:
                one, of_drift = 1.0 - mean[s, 1, x], drift[s, x] - mean[s, 2, x]
                value = mean[s, 0, x] + one * beta[0, x] + of_drift * beta[1, x]
                variance = spread[s, 0, x] + _quadratic(one, of_drift, beta[2, x], beta[3, x], beta[4, x])
                left = max(noise[s, x] - variance, 1e-3 * noise[s, x])
                error = (y[s, x] - value) * noise[s, x] / left
                expected = noise[s, x] * noise[s, x] / left + given[s, x] - noise[s, x]
                squared = error * error / max(expected, given[s, x])
                noise[s, x] = given[s, x] * max((freedom + squared) / (freedom + 1.0), 1.0)


@inlined
def _quadratic(a: Any, b: Any, aa: Any, ab: Any, bb: Any) -> Any:
    return a * a * aa + 2.0 * a * b * ab + b * b * bb


@inlined
def _likelihood(sums: Any, prior_gain: float, precision: float, out: Any) -> None:
    """Restricted log likelihood (x,) of ``_forward``, up to what does not depend on the variance of r."""
    for x in range(out.size):
        a, b, d = sums[0, x], sums[1, x], sums[2, x] + precision
        p, q = sums[3, x], sums[4, x] + precision * prior_gain
        determinant = a * d - b * b
        explained = (d * p * p - 2.0 * b * p * q + a * q * q) / determinant
        out[x] = -0.5 * (sums[5, x] - explained + sums[6, x] + np.log(determinant))


@inlined
def _kind(
    y: Any, noise: Any, drift: Any, rho: Any, band: int, prior: Prior, work: Any, chances: Any, scale: Any
) -> None:
    """scale (x,): the variance of r, as the mean over the kinds of pixel under their posterior probabilities."""
    mean, spread, sums, _ = work
    kinds, width = chances.shape
    for k in range(kinds):
        scale[:] = prior.variance[band] * prior.kinds[k]
        sums[:] = 0.0
        _forward(y, noise, drift, rho, scale, mean, spread, sums)
        _likelihood(sums, prior.gain[band], prior.gain_precision[band], chances[k])
    for x in range(width):
        highest = -np.inf
        for k in range(kinds):
            chances[k, x] += np.log(prior.shares[band, k])
            highest = max(highest, chances[k, x])
        total, value = 0.0, 0.0
        for k in range(kinds):
            chance = np.exp(chances[k, x] - highest)
            chances[k, x] = chance
            total += chance
            value += chance * prior.kinds[k]
        for k in range(kinds):
            chances[k, x] /= total
        scale[x] = prior.variance[band] * value / total


@inlined
def _load(strip: Strip, prior: Prior, band: int, row: int, x: int, y: Any, noise: Any, drift: Any) -> int:
    """Values, noise and drift (n, x) of a chunk that begins at pixel ``x``; missing: value 0, noise infinite."""
    fine, order, usable, drift_then, _ = strip
    n, width = y.shape
    size = min(width, fine.shape[3] - x)
    for s in range(n):
        for i in range(width):
            y[s, i], noise[s, i], drift[s, i] = 0.0, np.inf, 0.0
        for i in range(size):
            value = fine[order[s], band, row, x + i]
            known = np.isfinite(value) and usable[s, row, x + i]
            drift[s, i] = drift_then[s, band, row, x + i]
            if known and prior.noise[s, band] < np.inf:
                y[s, i] = value - prior.offset[s, band]
                noise[s, i] = prior.noise[s, band]
    return size


@inlined
def _seen(noise: Any, seen: Any) -> None:
    """How many scenes (x,) a pixel has."""
    seen[:] = 0
    for s in range(noise.shape[0]):
        for x in range(seen.size):
            seen[x] += 1 if noise[s, x] < np.inf else 0


@inlined
def _days(strip: Strip, bridges: Bridges, band: int, row: int, x: int, size: int, work: Any, state: Any, out: Surface) -> None:
    """Mean and standard deviation of every day, from the smoothed states of the scene days around it.

    state: variance of r (x,), scenes seen (x,).
    """
    mean, spread, _, beta = work
    scale, seen = state
    values, deviation = out
    before, after, ahead, behind, remainder, common = bridges
    for p in range(before.size):
        i, j = before[p], after[p]
        u, v, w, own = ahead[p, band], behind[p, band], remainder[p, band], common[p, band]
        for k in range(size):
            one = 1.0 - (u * mean[i, 1, k] + v * mean[j, 1, k])
            of_drift = strip.drift_now[p, band, row, x + k] - (u * mean[i, 2, k] + v * mean[j, 2, k])
            value = u * mean[i, 0, k] + v * mean[j, 0, k] + one * beta[0, k] + of_drift * beta[1, k]
            variance = w * scale[k] + u * u * spread[i, 0, k] + v * v * spread[j, 0, k]
            variance += 2.0 * u * v * spread[j, 1, k] if i < j else 0.0
            variance += _quadratic(one, of_drift, beta[2, k], beta[3, k], beta[4, k]) + own
            values[p, band, row, x + k] = value if seen[k] > 0 else np.nan
            deviation[p, band, row, x + k] = np.sqrt(variance) if seen[k] > 0 else np.nan


@compiled
def krige(strip: Strip, prior: Prior, bridges: Bridges, out: Surface) -> None:
    """Fill ``out`` for the rows of ``strip``."""
    bands, height, width = strip.fine.shape[1:]
    n = len(strip.order)
    y = np.empty((n, CHUNK), np.float64)
    given, noise, drift = np.empty_like(y), np.empty_like(y), np.empty_like(y)
    work = (np.empty((n, 3, CHUNK)), np.empty((n, 2, CHUNK)), np.empty((7, CHUNK)), np.empty((5, CHUNK)))
    scale, seen = np.empty(CHUNK), np.empty(CHUNK, np.int64)
    chances = np.empty((len(prior.kinds), CHUNK))
    for row in range(height):
        for x in range(0, width, CHUNK):
            for band in range(bands):
                size = _load(strip, prior, band, row, x, y, given, drift)
                _seen(given, seen)
                rho, gain, precision = prior.correlation[band], prior.gain[band], prior.gain_precision[band]
                noise[:] = given
                scale[:] = prior.variance[band]
                if prior.freedom < np.inf:
                    for _ in range(ROBUST_ROUNDS):
                        _fit(y, noise, drift, rho, scale, gain, precision, work)
                        _reweigh(y, given, drift, prior.freedom, work, noise)
                if len(prior.kinds) > 1:
                    _kind(y, noise, drift, rho, band, prior, work, chances, scale)
                _fit(y, noise, drift, rho, scale, gain, precision, work)
                _days(strip, bridges, band, row, x, size, work, (scale, seen), out)
