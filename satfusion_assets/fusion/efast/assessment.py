"""Quality layers of a plan: what scenes say of each other, the model learned from it, and what each day rests on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from satfusion_assets.fusion.efast import deviations, tallies
from satfusion_assets.fusion.efast.coarse import coarse_support
from satfusion_assets.fusion.efast.coarse_noise import coarse_departures, coarse_variance
from satfusion_assets.fusion.efast.compiled import over_strips
from satfusion_assets.fusion.efast.inputs import Parameters
from satfusion_assets.fusion.efast.operands import DayEvidence, Layers, SceneEvidence, Weights
from satfusion_assets.fusion.efast.quality import Quality
from satfusion_assets.fusion.efast.uncertainty import ErrorModel, fit_error_model, remaining_part, typical_errors
from satfusion_assets.fusion.efast.upsampling import sample
from satfusion_assets.fusion.efast.weights import SceneWeights, leave_one_out_weights
from satfusion_assets.fusion.efast.windows import DayNumbers
from satfusion_assets.fusion.efast.withholding import withhold

if TYPE_CHECKING:
    from satfusion_assets.fusion.efast.plan import FusionPlan

SAMPLE_SIDE: Final = 24
"""Pixels a side of the lattice from which the error model learns."""
KEPT_ROWS: Final = 2
"""Rows that are handed over together where a season is taken row by row: values of the usual size are 2 MB."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class SceneErrors:
    """How far scenes are from what the others say of them, on the rows and columns asked for: (n, b, r, c), sorted by
    day.

    departures: scene minus ``U(C(t_i))``; as predicted where a scene lacks a single band, 0 where it lacks all. errors:
    scene minus its prediction from the others, NaN = unknown. squares: e_i^2 of ``uncertainty``, the typical one where
    unknown, 0 where the scene is missing. typical_error: (b,) of the area's lattice.
    """

    departures: Array
    errors: Array
    squares: Array
    typical_error: NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """What is known of days before they are fused, for their assessment; as in ``DayEvidence``."""

    scenes: SceneEvidence
    lags: Array
    noise: Array
    drift: Array
    weights: Weights
    corners: Array

    def assess(self, values: Array, first: int, last: int, top_row: int, layers: Layers) -> None:
        """Fill rows ``first:last`` of ``layers``, which begin with row ``top_row`` as ``values`` (p, b, r, W) do."""
        evidence = DayEvidence(self.lags, self.noise, self.drift, values, self.weights, self.corners)
        deviations.assess(self.scenes, evidence, first, last, top_row, layers)


