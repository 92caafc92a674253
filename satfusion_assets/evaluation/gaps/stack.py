"""What is left of a season's prepared images when a gap withholds scenes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.windows import Gap
from satfusion_assets.fusion.season import BoolArray, Days, Float32Array, SeasonStack

PATTERN_REACH_DAYS: Final = 3
"""How near in the calendar another year's scene must lie to stand for this year's."""


@dataclass(frozen=True)
class CloudPattern:
    """Another season's clouds at the same site: what its prepared scenes (in the same strategy) left clear.

    season: the year. days: (m,). clear: (m, H, W). cloud_distance: (m, h, w).
    """

    season: int
    days: Days
    clear: BoolArray
    cloud_distance: Float32Array


@dataclass(frozen=True)
class WithheldScenes:
    """A gap applied to a stack.

    degraded: the stack that is left. scenes: numbers of the withheld or thinned scenes in the full stack. hidden:
    their pixels (len(scenes), H, W) that are clear and withheld, the truth that predictions are scored on.
    """

    gap: Gap
    degraded: SeasonStack
    scenes: npt.NDArray[np.intp]
    hidden: BoolArray


def withhold(stack: SeasonStack, gap: Gap) -> WithheldScenes:
    """Take every scene inside the gap out of the stack."""
    inside = gap.holds(stack.fine_days)
    return WithheldScenes(gap, stack.scenes(~inside), np.flatnonzero(inside), stack.clear[inside])


def lay_clouds(stack: SeasonStack, gap: Gap, pattern: CloudPattern) -> WithheldScenes:
    """Lay another season's clouds over this one, within the season that ``gap`` spans.

    Each scene loses the pixels that were not clear in the pattern's scene nearest in the calendar, and takes the
    smaller of both cloud distances; a scene with no pattern scene within ``PATTERN_REACH_DAYS`` is lost as a whole,
    since that year saw nothing then.
    """
    inside = gap.holds(stack.fine_days)
    nearest, reach = _nearest_in_calendar(stack.fine_days, pattern.days)
    covered = inside & (reach <= PATTERN_REACH_DAYS)
    allowed = np.ones_like(stack.clear)
    allowed[inside] = False
    allowed[covered] = pattern.clear[nearest[covered]]
    distance = stack.cloud_distance.copy()
    distance[covered] = np.fmin(distance[covered], pattern.cloud_distance[nearest[covered]])
    fine = np.where(allowed[:, None], stack.fine, np.float32(np.nan))
    left = (stack.clear & allowed).reshape(len(allowed), -1).max(axis=1, initial=False)
    degraded = replace(stack, fine=fine, cloud_distance=distance).scenes(left)
    hidden = stack.clear & ~allowed
    touched = np.flatnonzero(hidden.any(axis=(1, 2)))
    return WithheldScenes(gap, degraded, touched, hidden[touched])


def _nearest_in_calendar(days: Days, others: Days) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """For each day the number of the other nearest in the calendar (any year), and how many days off it lies."""
    if not len(others):
        return np.zeros(len(days), dtype=np.intp), np.full(len(days), np.iinfo(np.int64).max)
    apart = np.abs(_day_of_year(days)[:, None] - _day_of_year(others)[None, :])
    apart = np.minimum(apart, 365 - apart)
    nearest = apart.argmin(axis=1)
    return nearest, apart[np.arange(len(days)), nearest]


def _day_of_year(days: Days) -> npt.NDArray[np.int64]:
    """0 ... 364; the leap day shares its number with 1 March's."""
    year = days.astype("datetime64[Y]")
    number = (days - year.astype("datetime64[D]")).astype(np.int64)
    return np.minimum(number, 364)
