"""Does the +1000 of baseline 04.00 and later sit in the pixels? Decided per item, checked against the data.

ESA writes DN = reflectance x 10 000 + 1000 from processing baseline 04.00 on. The legacy collection took the 1000
out of most of its pixels and says so in ``earthsearch:boa_offset_applied``, but not always truthfully; its
``raster:bands`` offset says nothing. Collection 1 left the pixels as they are. The dark-pixel test looks for
pixels that could not exist if the claim were right; a conflict is never guessed away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.archives.earth_search.scenes import Scene
from satfusion_assets.vocabulary.settings import S2Collection

OFFSET_DN: Final = 1000
FIRST_BASELINE_WITH_OFFSET: Final = 4.0
DARK_DN: Final = 600
"""A clear dark blue below this cannot hold the offset (reflectance would be under -0.04)."""
BRIGHT_DN: Final = 1000
"""Clear dark blue above this holds the offset, since no bare landscape's darkest blue is above 0.1 ..."""
SNOW_DN: Final = 2000
"""... but snow's is, and haze's: where half of the blue is above this, brightness proves nothing."""
ENOUGH_PIXELS: Final = 100
ENOUGH_SHARE: Final = 0.01
"""Fewer clear pixels than these prove nothing: they are cloud edges."""
_CLEAR: Final = (4, 5, 6, 7)
"""SCL classes vegetation, bare, water, unclassified."""
_LAND: Final = (4, 5)
"""SCL classes vegetation and bare ground. Water, shadow and what clouds cover may be as dark as nothing at all."""
MOST_LIGHTLESS: Final = 0.5
"""Share of clear land that may have no blue left. Where half of it has none, either the offset was taken off twice, or
there is too little light to measure greenness by."""
BRIGHTEST_DN: Final = 20_000
"""Reflectance 2: sunlit snow and the edges of clouds stay below."""
MOST_TOO_BRIGHT: Final = 0.5
"""Share of a scene's values that may be brighter; where more are, they are no reflectance x 10 000."""


class OffsetEvidence(StrEnum):
    """What the darkest clear pixels say about the offset."""

    IN_PIXELS = "offset in the pixels"
    NOT_IN_PIXELS = "no offset in the pixels"
    NONE = "not conclusive"


@dataclass(frozen=True)
class OffsetClaim:
    """What the catalogue says.

    subtract: DN to take off every pixel, None = cannot be decided. why: one clause. testable: the pixels could be
    otherwise, so they are asked (before baseline 04.00 there is no offset to be wrong about).
    """

    subtract: int | None
    why: str
    testable: bool = True


def claimed_offset(scene: Scene) -> OffsetClaim:
    """The offset by processing baseline and the catalogue's flag; never by date, never by ``raster:bands``."""
    if scene.baseline is None:
        return OffsetClaim(None, "the item names no processing baseline")
    if scene.baseline_number < FIRST_BASELINE_WITH_OFFSET:
        return OffsetClaim(0, f"baseline {scene.baseline} has no offset", testable=False)
    if scene.collection == S2Collection.C1:
        return OffsetClaim(OFFSET_DN, f"collection 1 keeps the offset of baseline {scene.baseline}")
    if scene.boa_offset_applied is None:
        return OffsetClaim(None, f"baseline {scene.baseline} without the flag boa_offset_applied")
    if scene.boa_offset_applied:
        return OffsetClaim(0, f"baseline {scene.baseline}, flag says the offset is already taken out")
    return OffsetClaim(OFFSET_DN, f"baseline {scene.baseline}, flag says the offset is still in")


def dark_pixel_evidence(blue: NDArray[Any], scl: NDArray[Any]) -> OffsetEvidence:
    """What the first percentile of clear blue says.

    blue: DN as stored, 0 = nodata. scl: classes on the same pixels.
    """
    clear = blue[np.isin(scl, _CLEAR) & (blue > 0)]
    if clear.size < max(ENOUGH_PIXELS, ENOUGH_SHARE * blue.size):
        return OffsetEvidence.NONE
    darkest, middle = np.percentile(clear, (1, 50))
    if darkest < DARK_DN:
        return OffsetEvidence.NOT_IN_PIXELS
    return OffsetEvidence.IN_PIXELS if darkest > BRIGHT_DN and middle < SNOW_DN else OffsetEvidence.NONE


def lightless_land(blue: NDArray[Any], scl: NDArray[Any]) -> float | None:
    """Share of clear land whose blue is at or below zero; None when there is too little of it to say.

    blue: DN without offset, as ``subtract_offset`` gives it. scl: classes on the same pixels.
    """
    land = blue[np.isin(scl, _LAND) & (blue > 0)]
    if land.size < max(ENOUGH_PIXELS, ENOUGH_SHARE * blue.size):
        return None
    return float(np.mean(land <= 1))


def contradicts(claim: OffsetClaim, evidence: OffsetEvidence) -> bool:
    """True when the pixels cannot be as the catalogue claims."""
    if claim.subtract is None or not claim.testable or evidence is OffsetEvidence.NONE:
        return False
    return (claim.subtract == OFFSET_DN) != (evidence is OffsetEvidence.IN_PIXELS)


def subtract_offset(dn: NDArray[Any], subtract: int) -> tuple[NDArray[np.uint16], int]:
    """DN without the offset (reflectance x 10 000, 0 = nodata), and how many pixels had reflectance <= 0.

    Those are stored as 1, the smallest valid DN: real but unmeasurably dark must not read as missing.
    """
    valid = dn > 0
    shifted = dn.astype(np.int32) - subtract
    dark = valid & (shifted < 1)
    result = np.where(valid, np.maximum(shifted, 1), 0).astype(np.uint16)
    return result, int(dark.sum())