class Rooms(threading.local):
    """Where a thread has some rows while it computes them: new memory for each would cost as much as a tenth of their
    values. shape: (p, b, r, W) of the largest.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._room: tuple[Array, Layers] | None = None

    def of(self, rows: int) -> tuple[Array, Layers]:
        """Values (p, b, rows, W) and their layers, with what was there before."""
        shape = (*self._shape[:2], rows, self._shape[3])
        if self._room is None or self._room[0].shape != shape:
            self._room = np.empty(shape, self._dtype), empty_layers(shape)
        return self._room


def assess(plan: FusionPlan, days: DayNumbers, parameters: Parameters, weights: SceneWeights, values: Array) -> Quality:
    """Quality layers of ``values`` (p, b, H, W) fused with ``weights``."""
    images = plan.images
    studied, model = study(plan, days, parameters, weights)
    layers = assess_whole(plan, studied, parameters, values)
    support = coarse_support(days, images.coarse, images.coarse_days, parameters.coarse_reach)
    return Quality(layers.days_to_scene, layers.effective_scenes, support.min(axis=1), layers.standard_deviation, model)


def study(
    plan: FusionPlan, days: DayNumbers, parameters: Parameters, weights: SceneWeights
) -> tuple[Study, ErrorModel]:
    """What is known of ``days`` beside their values, and the error model that it rests on."""
    images = plan.images
    left_out = leave_one_out_weights(images, parameters)
    with threadpool_limits(limits=1, user_api="blas"):  # So small are the products that more threads mostly wait.
        coarse_errors = coarse_departures(images.coarse, images.coarse_days)
        # Scenes' days and predicted ones together: what is asked of the coarse series is read once.
        scene_days = images.fine_days if plan.error_model is None else images.fine_days[:0]
        variance = coarse_variance(np.concatenate([scene_days, days]), coarse_errors, images.coarse_days)
        on_scenes, on_days = variance[: len(scene_days)], variance[len(scene_days) :]
        model = plan.error_model or learn(plan, parameters, left_out, coarse_errors, on_scenes)
    noise = model.coarse_part[:, None, None] * on_days
    return study_by(model, plan, days, parameters, weights, left_out, noise), model


def scene_errors(
    plan: FusionPlan,
    parameters: Parameters,
    left_out: SceneWeights,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> SceneErrors:
    """Every scene predicted from the others with the weights ``left_out``, on fine ``rows`` (r,) and ``columns`` (c,),
    which ascend."""
    images = plan.images
    shape = (len(images.fine), images.bands, len(rows), len(columns))
    errors, departures, squares = (np.empty(shape, images.dtype) for _ in range(3))
    evidence = _scene_evidence(plan, parameters, left_out, np.full(images.bands, np.nan))
    deviations.predict_scenes(evidence, rows, columns, images.fine.shape[3], errors, departures, squares)
    typical = typical_errors(errors[..., np.isin(columns, lattice(images.fine.shape[3]))])
    for band in range(images.bands):
        np.copyto(squares[:, band], typical[band] ** 2, where=np.isnan(squares[:, band]))
    return SceneErrors(departures, errors, squares, typical)


def learn(
    plan: FusionPlan,
    parameters: Parameters,
    left_out: SceneWeights,
    coarse_errors: NDArray[np.float64],
    coarse_noise: NDArray[np.float64],
) -> ErrorModel:
    """The error model of the plan's area, from a lattice of pixels. coarse_errors: ``coarse_departures`` of its
    images; coarse_noise: (n, b, h, w) their variance on the days of the scenes."""
    images = plan.images
    rows, columns = (lattice(size) for size in images.fine.shape[2:])
    scenes = scene_errors(plan, parameters, left_out, rows, columns)

    def flat(fine: Array) -> Array:
        return fine.reshape(*fine.shape[:-2], len(rows) * len(columns))

    def upsampled(coarse: NDArray[Any]) -> Array:
        grid = plan.grid(parameters.ratio, images.dtype)
        return sample(coarse.astype(images.dtype, copy=False), grid, rows, columns)

    departures = flat(images.fine[..., rows[:, None], columns])[images.order] - upsampled(plan.coarse_then)
    withheld = withhold(images.fine_days, left_out, upsampled(left_out.values), departures, flat(scenes.squares))
    part = remaining_part(np.square(upsampled(coarse_errors)), upsampled(np.square(coarse_errors)))
    model = fit_error_model(flat(scenes.errors), withheld, upsampled(coarse_noise), part, scenes.typical_error)
    as_given = np.argsort(images.order)
    return replace(model, scene_noise=model.scene_noise[as_given])


def study_by(
    model: ErrorModel,
    plan: FusionPlan,
    days: DayNumbers,
    parameters: Parameters,
    weights: SceneWeights,
    left_out: SceneWeights,
    noise: NDArray[Any],
) -> Study:
    """The same by a ``model`` that is known. noise: (p, b, h, w) coarse variance that reaches the fine pixels."""
    dtype = plan.images.dtype
    scenes = _scene_evidence(plan, parameters, left_out, model.typical_error)
    lags = (plan.images.fine_days[None, :] - days[:, None]).astype(dtype)
    corners = np.empty((len(days), tallies.CORNERS, *weights.values.shape[1:]), dtype)
    deviations.tally_centres(weights.packed, lags, corners)
    return Study(scenes, lags, noise.astype(dtype), model.drift.astype(dtype), weights.packed, corners)


def assess_whole(plan: FusionPlan, studied: Study, parameters: Parameters, values: Array) -> Layers:
    """Layers of all rows of ``values`` (p, b, H, W)."""
    whole = empty_layers(values.shape)
    over_strips(
        lambda first, last: studied.assess(values, first, last, 0, whole),
        values.shape[2],
        parameters.ratio,
        plan.threads,
    )
    return whole


def empty_layers(shape: tuple[int, ...]) -> Layers:
    """Layers of values of ``shape`` (p, b, H, W)."""
    images = (shape[0], *shape[2:])
    return Layers(np.empty(images, np.uint8), np.empty(images, np.float32), np.empty(shape, np.float32))


def _scene_evidence(
    plan: FusionPlan, parameters: Parameters, left_out: SceneWeights, typical_error: NDArray[np.float64]
) -> SceneEvidence:
    images = plan.images
    return SceneEvidence(
        images.fine,
        images.order,
        plan.coarse_then,
        left_out.packed,
        left_out.squared_shares,
        np.square(typical_error).astype(images.dtype),
        plan.grid(parameters.ratio, images.dtype),
    )


def lattice(size: int) -> NDArray[np.intp]:
    """Rows (or columns) of ``size`` from which the error model learns."""
    return np.unique(np.linspace(0, size - 1, min(size, SAMPLE_SIDE) + 2).astype(np.intp)[1:-1])
