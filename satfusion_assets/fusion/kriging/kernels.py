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

from satfusion_assets.fusion.efast.compiled import compiled, inlined, merged
from satfusion_assets.fusion.efast.rows import LANES
from satfusion_assets.fusion.kriging.operands import Bridges, Prior, Strip, Surface

CHUNK = 256
"""Pixels that are worked on together: the filter's states of a season stay in the core's cache."""

STEP = 2.0**30
"""Beyond it, and below one over it, a product of many factors is scaled."""

ROBUST_ROUNDS = 1
"""Times that values far from what the others say lose weight before the last smoothing; a second time moves nothing."""


@inlined
def _start(scale: Any, run: Any) -> None:
    run[:] = run.dtype.type(0)
    run[3] = scale
    run[5] = scale
    run[13] = run.dtype.type(1)


@merged
def _step(y: Any, noise: Any, drift: Any, s: int, keep: Any, run: Any) -> None:
    """Take scene s into the filter of the series y, 1 and drift of every pixel.

    y, noise, drift: (n, x). keep: correlation of r with the scene day before. run: (15, x), of which the
    rows are: filtered y, 1 and drift; filtered and predicted variance; variance of r; the normal equations 11, 1c, cc,
    1y, cy and yy; the scene's weight; and two rows of ``_likelihood``.
    """
    one = run.dtype.type(1)
    for x in range(run.shape[1]):
        ahead = keep * keep * (run[3, x] - run[5, x]) + run[5, x]
        weight = one / (ahead + noise[s, x])
        part = ahead * weight
        told_y, told_1 = y[s, x] - keep * run[0, x], one - keep * run[1, x]
        told_c = drift[s, x] - keep * run[2, x]
        run[0, x] = keep * run[0, x] + part * told_y
        run[1, x] = keep * run[1, x] + part * told_1
        run[2, x] = keep * run[2, x] + part * told_c
        run[3, x] = ahead * (one - part)
        run[4, x] = ahead
        run[6, x] += told_1 * told_1 * weight
        run[7, x] += told_1 * told_c * weight
        run[8, x] += told_c * told_c * weight
        run[9, x] += told_1 * told_y * weight
        run[10, x] += told_c * told_y * weight
        run[11, x] += told_y * told_y * weight
        run[12, x] = weight


@inlined
def _forward(y: Any, noise: Any, drift: Any, rho: Any, scale: Any, states: Any, run: Any) -> None:
    """Filter all scenes, and keep the first five rows of ``run`` after each in ``states`` (n, 5, x).

    y, noise, drift: (n, x). rho: (n,) correlation of a scene day with the one before. scale: (x,) variance of r.
    """
    n, kept, width = states.shape
    every, now = states.reshape(n, kept * width), run.reshape(run.size)
    _start(scale, run)
    for s in range(n):
        _step(y, noise, drift, s, rho[s], run)
        for i in range(kept * width):
            every[s, i] = now[i]


@inlined
def _likelihood(y: Any, noise: Any, drift: Any, band: int, prior: Prior, scale: Any, run: Any, found: Any) -> None:
    """Restricted log likelihood (x,) of every pixel in ``found``, with ``scale`` (x,) for the variance of r, up to a
    constant.

    The determinant is a product, in row 13 of ``run``, of which ``STEP`` is taken out as often as row 14 says, so that
    it needs one logarithm a pixel.
    """
    gain, precision, unit = prior.gain[band], prior.gain_precision[band], prior.variance[band]
    one, none, step = run.dtype.type(1), run.dtype.type(0), run.dtype.type(STEP)
    log_step = np.log(step)
    _start(scale, run)
    for s in range(len(y)):
        _step(y, noise, drift, s, prior.correlation[band, s], run)
        for x in range(run.shape[1]):
            # A missing scene, of infinite noise, is no part of the likelihood.
            product = run[13, x] * (run[12, x] * unit if run[12, x] > none else one)
            large, small = product > step, product < one / step
            run[13, x] = product / step if large else product * step if small else product
            run[14, x] += one if large else -one if small else none
    for x in range(run.shape[1]):
        a, b, d = run[6, x], run[7, x], run[8, x] + precision
        p, q = run[9, x], run[10, x] + precision * gain
        determinant = a * d - b * b
        left = run[11, x] + precision * gain * gain - (p * (d * p - b * q) + q * (a * q - b * p)) / determinant
        found[x] = (run[14, x] * log_step + np.log(run[13, x] * precision / determinant) - left) / (one + one)


@inlined
def _solve(equations: Any, prior_gain: Any, prior_precision: Any, beta: Any) -> None:
    """beta (5, x): m, g and the covariance mm, mg, gg, from the normal equations 11, 1c, cc, 1y and cy."""
    for x in range(beta.shape[1]):
        a, b, d = equations[0, x], equations[1, x], equations[2, x] + prior_precision
        p, q = equations[3, x], equations[4, x] + prior_precision * prior_gain
        determinant = a * d - b * b
        beta[0, x] = (d * p - b * q) / determinant
        beta[1, x] = (a * q - b * p) / determinant
        beta[2, x] = d / determinant
        beta[3, x] = -b / determinant
        beta[4, x] = a / determinant


