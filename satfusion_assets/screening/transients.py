"""Clouds and shadows that a scene's own classification missed, found by the days around them.

A cloud passes: a pixel under it is brighter in blue than it was before and than it is after, and a pixel in its
shadow darker in green and near infrared. What changes the ground stays for a while (harvest, ploughing, snow melt) and
so stands out from one side only; mowing lowers near infrared but not green. The comparison therefore asks both sides,
and judges nothing where a side was hardly seen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.screening.clouds import CloudMask
from satfusion_assets.screening.clouds import cloud_distance as cloud_distance_of
from satfusion_assets.vocabulary.scenarios import BANDS

BRIGHTER: Final = 0.04
"""Blue reflectance above the clear level from which a pixel is cloud: three times what haze and the season change
within a window, a fifth of what a thin cloud adds."""
DARKER: Final = 0.8
"""Share of the usual green and near infrared below which a pixel is shadow; direct light is more than half of all."""
CLEAR_QUANTILE: Final = 0.25
"""Of a side's blue values: clear even where half of its days hide a cloud."""
LEAST_SEEN: Final = 2
"""Values that a side needs."""
WINDOW_DAYS: Final = {"s2": 30, "s3": 15}
"""Reach to either side, by sensor: a handful of clear acquisitions."""

BLUE, GREEN, NIR = (BANDS.index(band) for band in ("blue", "green", "nir"))


def transients(values: npt.NDArray[np.floating[Any]], days: npt.ArrayLike, window_days: int) -> npt.NDArray[np.bool_]:
    """Pixels (n, h, w) that stand out from both the ``window_days`` before and the ``window_days`` after.

    values: (n, 4, h, w) reflectance in the order of ``BANDS``, NaN = missing. days: (n,) datetime64, any order; values
    of one day are not compared with each other.
    """
    day = np.asarray(days).astype("datetime64[D]").astype(np.int64)
    flagged = np.zeros(values[:, 0].shape, dtype=bool)
    for number, today in enumerate(day):
        before = values[(day >= today - window_days) & (day < today)]
        after = values[(day > today) & (day <= today + window_days)]
        now = values[number]
        clear = np.maximum(*(_quantile(side[:, BLUE], CLEAR_QUANTILE) for side in (before, after)))
        shaded = [
            now[band] < DARKER * np.minimum(*(_quantile(side[:, band], 0.5) for side in (before, after)))
            for band in (GREEN, NIR)
        ]
        flagged[number] = (now[BLUE] > clear + BRIGHTER) | np.logical_and(*shaded)
    return flagged


def without_transients(
    values: npt.NDArray[np.floating[Any]], days: npt.ArrayLike, window_days: int
) -> npt.NDArray[np.floating[Any]]:
    """``values`` with every transient pixel NaN in all bands; arguments and shape as in ``transients``."""
    flagged = transients(values, days, window_days)[:, None]
    return np.where(flagged, values.dtype.type(np.nan), values)


def distance_besides(
    cloud_distance: npt.NDArray[np.floating[Any]], flagged: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Cloud distance (h, w) of a day whose ``flagged`` pixels (h*ratio, w*ratio) turned out to be cloud or shadow."""
    mask = CloudMask(masked=flagged, unknown=np.zeros_like(flagged))
    ratio = flagged.shape[1] // cloud_distance.shape[1]
    return np.minimum(cloud_distance, cloud_distance_of(mask, ratio)).astype(np.float32)


def _quantile(values: npt.NDArray[np.floating[Any]], share: float) -> npt.NDArray[np.floating[Any]]:
    """Lower quantile over the finite values (n, h, w) of each pixel; NaN with fewer than ``LEAST_SEEN``.

    np.nanquantile does the same a hundred times slower.
    """
    if len(values) < LEAST_SEEN:
        return np.full(values.shape[1:], np.nan, values.dtype)
    seen = np.isfinite(values).sum(axis=0)
    rank = (np.maximum(seen - 1, 0) * share).astype(np.intp)
    found = np.take_along_axis(np.sort(values, axis=0), rank[None], axis=0)[0]  # NaN sorts last
    return np.where(seen >= LEAST_SEEN, found, np.nan)
