"""Hyper-parameters from the scenes alone: a fixed sample of pixels, every scene and window of scenes withheld in turn.

Drift, correlation and variance maximise the predictive likelihood of withheld values (Sundararajan & Keerthi 2001),
scenes alone and with all that lie within ``WINDOWS`` days, so that one setting serves dense and gappy seasons: how far
the coarse series is trusted is decided by long withholdings. What scenes have to themselves is taken off first
(``scene_effects``), and learned again once the rest is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from threadpoolctl import threadpool_limits

from satfusion_assets.fusion.kriging import hyperparameters as defaults
from satfusion_assets.fusion.kriging.folds import DIFFUSE, Model, likelihoods, scene_equations, withhold
from satfusion_assets.fusion.kriging.sample import INDEPENDENT_PIXELS, Sample, drift_of, effects_of, start_of
from satfusion_assets.fusion.kriging.scene_effects import SceneEffects, no_effects
from satfusion_assets.fusion.kriging.scene_noise import LEAST_NOISE, scene_noise, wide
from satfusion_assets.fusion.kriging.season_factor import on_days, season_factors

Array = NDArray[np.float64]

WINDOWS: Final = np.array([0.0, 10.0, 30.0])
"""Days to either side of a scene that are withheld with it."""
LEAST_FACTOR: Final = 1e-6
"""By which the scale of the defaults shrinks at most: without any error it would vanish."""
ROUNDS: Final = 2
EVALUATIONS: Final = (150, 70)
"""Of the likelihood, in each round."""
_PRIOR_WIDTH: Final = np.array([1.0, 0.7, 1.5, 0.7, 0.7])
"""Widths of the normal priors of log s, log L, log n / s, g0 and log s_g about their defaults."""


@dataclass(frozen=True)
class Learned:
    """Of every band what ``Hyperparameters`` holds, by day; effects: of the days, contrast and season_factor: (n, b) of
    them."""

    models: tuple[Model, ...]
    shares: Array
    noise: Array
    effects: SceneEffects
    contrast: Array
    centre: Array
    band_correlation: Array
    season_factor: Array
    smoothing_days: float
    days: int


def learn(sample: Sample) -> Learned:
    """Hyper-parameters of every band; the defaults of ``hyperparameters`` where fewer than ``LEAST_SCENES`` days
    tell, or a band is the same everywhere and always. On one thread of BLAS: more are no sooner, for more CPU."""
    telling = sample.telling
    if not sample.tells_enough:
        return _learn_scale(sample)
    with threadpool_limits(limits=1, user_api="blas"):
        learned = _learn_all(sample.of(telling))
    return _on_all_days(learned, sample.days, telling)


def _learn_all(sample: Sample) -> Learned:
    bands, pixels, n = sample.values.shape
    starts = [start_of(sample.values[band], (0.0, 0.0)) for band in range(bands)]
    # Scenes speak first without the drift, which would take their effects for a change of the surface.
    models, noise = [start[0] for start in starts], np.repeat([[start[1]] for start in starts], n, axis=1)
    effects = no_effects(n, bands)
    contrast, levels = np.zeros((n, bands)), np.zeros((bands, pixels))
    for evaluations in EVALUATIONS:
        effects = effects_of(sample, models, noise, None)
        less = replace(sample, values=sample.values - effects.offset.T[:, None])
        levels = np.stack([_levels(values, noise[band]) for band, values in enumerate(less.values)])
        contrast = effects_of(less, models, noise, levels - levels.mean(axis=1, keepdims=True)).offset
        for band in range(bands):
            offset = _offset(effects, contrast, levels, band)
            models[band], noise[band] = _fit(sample, band, offset, models[band], noise[band], evaluations)
        clean = [sample.values[band] - _offset(effects, contrast, levels, band) for band in range(bands)]
        sample = _smoothed_best(sample, clean, models, noise)
    return _learned(sample, models, noise, effects, contrast, levels, n)


def _smoothed_best(sample: Sample, clean: list[Array], models: list[Model], noise: Array) -> Sample:
    """The sample with the smoothing under which withheld values are most likely; clean: (k, n) by band, without
    effects."""

    def likelihood(width: float) -> float:
        trial = replace(sample, smoothing_days=width)
        errors = [
            withhold(sample.days, values, drift_of(trial, band), wide(noise[band], values), models[band], WINDOWS)
            for band, values in enumerate(clean)
        ]
        return sum(_predictive(error, uncertain) for error, uncertain in errors)

    return replace(sample, smoothing_days=max(sample.drifts, key=likelihood)) if sample.drifts else sample


def _levels(values: Array, noise: Array) -> Array:
    """Mean (k,) of every pixel's values (k, n) under their noise (n,); the mean of all where a pixel has none."""
    weight = np.isfinite(values) / noise
    total = weight.sum(axis=1)
    level = np.divide((weight * np.nan_to_num(values)).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    return np.where(total > 0, level, level[total > 0].mean() if (total > 0).any() else 0.0)


def _offset(effects: SceneEffects, contrast: Array, levels: Array, band: int) -> Array:
    """What scenes add to each pixel of the sample: (k, n)."""
    about: Array = levels[band] - levels[band].mean()
    return effects.offset[:, band] + about[:, None] * contrast[:, band]


def _learn_scale(sample: Sample) -> Learned:
    """The defaults, with variance and noise in the scale of the values, and the gain that changes from place to place
    tell."""
    bands, _, n = sample.values.shape
    gain = (0.0, 0.0) if sample.drift is None else (defaults.GAIN, defaults.GAIN_SPREAD)
    models, noises = [], []
    for band in range(bands):
        model, noise = start_of(sample.values[band], gain)
        if sample.drift is not None:
            model = _pooled_gain(sample, band, model, noise)
        model, scaled = _scale(sample, band, model, np.full(n, noise))
        models.append(model)
        noises.append(scaled)
    none, levels = np.zeros((n, bands)), np.zeros((bands, sample.values.shape[1]))
    return _learned(sample, models, np.stack(noises), no_effects(n, bands), none, levels, 0)


def _pooled_gain(sample: Sample, band: int, model: Model, noise: float) -> Model:
    """``model`` with the mean gain estimated from places: each scene's effect on all of them free, the default as
    prior.

    Generalised least squares of y = u_i + g c + ...: with ``A``, ``b_y`` and ``b_c`` of ``scene_equations``,
    ``g = (c'Qy - b_c' A+ b_y) / (c'Qc - b_c' A+ b_c)``.
    """
    values, drift = sample.values[band], drift_of(sample, band)
    known = np.isfinite(values)
    length, variance, mean, spread = model
    centred = (length, variance, 0.0, spread)
    wide = np.full(values.shape, noise)
    matrix, of_values = scene_equations(sample.days, values, drift, wide, centred)
    of_drift = scene_equations(sample.days, np.where(known, drift, np.nan), drift, wide, centred)[1]
    inverse = np.linalg.pinv(matrix, rcond=1e-8, hermitian=True)
    own = np.array([_products(sample.days, v, c, noise, centred) for v, c in zip(values, drift, strict=True)]).sum(
        axis=0
    )
    information = (own[1] - of_drift @ inverse @ of_drift) * INDEPENDENT_PIXELS / len(values)
    toward = (own[0] - of_drift @ inverse @ of_values) * INDEPENDENT_PIXELS / len(values)
    prior = 1 / defaults.GAIN_WIDTH**2
    gain = (toward + prior * mean) / (max(information, 0.0) + prior)
    return length, variance, float(np.clip(gain, *defaults.GAIN_BOUNDS)), spread


def _products(days: Array, values: Array, drift: Array, noise: float, model: Model) -> tuple[float, float]:
    """c'Qy and c'Qc of one pixel, with Q its inverse covariance."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return 0.0, 0.0
    length, variance, _, spread = model
    c, y = drift[known] - drift[known].mean(), values[known] - values[known].mean()
    apart = np.abs(days[known][:, None] - days[known][None, :])
    covariance = variance * (np.exp(-apart / length) + DIFFUSE) + spread**2 * np.outer(c, c) + noise * np.eye(len(c))
    solved = np.linalg.solve(covariance, np.column_stack([y, c]))
    return float(c @ solved[:, 0]), float(c @ solved[:, 1])


def _learned(
    sample: Sample, models: list[Model], noise: Array, effects: SceneEffects, contrast: Array, levels: Array, days: int
) -> Learned:
    less = np.stack([values - _offset(effects, contrast, levels, band) for band, values in enumerate(sample.values)])
    clean = replace(sample, values=less)
    shares = np.stack([_shares(clean, band, model, noise[band]) for band, model in enumerate(models)])
    correlation = _band_correlation(clean, models, noise)
    factor = np.ones((len(sample.days), len(models)))
    if days:
        factor = np.stack(
            [
                season_factors(sample.days, less[band], drift_of(sample, band), noise[band], model, shares[band])
                for band, model in enumerate(models)
            ],
            axis=1,
        )
    return Learned(
        tuple(models),
        shares,
        noise,
        effects,
        contrast,
        levels.mean(axis=1),
        correlation,
        factor,
        sample.smoothing_days,
        days,
    )


def _on_all_days(learned: Learned, days: Array, telling: NDArray[np.bool_]) -> Learned:
    """Days without a usable value take part with the usual noise, and an effect of which only the usual size is
    known."""
    bands, n = len(learned.models), len(telling)
    square = np.einsum("nbnb->nb", learned.effects.covariance.reshape(learned.effects.offset.shape * 2))
    own = np.mean(learned.effects.offset**2 + square, axis=0)
    noise = np.repeat((np.median(learned.noise, axis=1) + own)[:, None], n, axis=1)
    noise[:, telling] = learned.noise
    offset, weight, contrast = np.zeros((n, bands)), np.ones(n), np.zeros((n, bands))
    contrast[telling] = learned.contrast
    offset[telling], weight[telling] = learned.effects.offset, learned.effects.weight
    covariance = np.zeros((n, bands, n, bands))
    which, of_bands = np.flatnonzero(telling), np.arange(bands)
    k = len(which)
    covariance[np.ix_(which, of_bands, which, of_bands)] = learned.effects.covariance.reshape(k, bands, k, bands)
    effects = SceneEffects(offset, covariance.reshape(n * bands, n * bands), weight)
    factor = on_days(days, days[telling], learned.season_factor)
    return replace(learned, noise=noise, effects=effects, contrast=contrast, season_factor=factor)


def _fit(sample: Sample, band: int, offset: Array, model: Model, noise: Array, evaluations: int) -> tuple[Model, Array]:
    """Model and noise (n,) of one band, the scenes' offsets (k, n) taken off."""
    noise = scene_noise(sample.days, sample.values[band] - offset, drift_of(sample, band), model, noise)
    relative = noise / np.median(noise)
    values = sample.values[band] - offset
    length, variance, gain, spread = model
    drifts = sample.drift is not None
    centre = np.array(
        [
            np.log(variance) / 2,
            np.log(defaults.CORRELATION_DAYS),
            np.log(defaults.NOISE_SHARE),
            defaults.GAIN,
            np.log(defaults.GAIN_SPREAD),
        ]
    )
    start = np.array(
        [
            np.log(variance) / 2,
            np.log(length),
            np.log(np.median(noise) / variance) / 2,
            gain,
            np.log(spread or defaults.GAIN_SPREAD),
        ]
    )
    weight = INDEPENDENT_PIXELS * len(sample.days)
    free = 5 if drifts else 3

    def unpack(x: Array) -> tuple[Model, Array]:
        variance = float(np.exp(2 * x[0]))
        noise = np.maximum(np.exp(2 * x[2]), LEAST_NOISE) * variance * relative
        drift = (float(x[3]), float(np.exp(x[4]))) if drifts else (0.0, 0.0)
        return (float(np.exp(x[1])), variance, *drift), noise

    def loss(x: Array) -> float:
        if not 1.0 < np.exp(x[1]) < 1000.0 or np.exp(x[2]) > 10:
            return np.inf
        model, noise = unpack(x)
        error, uncertain = withhold(sample.days, values, drift_of(sample, band), wide(noise, values), model, WINDOWS)
        prior = np.sum(((x - centre[:free]) / _PRIOR_WIDTH[:free]) ** 2) / 2
        return float(prior - weight * _predictive(error, uncertain))

    from scipy.optimize import minimize  # a third of a second, and none of EFAST's

    simplex = start[:free] + np.vstack([np.zeros(free), np.diag([0.4, 0.5, 0.5, 0.4, 0.5][:free])])
    options = {"maxfev": evaluations, "initial_simplex": simplex, "xatol": 0.02, "fatol": 0.1}
    model, noise = unpack(minimize(loss, start[:free], method="Nelder-Mead", options=options).x)
    return model, scene_noise(sample.days, sample.values[band] - offset, drift_of(sample, band), model, noise)


def _predictive(error: Array, uncertain: Array) -> float:
    """Mean log density of withheld values, each window counting alike, under Student's t."""
    nu = defaults.FREEDOM
    densities = []
    for e, v in zip(error, uncertain, strict=True):
        known = np.isfinite(e)
        if known.any():
            e, v = e[known], v[known]
            densities.append(-np.mean((nu + 1) / 2 * np.log1p(e**2 / (nu * v)) + np.log(v) / 2))
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2
    return float(np.mean(densities) + constant) if densities else -np.inf


def _scale(sample: Sample, band: int, model: Model, noise: Array) -> tuple[Model, Array]:
    """Variance of r and noise such that withheld values err as expected, the rest as it is."""
    values = sample.values[band]
    error, uncertain = withhold(sample.days, values, drift_of(sample, band), wide(noise, values), model, WINDOWS[:1])
    squared = (error**2 / uncertain)[np.isfinite(error)]
    factor = max(float(np.median(squared) / 0.455), LEAST_FACTOR) if squared.size else 1.0
    length, variance, gain, spread = model
    return (length, variance * factor, gain, spread), noise * factor


def _shares(sample: Sample, band: int, model: Model, noise: Array) -> Array:
    """Prior probabilities (k,) of the kinds of pixel, by expectation maximisation over the sample."""
    values = sample.values[band]
    kinds = np.array(defaults.KINDS)
    table = likelihoods(sample.days, values, drift_of(sample, band), wide(noise, values), model, kinds)
    table = table[:, np.isfinite(table[0])]
    shares = np.full(len(defaults.KINDS), 1 / len(defaults.KINDS))
    for _ in range(50 if table.size else 0):
        chance = shares[:, None] * np.exp(table - table.max(axis=0))
        shares = (chance / chance.sum(axis=0)).sum(axis=1) + 1
        shares /= shares.sum()
    return shares


def _band_correlation(sample: Sample, models: list[Model], noise: Array) -> Array:
    """Correlation (b, b) of the bands' errors at one pixel, from withheld scenes."""
    scores = []
    for band, model in enumerate(models):
        values = sample.values[band]
        own = wide(noise[band], values)
        error, uncertain = withhold(sample.days, values, drift_of(sample, band), own, model, WINDOWS[1:2])
        scores.append(np.clip(error / np.sqrt(uncertain), -3, 3).ravel())
    table = np.stack(scores)
    table = table[:, np.isfinite(table).all(axis=0)]
    if table.shape[1] < 3 * len(table):
        return np.eye(len(table))
    products = table @ table.T
    size = np.sqrt(np.diag(products))
    if not size.all():  # a band without any error
        return np.eye(len(table))
    correlation: Array = products / np.outer(size, size)
    return correlation
