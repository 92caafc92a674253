"""Quality layers of a plan: leave-one-scene-out errors, the model learned from them, and what each day rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast import kernels
from satfusion_assets.processing.efast.coarse import coarse_support
from satfusion_assets.processing.efast.coarse_noise import coarse_variance
from satfusion_assets.processing.efast.compiled import over_strips
from satfusion_assets.processing.efast.inputs import Parameters
from satfusion_assets.processing.efast.quality import Quality, scene_layers
from satfusion_assets.processing.efast.uncertainty import (
    Departure,
    ErrorModel,
    deviate,
    fit_error_model,
    scene_noises,
    variance_terms,
)
from satfusion_assets.processing.efast.upsampling import upsample
from satfusion_assets.processing.efast.weights import SceneWeights, leave_one_out_weights
from satfusion_assets.processing.efast.windows import DayNumbers

if TYPE_CHECKING:
    from satfusion_assets.processing.efast.plan import FusionPlan

BATCH_DAYS: Final = 16
"""Days whose statistics are held at a time."""
SAMPLE_SIDE: Final = 36
"""Pixels a side of the lattice from which the error model learns."""
NEIGHBOUR_DAYS: Final = 15
"""Three scenes within so many days tell the scene noise: the surface between them is nearly a line."""

Array = NDArray[np.floating[Any]]


def scene_errors(plan: FusionPlan, parameters: Parameters) -> Array:
    """Scene minus its prediction from the other scenes: (n, b, H, W) sorted by day, NaN = unknown."""
    images = plan.images
    errors = np.empty_like(images.fine)
    plan.blend(plan.coarse_then, leave_one_out_weights(images, parameters), parameters.ratio, errors)
    for s, scene in enumerate(images.order):
        np.subtract(images.fine[scene], errors[s], out=errors[s])
    return errors


def learn(plan: FusionPlan, parameters: Parameters, errors: Array) -> ErrorModel:
    """The error model of the plan's area, from a lattice of pixels."""
    images = plan.images
    height, width = images.fine.shape[2:]
    rows, columns = _lattice(height), _lattice(width)
    weights = leave_one_out_weights(images, parameters)
    statistics = _statistics(plan, images.fine_days, parameters, weights, np.abs(errors), rows)[..., columns]
    variance = coarse_variance(images.fine_days, images.coarse, images.coarse_days).astype(images.dtype)
    noise = _on_fine_rows(plan, variance, parameters, rows)[..., columns]
    sample = errors[:, :, rows][..., columns]
    terms = np.stack([variance_terms(noise[:, b], np.moveaxis(statistics, 1, 0), b) for b in range(images.bands)])
    scenes, bands = sample.shape[:2]
    noises = scene_noises(list(_departures(plan, rows, columns)), scenes, bands)
    errors_by_band = np.moveaxis(sample, 1, 0).reshape(bands, scenes, -1)
    return fit_error_model(errors_by_band, terms.reshape(*terms.shape[:2], scenes, -1), noises)


def assess(plan: FusionPlan, days: DayNumbers, parameters: Parameters, weights: SceneWeights, values: Array) -> Quality:
    """Quality layers of ``values`` (p, b, H, W) fused with ``weights``."""
    images = plan.images
    errors = scene_errors(plan, parameters)
    model = plan.error_model or learn(plan, parameters, errors)
    np.abs(errors, out=errors)
    shape = (len(days), *images.fine.shape[2:])
    nearest, scenes = np.empty(shape, np.uint8), np.empty(shape, np.float32)
    deviation = np.empty(values.shape, np.float32)
    every_row = np.arange(shape[1])
    noise = coarse_variance(days, images.coarse, images.coarse_days).astype(images.dtype)
    for start in range(0, len(days), BATCH_DAYS):
        batch = slice(start, min(start + BATCH_DAYS, len(days)))
        statistics = _statistics(plan, days[batch], parameters, weights.of_days(batch), errors, every_row)
        nearest[batch], scenes[batch] = scene_layers(statistics)
        _deviate(plan, noise[batch], parameters, statistics, model, deviation[batch])
    deviation[np.isnan(values)] = np.nan
    support = coarse_support(days, images.coarse, images.coarse_days, parameters.coarse_reach)
    return Quality(nearest, scenes, support.min(axis=1), deviation, model)


def _statistics(
    plan: FusionPlan,
    days: DayNumbers,
    parameters: Parameters,
    weights: SceneWeights,
    residuals: Array,
    rows: NDArray[np.intp],
) -> Array:
    images, ratio = plan.images, parameters.ratio
    out = np.empty((len(days), 3 + images.bands, len(rows), images.fine.shape[3]), images.dtype)
    shared = (
        residuals,
        plan.scene_presence,
        (images.fine_days[None, :] - days[:, None]).astype(images.dtype),
        weights.packed,
        plan.grid(ratio, images.dtype),
        rows,
    )
    over_strips(lambda first, last: kernels.judge(*shared, first, last, out), len(rows), ratio, plan.threads)
    return out


def _deviate(
    plan: FusionPlan, noise: Array, parameters: Parameters, statistics: Array, model: ErrorModel, out: Array
) -> None:
    shared = (
        _on_fine_rows(plan, noise, parameters, np.arange(out.shape[2])),
        statistics,
        model.coefficients,
        model.typical_error,
    )
    over_strips(lambda first, last: deviate(*shared, first, last, out), out.shape[2], parameters.ratio, plan.threads)


def _on_fine_rows(plan: FusionPlan, images: Array, parameters: Parameters, rows: NDArray[np.intp]) -> Array:
    return upsample(images, plan.grid(parameters.ratio, plan.images.dtype), rows, plan.images.fine.shape[3])


def _lattice(size: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, size - 1, min(size, SAMPLE_SIDE) + 2).astype(np.intp)[1:-1])


def _departures(plan: FusionPlan, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Iterator[Departure]:
    """Departures of scenes from the line between their neighbours in time."""
    images, days = plan.images, plan.images.fine_days
    sample = images.fine[:, :, rows][..., columns].reshape(len(images.fine), images.bands, -1)[images.order]
    for i in range(1, len(days) - 1):
        span = days[i + 1] - days[i - 1]
        if 0 < span <= NEIGHBOUR_DAYS:
            later = float(days[i] - days[i - 1]) / float(span)
            line = (1 - later) * sample[i - 1] + later * sample[i + 1]
            yield Departure(i, later, (sample[i] - line) / np.sqrt(1 + later**2 + (1 - later) ** 2))
