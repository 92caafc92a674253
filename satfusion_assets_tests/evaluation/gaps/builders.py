"""Small stacks whose every value can be worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.windows import Gap, MidpointRule, Transition
from satfusion_assets.fusion.season import SeasonStack

SPECTRUM = np.array([0.05, 0.10, 0.06, 0.30], dtype=np.float32)
START = np.datetime64("2024-01-01")


def days(*numbers: int) -> npt.NDArray[np.datetime64]:
    return START + np.array(numbers, dtype=np.int64)


def stack(
    scene_days: npt.NDArray[np.datetime64], level: npt.NDArray[np.floating], size: int = 2, ratio: int = 6
) -> SeasonStack:
    """A uniform landscape: each scene is the spectrum times its level, each coarse day (daily) the level in between."""
    side = size * ratio
    fine = level[:, None, None, None] * np.broadcast_to(SPECTRUM[:, None, None], (len(level), 4, side, side))
    coarse_days = START + np.arange(-40, 400)
    between = np.interp(coarse_days.astype(float), scene_days.astype(float), level)
    coarse = between[:, None, None, None] * np.broadcast_to(SPECTRUM[:, None, None], (len(between), 4, size, size))
    return SeasonStack(
        fine=fine.astype(np.float32),
        fine_days=scene_days,
        cloud_distance=np.full((len(level), size, size), 20, dtype=np.float32),
        coarse=coarse.astype(np.float32),
        coarse_days=coarse_days,
        ratio=ratio,
    )


def gap(start: date, end: date, length: int = 30, transition: Transition = Transition.PEAK) -> Gap:
    return Gap(transition, length, start + (end - start) / 2, MidpointRule.CALENDAR, start, end)
