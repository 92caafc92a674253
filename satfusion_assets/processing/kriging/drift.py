"""The external drift c(t): the coarse series, smoothed in time, on the days and pixels where it is wanted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.processing.efast.upsampling import coarse_grid, upsample

SMOOTHING_DAYS: Final = 6.0
"""Standard deviation of the Gaussian over time: a composite's own noise is as large as a week's change."""
CHOICES: Final = (4.0, 6.0, 9.0)
"""What is tried where there are enough scenes to tell."""


def smoothed(
    coarse: NDArray[np.floating[Any]], coarse_days: NDArray[np.int64], days: NDArray[np.int64], width: float
) -> NDArray[np.float64]:
    """Coarse series on ``days``: (d, b, h, w), from images (t, b, h, w) on ascending days, NaN = missing.

    A Gaussian mean of ``width`` days at every observation, linear between observations, held beyond them. NaN where a
    pixel was never seen.
    """
    known = np.isfinite(coarse)
    apart = (coarse_days[:, None] - coarse_days[None, :]) / width
    kernel = np.exp(-0.5 * np.square(apart))
    weight = np.tensordot(kernel, known.astype(np.float64), axes=1)
    level = np.tensordot(kernel, np.where(known, coarse, 0.0).astype(np.float64), axes=1) / np.where(
        weight > 0, weight, 1
    )
    out = np.full((len(days), *coarse.shape[1:]), np.nan)
    for place in np.ndindex(*coarse.shape[1:]):
        seen = known[(slice(None), *place)]
        if seen.any():
            out[(slice(None), *place)] = np.interp(days, coarse_days[seen], level[(seen, *place)])
    return out


def on_rows(
    series: NDArray[np.floating[Any]], ratio: int, top: int, left: int, rows: NDArray[np.intp], width: int
) -> NDArray[np.floating[Any]]:
    """Fine ``rows`` (..., r, W) of a coarse series (..., h, w), as ``U`` of EFAST does; 0 where there is none."""
    fine = upsample(series, coarse_grid(ratio, top, left, series.dtype), rows, width)
    if np.isnan(series).any():
        np.copyto(fine, 0, where=np.isnan(fine))
    return fine
