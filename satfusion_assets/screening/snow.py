"""Snow in coarse pixels, which the fusion would take for a change of the ground.

Snow is masked in fine images, pixel by pixel. A coarse pixel that holds some of it, or reads it off the slope beside
it, is white; fused, its melt darkens every fine pixel below, whether snow lay there or not. No flag tells: OLCI at the
top of the atmosphere has none. The pixel's own snow-free days do, which the scene classification of the Sentinel-2
scenes before and after knows: what is brighter than they ever are in blue, green *and* red is snow (or a cloud that was
missed). Soil brightens red most and blue least, haze and low sun blue most and red least; and what is sown, mown or
ploughed in snow-free times is part of what the pixel is held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.screening.clouds import SCL_RATIO

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating[Any]]

SNOW_CLASS: Final = 11
"""SCL: snow or ice."""
GROUND_CLASSES: Final = (2, 4, 5, 6, 7, SNOW_CLASS)
"""SCL where the ground, or the snow on it, was seen: cast shadow, vegetation, bare, water, unclassified, snow."""
VISIBLE: Final = slice(0, 3)
"""Blue, green and red in the order of ``BANDS``."""


@dataclass(frozen=True)
class SnowRule:
    """The numbers of the screening.

    least_share: part of the ground around a coarse pixel from which a scene says that there is snow; a classification
    errs by less. least_seen: part of a coarse pixel that a scene must have seen to say anything of it. reach_days: how
    far its word goes, before and after. quantile, excess: of the pixel's snow-free values in each visible band, and the
    reflectance above it from which it is snow: what a twentieth part of fresh snow adds. least_reference: snow-free
    values in every band without which a pixel is not judged.
    """

    least_share: float = 0.02
    least_seen: float = 0.2
    reach_days: int = 15
    quantile: float = 0.9
    excess: float = 0.03
    least_reference: int = 10


SNOW_RULE: Final = SnowRule()


@dataclass(frozen=True)
class SnowLooks:
    """What the Sentinel-2 scenes say of snow around each coarse pixel.

    days: (m,) datetime64, any order, days may repeat. share: (m, h, w) of ``snow_share``, NaN = not seen.
    """

    days: npt.NDArray[np.datetime64]
    share: FloatArray


def snow_share(scl: npt.NDArray[Any], rule: SnowRule = SNOW_RULE) -> FloatArray:
    """Part of the seen ground under snow, for each coarse pixel the largest of it and the eight around it.

    A sensor's coarse pixel reaches beyond its own square, and interpolation to the site's grid farther still. scl:
    (15*(h+2), 15*(w+2)) scene classification at 20 m with a rim of one coarse pixel. Returns (h, w), NaN = not seen.
    """
    height, width = scl.shape[0] // SCL_RATIO, scl.shape[1] // SCL_RATIO
    blocks = scl.reshape(height, SCL_RATIO, width, SCL_RATIO)
    seen = np.isin(blocks, GROUND_CLASSES).sum(axis=(1, 3))
    snow = (blocks == SNOW_CLASS).sum(axis=(1, 3))
    enough = seen >= rule.least_seen * SCL_RATIO**2
    return _largest_of_nine(np.divide(snow, seen, out=np.full(seen.shape, np.nan), where=enough))


def snowy(values: FloatArray, days: npt.ArrayLike, looks: SnowLooks, rule: SnowRule = SNOW_RULE) -> BoolArray:
    """Pixels (n, h, w) of coarse images that are white with snow.

    values: (n, 4, h, w) reflectance in the order of ``BANDS``, NaN = missing. days: (n,) datetime64, any order.
    """
    visible = values[:, VISIBLE]
    reference = np.where(_snow_free(_numbers(days), looks, rule)[:, None], visible, np.nan)
    brightest = _quantile(reference, rule)
    return np.asarray((visible > brightest + rule.excess).all(axis=1))


def _snow_free(days: npt.NDArray[np.int64], looks: SnowLooks, rule: SnowRule) -> BoolArray:
    """Pixels (n, h, w) around which the nearest scene before and the nearest after, in reach, saw no snow."""
    when = _numbers(looks.days)
    free = np.zeros((len(days), *looks.share.shape[1:]), dtype=bool)
    for number, day in enumerate(days):
        apart = np.abs(when - day)
        in_reach = apart <= rule.reach_days
        sides = (in_reach & (when <= day), in_reach & (when >= day))
        free[number] = np.logical_and(*(_nearest_is_free(looks.share[side], apart[side], rule) for side in sides))
    return free


def _nearest_is_free(share: FloatArray, apart: npt.NDArray[np.int64], rule: SnowRule) -> BoolArray:
    """Whether the nearest of scenes (k, h, w) that saw the pixel saw no snow; False where none saw it."""
    seen = np.isfinite(share)
    distance = np.where(seen, apart[:, None, None], np.iinfo(np.int64).max)
    nearest = seen & (distance == distance.min(axis=0, initial=np.iinfo(np.int64).max))
    return nearest.any(axis=0) & ~(nearest & ~(share < rule.least_share)).any(axis=0)


def _quantile(reference: FloatArray, rule: SnowRule) -> FloatArray:
    """The rule's quantile over the finite values (n, 3, h, w); infinite where they are too few to judge by."""
    seen = np.isfinite(reference).sum(axis=0)
    rank = (np.maximum(seen - 1, 0) * rule.quantile).astype(np.intp)
    if not len(reference):
        return np.full(seen.shape, np.inf)
    found = np.take_along_axis(np.sort(reference, axis=0), rank[None], axis=0)[0]  # NaN sorts last
    return np.where(seen >= rule.least_reference, found, np.inf)


def _largest_of_nine(values: FloatArray) -> FloatArray:
    """Largest finite value of each pixel's 3x3 neighbourhood, the rim left off; NaN where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(values, (3, 3))
    known = np.isfinite(windows)
    largest = np.where(known, windows, -np.inf).max(axis=(2, 3))
    return np.where(known.any(axis=(2, 3)), largest, np.nan)


def _numbers(days: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return np.asarray(days).astype("datetime64[D]").astype(np.int64)