@inlined
def _backward(rho: Any, states: Any, run: Any) -> None:
    """Smooth ``states`` (n, 5, x) of ``_forward`` in place; the predicted variance, which has served then, gives its
    place to the covariance with the scene before.

    run: (15, x), of which the first five rows are the scene after, the next the covariance with it, and rows 7 to 11
    this scene.
    """
    n, kept, width = states.shape
    every, now = states.reshape(n, kept * width), run.reshape(run.size)
    for i in range(kept * width):
        now[i] = every[n - 1, i]
    for s in range(n - 2, -1, -1):
        keep, shift = rho[s + 1], 7 * width
        for i in range(kept * width):
            now[shift + i] = every[s, i]
        for x in range(width):
            back = run[10, x] * keep / run[4, x]
            run[5, x] = back * run[3, x]
            run[3, x] = run[10, x] + back * back * (run[3, x] - run[4, x])
            run[4, x] = run[11, x]
            run[0, x] = run[7, x] + back * (run[0, x] - keep * run[7, x])
            run[1, x] = run[8, x] + back * (run[1, x] - keep * run[8, x])
            run[2, x] = run[9, x] + back * (run[2, x] - keep * run[9, x])
        for x in range(width):
            states[s + 1, 4, x] = run[5, x]
        for i in range(4 * width):
            every[s, i] = now[i]


@inlined
def _fit(y: Any, noise: Any, drift: Any, band: int, prior: Prior, scale: Any, work: Any) -> None:
    states, beta, run = work
    _forward(y, noise, drift, prior.correlation[band], scale, states, run)
    _solve(run[6:11], prior.gain[band], prior.gain_precision[band], beta)
    _backward(prior.correlation[band], states, run)


@inlined
def _reweigh(y: Any, given: Any, drift: Any, freedom: Any, work: Any, noise: Any) -> None:
    """noise (n, x) = given noise over the Student-t weight of each value's leave-one-out error.

    The error and its variance come from the smoothed value and its variance V (Sundararajan & Keerthi 2001, in the form
    of a linear smoother): ``e n / (n - V)`` and ``n^2 / (n - V)``.
    """
    states, beta, _ = work
    n, width = y.shape
    one, least = y.dtype.type(1), y.dtype.type(1e-3)
    for s in range(n):
        for x in range(width):
            own, now = given[s, x], noise[s, x]
            of_level, of_drift = one - states[s, 1, x], drift[s, x] - states[s, 2, x]
            value = states[s, 0, x] + of_level * beta[0, x] + of_drift * beta[1, x]
            variance = states[s, 3, x] + _quadratic(of_level, of_drift, beta[2, x], beta[3, x], beta[4, x])
            left = _larger(now - variance, least * now)
            error = (y[s, x] - value) * now / left
            expected = now * now / left + own - now
            squared = error * error / _larger(expected, own)
            doubt = _larger((freedom + squared) / (freedom + one), one)
            noise[s, x] = own * doubt if own < np.inf else own


@inlined
def _larger(a: Any, b: Any) -> Any:
    return a if a > b else b


@inlined
def _quadratic(a: Any, b: Any, aa: Any, ab: Any, bb: Any) -> Any:
    return a * a * aa + (a * b + a * b) * ab + b * b * bb


@inlined
def _kind(y: Any, noise: Any, drift: Any, band: int, prior: Prior, run: Any, chances: Any, scale: Any) -> None:
    """scale (x,): the variance of r, as the mean over the kinds of pixel under their posterior probabilities."""
    kinds, width = chances.shape
    none = scale.dtype.type(0)
    for k in range(kinds):
        scale[:] = prior.variance[band] * prior.kinds[k]
        _likelihood(y, noise, drift, band, prior, scale, run, chances[k])
        chances[k] += np.log(prior.shares[band, k])
    for x in range(width):
        highest = chances[0, x]
        for k in range(1, kinds):
            highest = _larger(chances[k, x], highest)
        total, value = none, none
        for k in range(kinds):
            chance = np.exp(chances[k, x] - highest)
            total += chance
            value += chance * prior.kinds[k]
        scale[x] = prior.variance[band] * value / total


