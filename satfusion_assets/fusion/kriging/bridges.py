"""The Ornstein-Uhlenbeck process between the days on which it was smoothed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.operands import Bridges

Array = NDArray[np.float64]


def correlations(days: NDArray[np.int64], length: Array) -> Array:
    """Correlation (b, n) of r between each of ascending ``days`` and the one before, at correlation ``length`` (b,)."""
    apart = np.diff(days, prepend=days[:1]).astype(np.float64)
    correlation: Array = np.exp(-apart / length[:, None])
    return correlation


def bridges(
    days: NDArray[np.int64],
    scenes: NDArray[np.int64],
    length: Array,
    common: Array,
    factor: Array,
    dtype: np.dtype[Any],
) -> Bridges:
    """How r on ``days`` (p,) follows from r on ascending ``scenes`` (n,).

    Between two scene days r is a bridge: with correlations a and b to the one before and after and ab between them, its
    mean is ``((a - b ab) r_1 + (b - a ab) r_2) / (1 - ab^2)``; outside, ``a r_1``. common and factor: (p, b), as in
    ``Bridges``. dtype: of the images.
    """
    last = len(scenes) - 1
    before = np.searchsorted(scenes, days, side="right") - 1
    after = np.minimum(before + 1, last)
    before = np.maximum(before, 0)
    a = np.exp(-np.abs(days - scenes[before])[:, None] / length)
    b = np.exp(-np.abs(scenes[after] - days)[:, None] / length)
    ab = np.exp(-(scenes[after] - scenes[before])[:, None] / length)
    between = ((scenes[before] < days) & (days < scenes[after]))[:, None]
    rest = np.where(between, 1 - ab**2, 1.0)
    ahead = np.where(between, (a - b * ab) / rest, a)
    behind = np.where(between, (b - a * ab) / rest, 0.0)
    remainder = np.where(between, 1 - (a**2 + b**2 - 2 * a * b * ab) / rest, 1 - a**2)
    after = np.where(between[:, 0], after, before)
    numbers = (ahead, behind, np.maximum(remainder, 0.0), common, factor)
    return Bridges(before, after, *(np.ascontiguousarray(array, dtype) for array in numbers))
