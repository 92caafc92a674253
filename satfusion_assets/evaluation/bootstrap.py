"""Block bootstrap over days: how sure a score is when neighbouring days repeat each other.

Circular block bootstrap (Politis and Romano 1992) on the calendar: blocks of consecutive days are drawn with
replacement until the season's span is covered once, and a day's samples come with its block, so that errors that
last for weeks stay together and a sparse series keeps its gaps. A draw is a count per sample; every score here is a
function of weighted sums, so all draws are evaluated in one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEVEL: Final = 0.95
"""Coverage of the reported intervals."""
_SPANS: Final = 4
"""Lengths of season whose draws are kept, 1.5 MB each: the series of a season's scenarios begin and end alike."""


@dataclass(frozen=True)
class Bootstrap:
    """How to draw. block_days: length of a block. draws: number of resamples. seed: equal seeds, equal intervals."""

    block_days: int = 15
    draws: int = 2000
    seed: int = 1

    def weights(self, days: npt.NDArray[np.datetime64]) -> FloatArray:
        """How often each of the (n,) days occurs in each draw: (draws, n)."""
        offset = (days - days.min()).astype(np.int64)
        return _counts(self, int(offset.max()) + 1)[:, offset].astype(np.float64)


@lru_cache(maxsize=_SPANS)
def _counts(rule: Bootstrap, span: int) -> npt.NDArray[np.uint16]:
    """How often each of ``span`` consecutive days occurs in each draw: (draws, span), to be looked at alone."""
    length = min(rule.block_days, span)
    starts = np.random.default_rng(rule.seed).integers(0, span, size=(rule.draws, -(-span // length), 1))
    drawn = ((starts + np.arange(length)) % span).reshape(rule.draws, -1)[:, :span]
    flat = drawn + np.arange(rule.draws)[:, None] * span
    counts = np.bincount(flat.ravel(), minlength=rule.draws * span).astype(np.uint16).reshape(rule.draws, span)
    counts.flags.writeable = False
    return counts


def interval(draws: FloatArray, level: float = LEVEL) -> list[float] | None:
    """Percentile interval of the finite draws; None when fewer than nine in ten are finite."""
    finite = draws[np.isfinite(draws)]
    if finite.size < 0.9 * draws.size or not finite.size:
        return None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def weighted_scores(predicted: FloatArray, reference: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """rmse, mae, bias, nse, pearson_r of (n,) samples under each row of ``weights`` (draws, n); NaN = undefined."""
    # Centred on the plain means first: variances of reflectance-like numbers cancel badly otherwise.
    x, y = predicted - predicted.mean(), reference - reference.mean()
    residual = predicted - reference
    moments = (residual**2, np.abs(residual), residual, x, x**2, y, y**2, x * y)
    squared, absolute, bias, mean_x, squared_x, mean_y, squared_y, product = _means(moments, weights)
    variance_x, variance_y = squared_x - mean_x**2, squared_y - mean_y**2
    covariance = product - mean_x * mean_y
    return {
        "rmse": np.sqrt(squared),
        "mae": absolute,
        "bias": bias,
        "nse": 1 - _divide(squared, _positive(variance_y)),
        "pearson_r": _divide(covariance, np.sqrt(_positive(variance_x) * _positive(variance_y))),
    }


def weighted_rmse(residual: FloatArray, weights: FloatArray) -> FloatArray:
    """Root mean square of (n,) residuals under each row of ``weights`` (draws, n); NaN = undefined."""
    (squared,) = _means((residual**2,), weights)
    return np.sqrt(squared)


def _means(values: Sequence[FloatArray], weights: FloatArray) -> list[FloatArray]:
    """Means of several (n,) quantities under each row of ``weights``, which pass through memory once for all."""
    sums = weights @ np.stack(values, axis=1)
    total = weights.sum(axis=1)
    return [_divide(part, total) for part in sums.T]


def two_sided_p(differences: FloatArray) -> float | None:
    """Share of draws on the rarer side of zero, doubled: how compatible the difference is with none."""
    finite = differences[np.isfinite(differences)]
    if not finite.size:
        return None
    below, above = float((finite <= 0).mean()), float((finite >= 0).mean())
    return min(1.0, 2 * max(min(below, above), 1 / finite.size))


def holm(p_values: list[float | None]) -> list[float | None]:
    """Holm's (1979) adjustment of a family of p-values; None stays None and is no member of the family."""
    known = sorted((p, n) for n, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, n) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[n] = highest
    return adjusted


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    out = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.divide(part, whole, out=out, where=whole > 0)


def _positive(values: FloatArray) -> Any:
    """Variances at rounding level are zero: nothing varies."""
    return np.where(values > 1e-18, values, 0.0)
