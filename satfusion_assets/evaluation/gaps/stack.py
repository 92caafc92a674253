"""A season's prepared inputs, and what is left of them when a gap withholds scenes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.windows import Gap
from satfusion_assets.screening.preparation import gcc_image

Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

PATTERN_REACH_DAYS: Final = 3
"""How near in the calendar another year's scene must lie to stand for this year's."""


@dataclass(frozen=True)
class SeasonStack:
    """Everything the fusion of one strategy takes, with a margin around the season.

    fine: (n, 4, H, W) reflectance of the merged days, NaN = missing; fine_days: (n,) ascending, unique.
    cloud_distance: (n, h, w) coarse pixels. coarse: (t, 4, h, w) composites, NaN = missing; coarse_days: (t,)
    ascending, unique. ratio: fine pixels per coarse pixel side, H = h * ratio.
    """

    fine: Float32Array
    fine_days: Days
    cloud_distance: Float32Array
    coarse: Float32Array
    coarse_days: Days
    ratio: int

    @cached_property
    def gcc(self) -> SeasonStack:
        """The Index-then-Blend inputs: one band of GCC instead of four of reflectance."""
        return replace(self, fine=gcc_image(self.fine), coarse=gcc_image(self.coarse))

    @cached_property
    def clear(self) -> BoolArray:
        """Pixels (n, H, W) whose every band is there."""
        return np.isfinite(self.fine.sum(axis=1))

    def scenes(self, chosen: BoolArray) -> SeasonStack:
        """The stack with only the fine scenes (n,) that are chosen."""
        return replace(
            self,
            fine=self.fine[chosen],
            fine_days=self.fine_days[chosen],
            cloud_distance=self.cloud_distance[chosen],
        )

    def around(self, row: int, col: int, halo: int) -> tuple[SeasonStack, int, int]:
        """The coarse pixels under the 3x3 window at fine pixel ``row, col``, with ``halo`` more on every side.

        Returns that part of the stack and the pixel's place in it. A method that reads no farther than ``halo``
        coarse pixels predicts the same there as on the whole stack.
        """
        rows = _coarse_reach(row, self.ratio, halo, self.coarse.shape[2])
        cols = _coarse_reach(col, self.ratio, halo, self.coarse.shape[3])
        fine_rows, fine_cols = (slice(s.start * self.ratio, s.stop * self.ratio) for s in (rows, cols))
        part = replace(
            self,
            fine=np.ascontiguousarray(self.fine[..., fine_rows, fine_cols]),
            cloud_distance=np.ascontiguousarray(self.cloud_distance[..., rows, cols]),
            coarse=np.ascontiguousarray(self.coarse[..., rows, cols]),
        )
        return part, row - fine_rows.start, col - fine_cols.start


def _coarse_reach(pixel: int, ratio: int, halo: int, length: int) -> slice:
    return slice(max((pixel - 1) // ratio - halo, 0), min((pixel + 1) // ratio + halo + 1, length))


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
class Withheld:
    """A gap applied to a stack.

    degraded: the stack that is left. scenes: numbers of the withheld or thinned scenes in the full stack. hidden:
    their pixels (len(scenes), H, W) that are clear and withheld, the truth that predictions are scored on.
    """

    gap: Gap
    degraded: SeasonStack
    scenes: npt.NDArray[np.intp]
    hidden: BoolArray


def withhold(stack: SeasonStack, gap: Gap) -> Withheld:
    """Take every scene inside the gap out of the stack."""
    inside = gap.holds(stack.fine_days)
    return Withheld(gap, stack.scenes(~inside), np.flatnonzero(inside), stack.clear[inside])


def lay_clouds(stack: SeasonStack, gap: Gap, pattern: CloudPattern) -> Withheld:
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
    return Withheld(gap, degraded, touched, hidden[touched])


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
