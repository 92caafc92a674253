"""From scenes to the day's images that the fusion takes: masked reflectance, merged by day, and their GCC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.screening.clouds import CloudMask
from satfusion_assets.vocabulary import indices

DN_PER_REFLECTANCE: Final = 10_000
"""Digital numbers of raw Sentinel-2 per unit of reflectance, offset already applied."""

NODATA_DN: Final = 0
FLOOR_DN: Final = 10
"""Digital number up to which a band is at the floor: at or below a reflectance of 0.001, where noise and the clipping
of negative values leave nothing of the signal."""
HIGHEST_DN: Final = 20_000
"""Reflectance 2, above which nothing on the ground reflects; a saturated band is stored as 65535, with the offset taken
off as 64535."""
DARK_RED_DN: Final = 200
"""Red reflectance below which near infrared may be at the floor by itself: clear water."""

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PreparedScene:
    """One scene ready to be merged.

    values: (b, H, W) float32 reflectance, NaN = masked, unknown or nodata. cloud_distance: (h, w) float32 in coarse
    pixels, NaN = outside the granule; H and W are whole multiples of h and w.
    """

    values: Float32Array
    cloud_distance: Float32Array


@dataclass(frozen=True)
class MergedDay:
    """The image of one day.

    values and cloud_distance: as in ``PreparedScene``. source: (H, W) int16, number of the scene each pixel comes
    from, -1 = none.
    """

    values: Float32Array
    cloud_distance: Float32Array
    source: npt.NDArray[np.int16]


def reflectance(dn: npt.NDArray[np.uint16], mask: CloudMask) -> Float32Array:
    """Masked reflectance of a raw scene.

    dn: (b, H, W), reflectance x 10 000 with the offset applied, 0 = nodata. mask: the site's 10 m cloud mask (H, W).
    Returns float32 with NaN wherever the pixel is masked, defective or unknown, or the band was not ``measured``.
    """
    usable = mask.clear & measured(dn)
    return np.where(usable, dn.astype(np.float32) / np.float32(DN_PER_REFLECTANCE), np.float32(np.nan))


def measured(dn: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
    """Bands (b, H, W) that hold a measurement: data, not saturated, and not at the floor by a defect.

    dn: (b, H, W) as in ``reflectance``, bands by rising wavelength with near infrared last. Dark ground is at the floor
    in every band, water in red and near infrared, or in near infrared beside a dark red. Any other band at the floor is
    a defect (a swath's edge, an over-corrected shadow): it would make an index of 0 or 1 out of bands that are well.
    """
    floor = (dn != NODATA_DN) & (dn <= FLOOR_DN)
    believed = np.broadcast_to(floor.all(axis=0), dn.shape).copy()
    believed[-1] |= floor[-2] | (dn[-2] < DARK_RED_DN)
    believed[-2] |= floor[-1]
    return (dn != NODATA_DN) & (dn <= HIGHEST_DN) & (~floor | believed)


def merge_scenes(scenes: Sequence[PreparedScene]) -> MergedDay:
    """One image from the day's kept scenes, the clearest pixel first.

    Each pixel is taken whole from one scene: the one with most bands there, among those the one whose coarse pixel
    lies farthest from a cloud, among those the first given (scenes come in order of sensing). The merged cloud
    distance of a coarse pixel is the mean over its pixels of the distance that each one's scene has there, so that it
    speaks of the pixels in use; where no pixel is in use it is the largest of the scenes' distances.
    """
    if not scenes:
        raise ValueError("no scenes to merge; a day without kept scenes has no image")
    ratio = scenes[0].values.shape[-1] // scenes[0].cloud_distance.shape[-1]
    block = np.ones((ratio, ratio), dtype=np.float32)
    fine_distance = np.stack([np.kron(scene.cloud_distance, block) for scene in scenes])
    bands = np.stack([np.isfinite(scene.values).sum(axis=0) for scene in scenes])
    known_distance = np.nan_to_num(fine_distance, nan=-1.0)
    best = _lexicographic_argmax(bands, known_distance)
    values = np.take_along_axis(np.stack([scene.values for scene in scenes]), best[None, None], axis=0)[0]
    used = np.take_along_axis(bands, best[None], axis=0)[0] > 0
    distance = np.where(used, np.take_along_axis(fine_distance, best[None], axis=0)[0], np.nan)
    largest = _nanmax(np.stack([scene.cloud_distance for scene in scenes]))
    return MergedDay(
        values=values,
        cloud_distance=_block_mean(distance, ratio, empty=largest),
        source=np.where(used, best, -1).astype(np.int16),
    )


def gcc_image(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Index-then-Blend input: GCC (..., 1, H, W) of reflectance (..., b, H, W) in band order blue, green, red, ..."""
    blue, green, red = (values[..., band, :, :] for band in range(3))
    return indices.gcc(blue, green, red)[..., None, :, :]


def _lexicographic_argmax(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Index along axis 0 of the largest ``first``, ties by the largest ``second``, then by the lowest index."""
    leading = first == first.max(axis=0)
    return np.where(leading, second, -np.inf).argmax(axis=0)


def _block_mean(values: npt.NDArray[Any], ratio: int, empty: npt.NDArray[Any]) -> Float32Array:
    blocks = values.reshape(empty.shape[0], ratio, empty.shape[1], ratio)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3), dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), empty).astype(np.float32)


def _nanmax(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    largest = np.where(np.isfinite(values), values, -np.inf).max(axis=0)
    return np.where(np.isfinite(largest), largest, np.nan)
