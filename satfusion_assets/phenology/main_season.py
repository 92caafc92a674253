"""Which of a year's seasons is the main one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.phenology.crossings import Seasons


def main_season(
    seasons: Seasons, year_start: float, year_end: float, least: ArrayLike = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(m,) index of the largest season that ends in [year_start, year_end), -1 if none does, and how many do.

    A season ends with its 50 % fall (with its peak, if that has no date). Complete seasons go before those with a fall
    only, these before those with a rise only, of which one cannot know when they end. What rises less than ``least``
    above its bases is none (broadcastable to (m, 1)).
    """
    present = np.arange(seasons.dates.shape[1]) < seasons.total[:, None]
    rise, fall = seasons.dates[:, :, 2, 0], seasons.dates[:, :, 5, 0]
    peak_day, before, after, peak = (seasons.heights[:, :, k] for k in range(4))
    end = np.where(np.isfinite(fall), fall, peak_day)
    base = np.where(np.isfinite(before), np.where(np.isfinite(after), 0.5 * (before + after), before), after)
    size = np.where(np.isfinite(base), peak - base, 0.0)
    belongs = present & (end >= year_start) & (end < year_end) & (size >= least)
    rank = np.where(belongs, 1 + 2 * np.isfinite(fall) + np.isfinite(rise), 0)
    foremost = rank == rank.max(axis=1, keepdims=True)
    best = np.where(belongs.any(axis=1), np.where(foremost, size, -np.inf).argmax(axis=1), -1)
    return best, belongs.sum(axis=1)
