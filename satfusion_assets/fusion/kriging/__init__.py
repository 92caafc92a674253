"""Kriging with external drift in time: mean and deviation of every day from scenes, with the coarse series as drift.

    F(t) = m + g c(t) + r(t),   y_i = F(t_i) + h_i + e_i

m: the pixel's level, flat. g c(t): the coarse series, as far as the pixel follows it. r: what the coarse series does
not tell, with exponential correlation. h_i: what a scene has to itself over the whole site. e_i: a value's own noise.
The best linear unbiased predictor of F and its variance are one computation (Cressie 1993, section 3.4; Rasmussen &
Williams 2006, section 2.7); ``kernels`` has it as a Kalman smoother, linear in scenes and days.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.fusion.efast.fused import Fused
from satfusion_assets.fusion.efast.inputs import Images, check_images
from satfusion_assets.fusion.kriging.detail import Detail, learn_detail, sharpened
from satfusion_assets.fusion.kriging.drift import SMOOTHING_DAYS
from satfusion_assets.fusion.kriging.hyperparameters import Hyperparameters, per_band, per_scene
from satfusion_assets.fusion.kriging.plan import (
    KrigingPlan,
    acquisitions,
    learn_from,
    learn_surface,
    of_scenes,
    surface_of,
)
from satfusion_assets.fusion.kriging.quality import KrigingQuality
from satfusion_assets.fusion.kriging.snow import SnowFlags, flags
from satfusion_assets.fusion.kriging.support import Support
from satfusion_assets.vocabulary.scenarios import BANDS

__all__ = [
    "Detail",
    "Hyperparameters",
    "KrigingPlan",
    "KrigingQuality",
    "SnowFlags",
    "Support",
    "krige",
    "plan",
    "snow_flags",
    "surface_coarse",
]


def krige(
    prediction_days: ArrayLike,
    coarse: ArrayLike | None,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    **options: Any,
) -> Fused:
    """Images of ``prediction_days`` and their deviation; arguments as ``efast.fuse`` and ``plan`` take them."""
    return plan(coarse, coarse_days, fine, fine_days, cloud_distance, ratio=ratio, **options).fuse(prediction_days)


def plan(
    coarse: ArrayLike | None,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    hyperparameters: Hyperparameters | None = None,
    gain: ArrayLike | None = None,
    gain_spread: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    correlation_days: ArrayLike | None = None,
    noise: ArrayLike | None = None,
    scene_offset: ArrayLike | None = None,
    freedom: float | None = None,
    smoothing_days: float | None = None,
    coarse_snow: ArrayLike | None = None,
    fine_snow: ArrayLike | None = None,
    finer: bool = True,
    threads: int | None = None,
) -> KrigingPlan:
    """A season ready to be kriged on any days.

    coarse: (t, b, h, w), NaN or 0 = missing; None or t = 0 = Sentinel-2 alone. Other images: as ``efast.fuse`` takes
    them. hyperparameters: of a larger area. What is left out of the rest is learned, or taken from them: gain and
    gain_spread of the drift, variance of r, correlation_days, each a number or (b,); noise: variance of a scene's
    values, infinite = no part, and scene_offset: a number, (b,) or (n, b). A given variance holds for every pixel, a
    given noise is Gaussian about offsets of 0 unless ``freedom`` (of Student's t) or ``scene_offset`` say otherwise.
    Scenes of one day are one acquisition and count once, unless their noise is given.
    The coarse series is filtered to what it says of the surface (``surface_filter``), unless the gain is given, which
    is one of the series as it is.
    coarse_snow (t, h, w) and fine_snow (n, H, W): where images show snow; found in the images where they have the four
    bands of ``BANDS``. finer: predict bands that were spread from larger pixels with the detail that the other bands
    tell (``detail``); false = as they were measured.

    Raises ValueError, naming the argument, for shapes that do not fit and constants out of range.
    """
    images = _images(coarse, coarse_days, fine, fine_days, cloud_distance, ratio)
    detail = _detail(images, hyperparameters) if finer else None
    unknown = None
    if detail is not None:
        finer_images = sharpened(images, detail)
        images, unknown = finer_images.images, finer_images.unknown
    detected = flags(images, int(ratio)) if images.bands == len(BANDS) else None
    on_coarse = (
        _given(coarse_snow, images.coarse, "coarse_snow") if coarse_snow is not None else detected and detected.coarse
    )
    on_fine = _given(fine_snow, images.fine, "fine_snow") if fine_snow is not None else detected and detected.fine
    usable = None if on_fine is None else ~on_fine
    if noise is None:
        images, usable = acquisitions(images, usable)
    if smoothing_days is not None and not smoothing_days > 0:
        raise ValueError(f"smoothing_days must be positive, not {smoothing_days}.")
    given = (gain, gain_spread, variance, correlation_days, noise)
    if hyperparameters is not None:
        _check_fit(hyperparameters, images)
    surface = None
    if gain is None:
        surface = hyperparameters.surface if hyperparameters else learn_surface(images, ratio, usable, on_coarse)
    if surface is not None:
        images = surface_of(images, surface, on_coarse)
    if hyperparameters is None:
        if all(value is not None for value in given) or not len(images.fine):
            hyperparameters = _blank(images)
        else:
            hyperparameters = of_scenes(learn_from(images, ratio, usable, on_coarse, smoothing_days), images)
    settings = replace(
        _overridden(hyperparameters, images, given, scene_offset, freedom), detail=detail, surface=surface
    )
    if smoothing_days is not None:
        settings = replace(settings, smoothing_days=float(smoothing_days))
    return KrigingPlan(images, int(ratio), settings, usable, on_coarse, unknown=unknown, threads=threads)


def snow_flags(
    coarse: ArrayLike | None, coarse_days: ArrayLike, fine: ArrayLike, fine_days: ArrayLike, ratio: int
) -> SnowFlags:
    """Where images with the bands of ``BANDS`` show snow, as ``plan`` tells it where it is not given."""
    scenes = np.asarray(fine)
    near = np.zeros((len(scenes), *(size // int(ratio) for size in scenes.shape[2:])), np.float32)
    return flags(_images(coarse, coarse_days, fine, fine_days, near, ratio), int(ratio))


def surface_coarse(
    coarse: ArrayLike,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    ratio: int,
    snow: SnowFlags | None = None,
) -> NDArray[np.floating[Any]]:
    """The coarse images (t, b, h, w) as ``plan`` takes them for its drift: what they say of the surface.

    An index of them is the drift of an index that is kriged of itself. snow: as found by ``snow_flags``; None = none.
    Unchanged where there are too few scenes to tell, or one band alone.
    """
    scenes = np.asarray(fine)
    near = np.zeros((len(scenes), *(size // int(ratio) for size in scenes.shape[2:])), np.float32)
    images, usable = acquisitions(
        _images(coarse, coarse_days, fine, fine_days, near, ratio), None if snow is None else ~snow.fine
    )
    on_coarse = None if snow is None else snow.coarse
    surface = learn_surface(images, int(ratio), usable, on_coarse)
    return images.coarse if surface is None else surface_of(images, surface, on_coarse).coarse


def _images(
    coarse: ArrayLike | None,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    ratio: int,
) -> Images:
    if ratio != int(ratio) or ratio < 1:
        raise ValueError(f"ratio must be a whole number of at least 1, not {ratio}.")
    if coarse is None:
        scenes = np.asarray(fine)
        if scenes.ndim == 4:
            height, width = (size // int(ratio) for size in scenes.shape[2:])
            coarse = np.empty((0, scenes.shape[1], height, width), scenes.dtype)
            coarse_days = np.empty(0, "datetime64[D]")
        else:
            coarse = np.empty(0, np.float32)
    images = check_images(coarse, coarse_days, fine, fine_days, cloud_distance, int(ratio))
    return replace(images, coarse=_finite(images.coarse), fine=_finite(images.fine))


def _finite(stack: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """``stack`` with infinite pixels missing; one of them would spoil what all pixels learn together. Copied only where
    there are some, and looked through image by image, for the memory."""
    if not any(np.isinf(image).any() for image in stack):
        return stack
    return np.where(np.isinf(stack), np.asarray(np.nan, stack.dtype), stack)


def _detail(images: Images, hyperparameters: Hyperparameters | None) -> Detail | None:
    if hyperparameters is None:
        return learn_detail(images)
    detail = hyperparameters.detail
    if detail is not None and not np.array_equal(detail.days, images.fine_days):
        raise ValueError("hyperparameters are of scenes of other days than those of the images.")
    return detail


def _given(snow: ArrayLike, images: NDArray[Any], name: str) -> NDArray[np.bool_]:
    shape = (len(images), *images.shape[2:])
    found = np.asarray(snow)
    if found.shape != shape or found.dtype != bool:
        raise ValueError(f"{name} must be bool of shape {shape}, not {found.dtype} of {found.shape}.")
    return found


def _blank(images: Images) -> Hyperparameters:
    """Nothing learned, to be given."""
    bands, n = images.bands, len(images.fine)
    one = np.ones(bands)
    return Hyperparameters(
        0 * one,
        one,
        one,
        60 * one,
        np.ones(1),
        np.ones((bands, 1)),
        np.ones((n, bands)),
        np.zeros((n, bands)),
        np.zeros((n, bands)),
        np.zeros(bands),
        np.zeros((n, bands, n, bands)),
        np.ones((n, bands)),
        np.inf,
        np.eye(bands),
        SMOOTHING_DAYS,
    )


def _check_fit(hyperparameters: Hyperparameters, images: Images) -> None:
    given, has = hyperparameters.noise.shape, (len(images.fine), images.bands)
    if given != has:
        raise ValueError(f"hyperparameters are of {given} scenes and bands; the images have {has}.")


def _overridden(
    learned: Hyperparameters,
    images: Images,
    given: tuple[ArrayLike | None, ...],
    scene_offset: ArrayLike | None,
    freedom: float | None,
) -> Hyperparameters:
    bands, n = images.bands, len(images.fine)
    gain, gain_spread, variance, correlation_days, noise = given
    changes: dict[str, Any] = {}
    if gain is not None:
        changes["gain"] = per_band(gain, "gain", bands)
    if gain_spread is not None:
        changes["gain_spread"] = per_band(gain_spread, "gain_spread", bands)
    if variance is not None:
        changes["variance"] = per_band(variance, "variance", bands, positive=True)
        changes |= {"kinds": np.ones(1), "shares": np.ones((bands, 1)), "season_factor": np.ones((n, bands))}
    if correlation_days is not None:
        changes["correlation_days"] = per_band(correlation_days, "correlation_days", bands, positive=True)
    if noise is not None:
        changes["noise"] = per_scene(noise, "noise", n, bands, positive=True)
        changes |= {"freedom": np.inf, "season_factor": np.ones((n, bands)), **_no_effects(n, bands)}
    if scene_offset is not None:
        changes |= _no_effects(n, bands) | {"offset": per_scene(scene_offset, "scene_offset", n, bands)}
    if freedom is not None:
        if not freedom > 0:
            raise ValueError(f"freedom must be positive, not {freedom}.")
        changes["freedom"] = float(freedom)
    return replace(learned, **changes)


def _no_effects(scenes: int, bands: int) -> dict[str, NDArray[np.float64]]:
    none = np.zeros((scenes, bands))
    return {"offset": none, "contrast": none, "offset_covariance": np.zeros((scenes, bands, scenes, bands))}
