"""What a kriged value rests on, pixel by pixel: the scenes around the day, the coarse series, or the level alone."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled
from satfusion_assets.fusion.efast.kernels import NO_SCENE


class Support(IntEnum):
    """What a kriged value of a pixel and day rests on; the first that holds, from the last upwards."""

    NONE = 0
    """The pixel was never seen: no value."""
    LEVEL = 1
    """No scene within the correlation length and no coarse value of the day's time: the pixel's own level."""
    DRIFT = 2
    """No scene within the correlation length; the coarse series tells the change."""
    ONE_SIDE = 3
    """Scenes within the correlation length on one side of the day."""
    BOTH_SIDES = 4
    """Scenes within the correlation length before and after."""
    OBSERVED = 5
    """A scene of the day itself."""
    SNOW = 6
    """The coarse series sees snow then; the value is that of the ground beneath."""


class Place(NamedTuple):
    """How fine pixels lie on the coarse grid, which begins ``top`` and ``left`` fine pixels before them."""

    ratio: int
    top: int
    left: int


class Evidence(NamedTuple):
    """seen: (n, H, W), scenes sorted by day. scene_days: (n,). days: (p,), in ascending order at ``order``.

    told: (p, h, w) what the coarse series says of each day: SNOW, DRIFT or 0. deviation: (p, b, H, W). precision: (b,)
    one over the usual noise. length: correlation length in days.
    """

    seen: Any
    scene_days: Any
    days: Any
    order: Any
    told: Any
    place: Place
    deviation: Any
    precision: Any
    length: float


_NEVER = 1_000_000
_LEVEL, _DRIFT, _ONE, _BOTH = int(Support.LEVEL), int(Support.DRIFT), int(Support.ONE_SIDE), int(Support.BOTH_SIDES)
_OBSERVED, _SNOW = int(Support.OBSERVED), int(Support.SNOW)


@compiled
def support(evidence: Evidence, first: int, last: int, nearest: Any, words: Any, effective: Any) -> None:
    """Fill rows ``first:last`` of days to the nearest scene, ``Support`` and effective scenes, each (p, H, W)."""
    seen, scene_days, days, order, told, place, deviation, precision, length = evidence
    n, _, width = seen.shape
    ratio, top, left = place
    before, after = np.empty(width, np.int64), np.empty(width, np.int64)
    for y in range(first, last):
        row = (y + top) // ratio
        before[:] = -1
        for x in range(width):
            after[x] = 0
            while after[x] < n and not seen[after[x], y, x]:
                after[x] += 1
        for place_of_day in range(len(days)):
            p = order[place_of_day]
            for x in range(width):
                while after[x] < n and scene_days[after[x]] < days[p]:
                    before[x] = after[x]
                    after[x] += 1
                    while after[x] < n and not seen[after[x], y, x]:
                        after[x] += 1
                since = days[p] - scene_days[before[x]] if before[x] >= 0 else _NEVER
                until = scene_days[after[x]] - days[p] if after[x] < n else _NEVER
                apart = min(since, until)
                nearest[p, y, x] = min(apart, NO_SCENE)
                if apart == _NEVER:
                    words[p, y, x], effective[p, y, x] = 0, 0.0
                    continue
                coarse = told[p, row, (x + left) // ratio]
                word = _BOTH if max(since, until) <= length else _ONE if apart <= length else _LEVEL
                word = _DRIFT if word == _LEVEL and coarse == _DRIFT else word
                word = _OBSERVED if apart == 0 else word
                words[p, y, x] = _SNOW if coarse == _SNOW else word
                widest = np.float32(0.0)
                for b in range(len(precision)):
                    widest = max(widest, deviation[p, b, y, x] * deviation[p, b, y, x] * precision[b])
                effective[p, y, x] = 1 / widest if widest > 0 else 0.0
