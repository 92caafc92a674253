"""Quality layers of a plan: what scenes say of each other, the model learned from it, and what each day rests on."""

from __future__ import annotations

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
from satfusion_assets.fusion.efast.operands import DayEvidence, Layers, SceneEvidence
from satfusion_assets.fusion.efast.quality import Keep, Quality
from satfusion_assets.fusion.efast.uncertainty import ErrorModel, fit_error_model, remaining_part, typical_errors
from satfusion_assets.fusion.efast.upsampling import sample, upsample
from satfusion_assets.fusion.efast.weights import SceneWeights, leave_one_out_weights
from satfusion_assets.fusion.efast.windows import DayNumbers
from satfusion_assets.fusion.efast.withholding import withhold

if TYPE_CHECKING:
    from satfusion_assets.fusion.efast.plan import FusionPlan

SAMPLE_SIDE: Final = 24
"""Pixels a side of the lattice from which the error model learns."""
KEPT_ROWS: Final = 6
"""Rows that are handed over together where they are kept otherwise: of a season of the usual size they are 5 MB."""

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


def assess(
    plan: FusionPlan,
    days: DayNumbers,
    parameters: Parameters,
    weights: SceneWeights,
    values: Array,
    keep: Keep | None = None,
) -> Quality:
    """Quality layers of ``values`` (p, b, H, W) fused with ``weights``."""
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
    layers = assess_days(plan, days, parameters, weights, left_out, noise, model, values, keep)
    support = coarse_support(days, images.coarse, images.coarse_days, parameters.coarse_reach)
    return Quality(layers.days_to_scene, layers.effective_scenes, support.min(axis=1), layers.standard_deviation, model)


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


def assess_days(
    plan: FusionPlan,
    days: DayNumbers,
    parameters: Parameters,
    weights: SceneWeights,
    left_out: SceneWeights,
    noise: NDArray[Any],
    model: ErrorModel,
    values: Array,
    keep: Keep | None = None,
) -> Layers:
    """What each day's estimate rests on. noise: (p, b, h, w) coarse variance that reaches the fine pixels."""
    images = plan.images
    scenes = _scene_evidence(plan, parameters, left_out, model.typical_error)
    lags = (images.fine_days[None, :] - days[:, None]).astype(images.dtype)
    corners = np.empty((len(days), tallies.CORNERS, *weights.values.shape[1:]), images.dtype)
    deviations.tally_centres(weights.packed, lags, corners)
    evidence = DayEvidence(
        lags,
        noise.astype(images.dtype),
        model.drift.astype(images.dtype),
        values,
        weights.packed,
        corners,
    )
    height = values.shape[2]
    if keep is None:
        whole = _empty_layers(values.shape)
        over_strips(
            lambda first, last: deviations.assess(scenes, evidence, first, last, 0, whole),
            height,
            parameters.ratio,
            plan.threads,
        )
        return whole
    no_days = _empty_layers((0, *values.shape[1:]))
    kept = Layers(
        *(np.empty((len(days), *none.shape[1:]), keep(name, none, 0).dtype) for name, none in no_days._asdict().items())
    )

    def assess_and_keep(first: int, last: int) -> None:
        rows = _empty_layers((*values.shape[:2], last - first, values.shape[3]))
        deviations.assess(scenes, evidence, first, last, first, rows)
        for name, layer in rows._asdict().items():
            getattr(kept, name)[..., first:last, :] = keep(name, layer, first)

    over_strips(assess_and_keep, height, KEPT_ROWS, plan.threads)
    return kept


def _empty_layers(shape: tuple[int, ...]) -> Layers:
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


def on_fine_rows(plan: FusionPlan, images: Array, parameters: Parameters, rows: NDArray[np.intp]) -> Array:
    return upsample(images, plan.grid(parameters.ratio, plan.images.dtype), rows, plan.images.fine.shape[3])


def lattice(size: int) -> NDArray[np.intp]:
    """Rows (or columns) of ``size`` from which the error model learns."""
    return np.unique(np.linspace(0, size - 1, min(size, SAMPLE_SIDE) + 2).astype(np.intp)[1:-1])
