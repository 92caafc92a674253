"""Pre-selection: which whole scenes are too dark, too grey or too empty to be used.

A scene is judged by the 3x3 window at the site. It is excluded when its NDVI is missing; or its blue is below
``dark`` (cloud shadow, low sun); or when, with at least ``min_scenes`` scenes of valid NDVI within ``window_days``
(itself included), its NDVI lies more than ``delta`` below the highest of them and below ``threshold``: a fall that
vegetation does not make and recover from in a fortnight, but a cloud does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.vocabulary.scenarios import Strategy


class Reason(StrEnum):
    """Why a scene is excluded."""

    NO_NDVI = "no_ndvi"
    DARK = "dark"
    LOW_NDVI = "low_ndvi"


@dataclass(frozen=True)
class ScreeningRule:
    """Numbers of one strategy.

    threshold: NDVI above which no scene is excluded for its NDVI. delta: fall below the window's highest NDVI that
    is still accepted. window_days: reach of the window on either side. min_scenes: fewer say nothing.
    """

    threshold: float
    delta: float
    window_days: int = 14
    min_scenes: int = 3


RULES: Final = {
    Strategy.AGGRESSIVE: ScreeningRule(threshold=0.3, delta=0.15),
    Strategy.NONAGGRESSIVE: ScreeningRule(threshold=0.2, delta=0.25),
}

DARK_REFLECTANCE: Final = 0.01
"""Mean blue reflectance below which a scene is dark."""


@dataclass(frozen=True)
class Screening:
    """The verdict on each scene, in the order given; reason None = kept."""

    reasons: tuple[Reason | None, ...]

    @property
    def excluded(self) -> tuple[bool, ...]:
        return tuple(reason is not None for reason in self.reasons)

    @property
    def kept(self) -> tuple[bool, ...]:
        return tuple(reason is None for reason in self.reasons)

    def count(self, reason: Reason) -> int:
        """How many scenes were excluded for ``reason``."""
        return self.reasons.count(reason)


def screen(
    days: npt.ArrayLike,
    ndvi: npt.ArrayLike,
    blue: npt.ArrayLike,
    strategy: Strategy,
    *,
    dark: float = DARK_REFLECTANCE,
) -> Screening:
    """Judge every scene of one sensor.

    days: (n,) datetime64[D], any order, days may repeat. ndvi, blue: (n,) window means, NaN = missing; blue in the
    units of ``dark`` (0.01 reflectance; 100 for Sentinel-2 digital numbers).
    """
    rule = RULES[strategy]
    when = np.asarray(days, dtype="datetime64[D]").astype(np.int64)
    greenness = np.asarray(ndvi, dtype=np.float64)
    valid = np.isfinite(greenness)
    near = (np.abs(when[:, None] - when[None, :]) <= rule.window_days) & valid[None, :]
    highest = np.where(near, greenness[None, :], -np.inf).max(axis=1, initial=-np.inf)
    fallen = (greenness < highest - rule.delta) & (greenness < rule.threshold)
    low = fallen & (near.sum(axis=1) >= rule.min_scenes)
    is_dark = np.asarray(blue, dtype=np.float64) < dark
    return Screening(tuple(_reason(*flags) for flags in zip(valid, is_dark, low, strict=True)))


def _reason(valid: Any, is_dark: Any, low: Any) -> Reason | None:
    if not valid:
        return Reason.NO_NDVI
    if is_dark:
        return Reason.DARK
    return Reason.LOW_NDVI if low else None
