"""Universal kriging in time as a scalar Kalman smoother, for all pixels of a row at once.

Model of a pixel and band (Cressie 1993, section 3.4; Rasmussen & Williams 2006, section 2.7), scenes i on days t_i:

    F(t) = m + g c(t) + r(t),   y_i = F(t_i) + e_i,
    m flat, g ~ N(g0, s_g^2), r Ornstein-Uhlenbeck: cov(r(t), r(u)) = s^2 exp(-|t - u| / L), e_i ~ N(0, n_i)

Given beta = (m, g), r is a scalar Markov process (Hartikainen & Sarkka 2010), so one filter run over the series y, 1
and c gives its smoothed value as a linear function of beta, and beta by generalised least squares (the diffuse filter
of De Jong 1991): 1 - A1(t) and c(t) - Ac(t) are what kriging calls the drift's residual. Between two scene days
r is a bridge of its two neighbours, whose coefficients are the same for all pixels. A scene that is missing in a pixel
is one of infinite noise, so all pixels share the same scene days and the loops over pixels are vector operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.kriging.operands import Bridges, Prior, Strip, Surface

CHUNK = 128
"""Pixels that are worked on together: the filter's states of a season stay in the core's cache."""

ROBUST_ROUNDS = 1
"""Times that values far from what the others say lose weight before the last smoothing; a second time moves nothing."""


@inlined
def _forward(y: Any, noise: Any, drift: Any, rho: Any, scale: Any, mean: Any, spread: Any, sums: Any) -> None:
    """Filter the series y, 1 and drift of every pixel.

    y, noise, drift: (n, x). rho: (n,) correlation of a scene day with the one before. scale: (x,) variance of r.
    mean: (n, 3, x) filtered states. spread: (n, 2, x) filtered and predicted variance. sums: (5, x), the normal
    equations 11, 1c, cc, 1y, cy.
    """
    n, width = y.shape
    sums[:] = 0.0
    mean[0], spread[0] = 0.0, 0.0
    for s in range(n):
        last = max(s - 1, 0)
        keep = rho[s] if s > 0 else 0.0
        for x in range(width):
            ahead = keep * keep * (spread[last, 0, x] - scale[x]) + scale[x]
            total = ahead + noise[s, x]
            weight = 1.0 / total
            gain = ahead * weight
            before_y, before_1, before_c = keep * mean[last, 0, x], keep * mean[last, 1, x], keep * mean[last, 2, x]
            told_y, told_1, told_c = y[s, x] - before_y, 1.0 - before_1, drift[s, x] - before_c
            mean[s, 0, x] = before_y + gain * told_y
            mean[s, 1, x] = before_1 + gain * told_1
            mean[s, 2, x] = before_c + gain * told_c
            spread[s, 0, x] = ahead * (1.0 - gain)
            spread[s, 1, x] = ahead
            sums[0, x] += told_1 * told_1 * weight
            sums[1, x] += told_1 * told_c * weight
            sums[2, x] += told_c * told_c * weight
            sums[3, x] += told_1 * told_y * weight
            sums[4, x] += told_c * told_y * weight


@inlined
def _likelihood(y: Any, noise: Any, drift: Any, band: int, prior: Prior, scale: float, run: Any) -> None:
    """Restricted log likelihood of every pixel in ``run[0]``, with ``scale`` for the variance of r, up to a constant.

    run: (12, x); its rows are the likelihood, the filter's three means and variance, the normal equations with yy, and
    the determinant as a product, of which the logarithm is taken every eighth scene.
    """
    n, width = y.shape
    rho, gain, precision, unit = (
        prior.correlation[band],
        prior.gain[band],
        prior.gain_precision[band],
        prior.variance[band],
    )
    run[:] = 0.0
    run[4] = scale
    run[11] = 1.0
    for s in range(n):
        keep = rho[s] if s > 0 else 0.0
        for x in range(width):
            ahead = keep * keep * (run[4, x] - scale) + scale
            weight = 1.0 / (ahead + noise[s, x])
            part = ahead * weight
            told_y = y[s, x] - keep * run[1, x]
            told_1 = 1.0 - keep * run[2, x]
            told_c = drift[s, x] - keep * run[3, x]
            run[1, x] = keep * run[1, x] + part * told_y
            run[2, x] = keep * run[2, x] + part * told_1
            run[3, x] = keep * run[3, x] + part * told_c
            run[4, x] = ahead * (1.0 - part)
            run[5, x] += told_1 * told_1 * weight
            run[6, x] += told_1 * told_c * weight
            run[7, x] += told_c * told_c * weight
            run[8, x] += told_1 * told_y * weight
            run[9, x] += told_c * told_y * weight
            run[10, x] += told_y * told_y * weight
            # A missing scene, of infinite noise, is no part of the likelihood.
            run[11, x] *= weight * unit if weight > 0.0 else 1.0
        if s % 8 == 7 or s == n - 1:
            for x in range(width):
                run[0, x] += 0.5 * np.log(run[11, x])
                run[11, x] = 1.0
    for x in range(width):
        a, b, d = run[5, x], run[6, x], run[7, x] + precision
        p, q = run[8, x], run[9, x] + precision * gain
        determinant = a * d - b * b
        left = run[10, x] + precision * gain * gain - (d * p * p - 2.0 * b * p * q + a * q * q) / determinant
        run[0, x] -= 0.5 * (left + np.log(determinant / precision))


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
    """Smooth in place: mean (n, 3, x); spread (n, 2, x) becomes the smoothed variance and the covariance with the
    next."""
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
def _fit(y: Any, noise: Any, drift: Any, band: int, prior: Prior, scale: Any, work: Any) -> None:
    mean, spread, sums, beta = work
    _forward(y, noise, drift, prior.correlation[band], scale, mean, spread, sums)
    _solve(sums, prior.gain[band], prior.gain_precision[band], beta)
    _backward(prior.correlation[band], mean, spread)


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
    return a * a * aa + (a * b + a * b) * ab + b * b * bb


@inlined
def _kind(y: Any, noise: Any, drift: Any, band: int, prior: Prior, run: Any, chances: Any, scale: Any) -> None:
    """scale (x,): the variance of r, as the mean over the kinds of pixel under their posterior probabilities."""
    kinds, width = chances.shape
    for k in range(kinds):
        _likelihood(y, noise, drift, band, prior, prior.variance[band] * prior.kinds[k], run)
        share = np.log(prior.shares[band, k])
        for x in range(width):
            chances[k, x] = run[0, x] + share
    for x in range(width):
        highest = -np.inf
        for k in range(kinds):
            highest = max(highest, chances[k, x])
        total, value = 0.0, 0.0
        for k in range(kinds):
            chance = np.exp(chances[k, x] - highest)
            total += chance
            value += chance * prior.kinds[k]
        scale[x] = prior.variance[band] * value / total


@inlined
def _load(
    strip: Strip, prior: Prior, band: int, row: int, at: int, x: int, y: Any, noise: Any, drift: Any, level: Any
) -> int:
    """Values, noise and drift (n, x) of a chunk that begins at pixel ``x`` of a row, which is row ``at`` of the drift.

    Missing: value 0, noise infinite.
    What a scene has to itself is taken off, in parts alike for all pixels and in proportion to the pixel's level (x,),
    the mean of its values under their noise.
    """
    fine, order, usable, drift_then, _ = strip
    n, width = y.shape
    size = min(width, fine.shape[3] - x)
    level[:] = 0.0
    weights = np.zeros(width)
    for s in range(n):
        own = prior.noise[s, band]
        for i in range(size):
            value = fine[order[s], band, row, x + i]
            known = np.isfinite(value) and usable[order[s], row, x + i] and own < np.inf
            y[s, i] = value - prior.offset[s, band] if known else 0.0
            noise[s, i] = own if known else np.inf
            drift[s, i] = drift_then[s, band, at, x + i]
            if known:
                level[i] += y[s, i] / own
                weights[i] += 1.0 / own
        for i in range(size, width):
            y[s, i], noise[s, i], drift[s, i] = 0.0, np.inf, 0.0
    for i in range(size):
        level[i] = level[i] / weights[i] - prior.centre[band]
    for s in range(n):
        for i in range(size):
            y[s, i] -= prior.contrast[s, band] * level[i] if noise[s, i] < np.inf else 0.0
    return size


@inlined
def _days(
    strip: Strip, bridges: Bridges, band: int, row: int, at: int, x: int, size: int, states: Any, out: Surface
) -> None:
    """Mean and standard deviation of every day, from the smoothed states of the scene days around it.

    states: (n, 5, x) in the type of the images, with the three smoothed means, the variance and the covariance with the
    scene day before; (6, x) with beta and the variance of r, NaN where the pixel was never seen.
    """
    state, fixed = states
    values, deviation = out
    before, after, ahead, behind, remainder, common = bridges
    level, gain, aa, ab, bb, scale = fixed
    unit = state.dtype.type(1)
    for p in range(before.size):
        u, v, w, own = ahead[p, band], behind[p, band], remainder[p, band], common[p, band]
        twice = u * v + u * v if before[p] < after[p] else u - u
        first, second = state[before[p]], state[after[p]]
        now = strip.drift_now[p, band, at, x : x + size]
        value, spread = values[p, band, row, x : x + size], deviation[p, band, row, x : x + size]
        for k in range(np.uint64(size)):
            one = unit - (u * first[1, k] + v * second[1, k])
            of_drift = now[k] - (u * first[2, k] + v * second[2, k])
            value[k] = u * first[0, k] + v * second[0, k] + one * level[k] + of_drift * gain[k]
            variance = w * scale[k] + u * u * first[3, k] + v * v * second[3, k] + twice * second[4, k] + own
            spread[k] = np.sqrt(variance + _quadratic(one, of_drift, aa[k], ab[k], bb[k]))


@inlined
def _keep(noise: Any, work: Any, scale: Any, states: Any) -> None:
    """What ``_days`` needs, in the type of the images."""
    mean, spread, _, beta = work
    state, fixed = states
    n, width = noise.shape
    for x in range(width):
        seen = 0
        for s in range(n):
            seen += 1 if noise[s, x] < np.inf else 0
        fixed[5, x] = scale[x]
        for k in range(5):
            fixed[k, x] = beta[k, x] if seen else np.nan
    for s in range(n):
        for x in range(width):
            state[s, 0, x], state[s, 1, x], state[s, 2, x] = mean[s, 0, x], mean[s, 1, x], mean[s, 2, x]
            state[s, 3, x], state[s, 4, x] = spread[s, 0, x], spread[s, 1, x]


@compiled
def krige(strip: Strip, prior: Prior, bridges: Bridges, first: int, last: int, out: Surface) -> None:
    """Fill rows ``first:last`` of ``out``, of which ``strip`` has the drift."""
    bands, _, width = strip.fine.shape[1:]
    n = len(strip.order)
    dtype = out.values.dtype
    chunks = -(-width // CHUNK)
    chunk = -(-width // chunks)
    y = np.empty((n, chunk), np.float64)
    given, noise, drift = np.empty_like(y), np.empty_like(y), np.empty_like(y)
    work = (np.empty((n, 3, chunk)), np.empty((n, 2, chunk)), np.empty((5, chunk)), np.empty((5, chunk)))
    states = (np.empty((n, 5, chunk), dtype), np.empty((6, chunk), dtype))
    level, scale, run, chances = (
        np.empty(chunk),
        np.empty(chunk),
        np.empty((12, chunk)),
        np.empty((len(prior.kinds), chunk)),
    )
    for row in range(first, last):
        for x in range(0, width, chunk):
            for band in range(bands):
                size = _load(strip, prior, band, row, row - first, x, y, given, drift, level)
                noise[:] = given
                scale[:] = prior.variance[band]
                if prior.freedom < np.inf:
                    for _ in range(ROBUST_ROUNDS):
                        _fit(y, noise, drift, band, prior, scale, work)
                        _reweigh(y, given, drift, prior.freedom, work, noise)
                if len(prior.kinds) > 1:
                    _kind(y, noise, drift, band, prior, run, chances, scale)
                _fit(y, noise, drift, band, prior, scale, work)
                _keep(given, work, scale, states)
                _days(strip, bridges, band, row, row - first, x, size, states, out)