@inlined
def _load(
    strip: Strip,
    prior: Prior,
    band: int,
    row: int,
    at: int,
    x: int,
    y: Any,
    noise: Any,
    drift: Any,
    level: Any,
    weights: Any,
) -> int:
    """Values, noise and drift (n, x) of a chunk that begins at pixel ``x`` of a row, which is row ``at`` of the drift.

    Missing: value 0, noise infinite. What a scene has to itself is taken off, in parts alike for all pixels and in
    proportion to the pixel's level. The level (x,), the mean of a pixel's values under their noise, is taken off as
    well, for the sake of rounding, and NaN where a pixel was never seen.
    """
    fine, order, usable, _, drift_then, _ = strip
    n, width = y.shape
    size = min(width, fine.shape[3] - x)
    none, one = y.dtype.type(0), y.dtype.type(1)
    far = one / none
    level[:], weights[:] = none, none
    y[:, size:], noise[:, size:], drift[:, size:] = none, far, none
    for s in range(n):
        own, offset, chosen = prior.noise[s, band], prior.offset[s, band], order[s]
        precision = one / own
        pixels, ground = fine[chosen, band, row, x : x + size], usable[chosen, row, x : x + size]
        drift[s, :size] = drift_then[s, band, at, x : x + size]
        for i in range(np.uint64(size)):
            known = (abs(pixels[i]) < far) & ground[i] & (own < far)
            value = pixels[i] - offset if known else none
            y[s, i] = value
            noise[s, i] = own if known else far
            level[i] += value * precision
            weights[i] += precision if known else none
    for i in range(width):
        level[i] /= weights[i]
    for s in range(n):
        contrast = prior.contrast[s, band]
        for i in range(width):
            effect = level[i] + contrast * (level[i] - prior.centre[band])
            y[s, i] = y[s, i] - effect if noise[s, i] < far else none
    return size


@inlined
def _days(
    strip: Strip, bridges: Bridges, band: int, row: int, at: int, x: int, size: int, found: Any, out: Surface
) -> None:
    """Mean and standard deviation of every day, from the smoothed states of the scene days around it.

    found: the smoothed states (n, 5, x), beta (5, x), level and variance of r (x,).
    """
    states, beta, level, scale = found
    values, deviation = out
    before, after, ahead, behind, remainder, common, factor = bridges
    unit = level.dtype.type(1)
    pixels, start = np.uint64(size), np.uint64(x)
    for p in range(before.size):
        i, j = before[p], after[p]
        u, v, w, own = ahead[p, band], behind[p, band], remainder[p, band], common[p, band]
        times = factor[p, band]
        uu, vv = u * u, v * v
        uv = u * v + u * v if i < j else u - u
        for k in range(pixels):
            one = unit - (u * states[i, 1, k] + v * states[j, 1, k])
            of_drift = strip.drift_now[p, band, at, start + k] - (u * states[i, 2, k] + v * states[j, 2, k])
            rest = u * states[i, 0, k] + v * states[j, 0, k]
            values[p, band, row, start + k] = rest + one * beta[0, k] + of_drift * beta[1, k] + level[k]
            variance = w * scale[k] + uu * states[i, 3, k] + vv * states[j, 3, k] + uv * states[j, 4, k]
            of_trend = _quadratic(one, of_drift, beta[2, k], beta[3, k], beta[4, k])
            shared = own + strip.unknown[band, row, start + k]
            deviation[p, band, row, start + k] = np.sqrt(times * (variance + of_trend) + shared)


@inlined
def _silence(level: Any, beta: Any) -> None:
    """No estimate, and no variance of one, where a pixel was never seen."""
    for x in range(len(level)):
        if np.isnan(level[x]):
            beta[:, x] = level[x]


@compiled
def krige(strip: Strip, prior: Prior, bridges: Bridges, first: int, last: int, out: Surface) -> None:
    """Fill rows ``first:last`` of ``out``, of which ``strip`` has the drift."""
    bands, _, width = strip.fine.shape[1:]
    n = len(strip.order)
    dtype = out.values.dtype
    chunks = -(-width // CHUNK)
    chunk = -(-width // (chunks * LANES)) * LANES
    y = np.empty((n, chunk), dtype)
    given, noise, drift = np.empty_like(y), np.empty_like(y), np.empty_like(y)
    states, beta = np.empty((n, 5, chunk), dtype), np.empty((5, chunk), dtype)
    run = np.empty((15, chunk), dtype)
    level, weights, scale = np.empty(chunk, dtype), np.empty(chunk, dtype), np.empty(chunk, dtype)
    chances = np.empty((len(prior.kinds), chunk), dtype)
    work, found = (states, beta, run), (states, beta, level, scale)
    for row in range(first, last):
        for x in range(0, width, chunk):
            for band in range(bands):
                size = _load(strip, prior, band, row, row - first, x, y, given, drift, level, weights)
                noise[:] = given
                scale[:] = prior.variance[band]
                if prior.freedom < np.inf:
                    for _ in range(ROBUST_ROUNDS):
                        _fit(y, noise, drift, band, prior, scale, work)
                        _reweigh(y, given, drift, prior.freedom, work, noise)
                if len(prior.kinds) > 1:
                    _kind(y, noise, drift, band, prior, run, chances, scale)
                _fit(y, noise, drift, band, prior, scale, work)
                _silence(level, beta)
                _days(strip, bridges, band, row, row - first, x, size, found, out)
