"""What a kriged value rests on, pixel by pixel: the scenes around the day, the coarse series, or the level alone."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from satfusion_assets.fusion.efast.compiled import compiled, inlined
from satfusion_assets.fusion.efast.tallies import NO_SCENE


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


class CoarsePlace(NamedTuple):
    """How fine pixels lie on the coarse grid, which begins ``top`` and ``left`` fine pixels before them."""

    ratio: int
    top: int
    left: int


class SupportEvidence(NamedTuple):
    """seen: (n, H, W), scenes sorted by day. scene_days: (n,). days: (p,), in ascending order at ``order``.

    coarse_support: (p, h, w) what the coarse series says of each day: SNOW, DRIFT or 0. deviation: (p, b, H, W).
    precision: (b,) one over the usual noise. length: correlation length in days.
    """

    seen: Any
    scene_days: Any
    days: Any
    order: Any
    coarse_support: Any
    place: CoarsePlace
    deviation: Any
    precision: Any
    length: float


MOST_EFFECTIVE: Final = np.float32(1000.0)
"""More scenes than any season has: what is known as well is known exactly, for all that is asked."""
_NEVER = 2_000_000
"""Day of a scene that there is not, of whichever side; half of it is further than any scene."""
_LEVEL, _DRIFT, _ONE, _BOTH = int(Support.LEVEL), int(Support.DRIFT), int(Support.ONE_SIDE), int(Support.BOTH_SIDES)
_OBSERVED, _SNOW = int(Support.OBSERVED), int(Support.SNOW)


@compiled
def support(evidence: SupportEvidence, first: int, last: int, nearest: Any, words: Any, effective: Any) -> None:
    """Fill rows ``first:last`` of days to the nearest scene, ``Support`` and effective scenes, each (p, H, W)."""
    seen, scene_days, days, order, coarse_support, place, deviation, precision, length = evidence
    n, _, width = seen.shape
    ratio, top, left = place
    reach = np.int32(min(length, _NEVER // 2 - 1))
    cells = np.array([(x + left) // ratio for x in range(width)])
    since, until = np.empty(width, np.int32), np.empty((n + 1, width), np.int32)
    coarse, widest = np.empty(width, np.uint8), np.empty(width, np.float32)
    for y in range(first, last):
        row = (y + top) // ratio
        since[:], until[n] = -_NEVER, _NEVER
        for s in range(n - 1, -1, -1):
            for x in range(width):
                until[s, x] = scene_days[s] if seen[s, y, x] else until[s + 1, x]
        passed = 0
        for p in order:
            while passed < n and scene_days[passed] < days[p]:
                for x in range(width):
                    since[x] = scene_days[passed] if seen[passed, y, x] else since[x]
                passed += 1
            for x in range(width):
                coarse[x] = coarse_support[p, row, cells[x]]
            _widest(deviation, p, y, precision, widest)
            _tell(np.int32(days[p]), since, until, passed, coarse, reach, nearest, words, p, y)
            for x in range(width):
                known = (words[p, y, x] != 0) & (widest[x] > 0)
                effective[p, y, x] = min(1 / widest[x], MOST_EFFECTIVE) if known else np.float32(0)


@inlined
def _widest(deviation: Any, p: int, y: int, precision: Any, widest: Any) -> None:
    """The largest variance over the bands, in units of the usual noise."""
    widest[:] = np.float32(0)
    for b in range(len(precision)):
        for x in range(len(widest)):
            variance = deviation[p, b, y, x] * deviation[p, b, y, x] * precision[b]
            widest[x] = variance if variance > widest[x] else widest[x]


@inlined
def _tell(
    day: Any, since: Any, until: Any, s: int, coarse: Any, reach: Any, nearest: Any, words: Any, p: int, y: int
) -> None:
    """Days to the nearest scene, and the word; since and until (n + 1, x): days of the scenes before and after."""
    far = np.int32(NO_SCENE)
    for x in range(len(since)):
        before, after = day - since[x], until[s, x] - day
        apart, wide = min(before, after), max(before, after)
        word = _DRIFT if coarse[x] == _DRIFT else _LEVEL
        word = _ONE if apart <= reach else word
        word = _BOTH if wide <= reach else word
        word = _OBSERVED if apart == 0 else word
        word = _SNOW if coarse[x] == _SNOW else word
        nearest[p, y, x] = min(apart, far)
        words[p, y, x] = word if apart <= _NEVER // 2 else 0
