"""The equation exactly as the authors' package evaluates it, one day at a time, traps included.

It exists to compare numbers: the platform's products come from ``plan``, which shares days and avoids the traps
listed in ``docs/fusion.md``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.coarse import MINIMUM_COARSE_VALUES
from satfusion_assets.fusion.efast.fused import Fused, Status
from satfusion_assets.fusion.efast.inputs import Images, Parameters
from satfusion_assets.fusion.efast.windows import DayNumbers, windows

Array = NDArray[np.floating[Any]]


def fuse_like_the_package(prediction_days: DayNumbers, images: Images, parameters: Parameters) -> Fused:
    """Senty et al. 2024, eq. 2, day by day; zeros in the first fine band are nodata."""
    shape = (len(prediction_days), images.bands, *images.fine.shape[2:])
    values = np.full(shape, np.nan, images.dtype)
    near = windows(prediction_days, images.coarse_days, parameters.coarse_reach)
    scenes = windows(prediction_days, images.fine_days, parameters.max_days)
    status = []
    for p, day in enumerate(prediction_days):
        coarse = slice(near.first[p], near.last[p])
        fine = slice(scenes.first[p], scenes.last[p])
        if coarse.start == coarse.stop:
            status.append(Status.NO_COARSE)
        elif fine.start == fine.stop:
            status.append(Status.NO_FINE)
        else:
            values[p] = _fuse_day(int(day), images, coarse, fine, parameters)
            status.append(Status.OK)
    return Fused(values, tuple(status))


def _fuse_day(day: int, images: Images, near: slice, scenes: slice, parameters: Parameters) -> Array:
    days, order = images.fine_days[scenes], images.order[scenes]
    weights = _weights(days - day, images.cloud_distance[order], parameters)
    importance = np.nan_to_num(weights).mean(axis=(1, 2))
    kept = importance > parameters.minimum_acquisition_importance / len(days)
    days, order, weights = days[kept], order[kept], weights[kept]
    at = _extrapolated(images.coarse[near], images.coarse_days[near], np.append(days, day))

    ratio, dtype = parameters.ratio, images.dtype
    total = np.zeros(images.fine.shape[2:], dtype)
    blended = np.zeros(images.fine.shape[1:], dtype)
    for i, scene in enumerate(order):
        fine = images.fine[scene]
        takes_part = (fine[0] != 0) & ~np.isnan(fine[0])
        weight = _upsample(np.nan_to_num(weights[i]).astype(dtype), ratio) * takes_part
        total += weight
        for b in range(images.bands):
            residual = np.nan_to_num(fine[b]) - _upsample(at[i, b].astype(dtype), ratio)
            blended[b] += weight * residual
    with np.errstate(invalid="ignore", divide="ignore"):
        blended /= total
    now = np.stack([_upsample(band.astype(dtype), ratio) for band in at[-1]])
    return np.where(total > 0, now + blended, np.nan).astype(dtype)


def _weights(distance_days: NDArray[np.int64], cloud_distance: Array, parameters: Parameters) -> Array:
    opacity = np.minimum((cloud_distance.astype(np.float64) - 1) / parameters.cloud_distance_limit, 1)
    opacity[opacity < 0] = np.nan
    weights = opacity * np.exp(-(distance_days[:, None, None] ** 2) / (2 * parameters.sigma**2))
    total = np.nansum(weights, axis=0)
    return weights / np.where(total > 0, total, np.nan)


def _extrapolated(coarse: Array, days: NDArray[np.int64], at: NDArray[np.int64]) -> Array:
    """Linear in time through the finite values, beyond them along the line of the two end values."""
    _, bands, height, width = coarse.shape
    result = np.full((len(at), bands, height, width), np.nan)
    for index in np.ndindex(bands, height, width):
        series = coarse[(slice(None), *index)].astype(np.float64)
        finite = np.isfinite(series)
        if finite.sum() < MINIMUM_COARSE_VALUES:
            continue
        x, y = days[finite], series[finite]
        left = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
        slope = (y[left + 1] - y[left]) / (x[left + 1] - x[left])
        result[(slice(None), *index)] = y[left] + slope * (at - x[left])
    return result


def _upsample(image: Array, ratio: int) -> Array:
    from scipy.ndimage import zoom  # half a second, which only this mode needs

    upsampled: Array = zoom(image, ratio, order=1, grid_mode=True, mode="nearest")
    return upsampled
