"""Pixel scores as sums: what a scene adds to the score of a gap is added, never averaged over averages.

Second moments are kept about the mean and merged as in Chan et al. 1983 (Am. Stat. 37, 242), since the plain sums of
squares of reflectance cancel to nothing where a field hardly varies.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

CONSTANT_WITHIN: Final = 1e-6
"""A field whose extremes differ by less than this share of its size is constant: single precision can say no more."""


@dataclass(frozen=True)
class Moments:
    """Sums over scored pixels of prediction x and truth y.

    x, y: means. xx, yy, xy: sums of squares and products about the means. error, absolute, squared: sums of x - y,
    its absolute value and its square. The extremes tell whether a side is constant.
    """

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    error: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    x_min: float = np.inf
    x_max: float = -np.inf
    y_min: float = np.inf
    y_max: float = -np.inf

    def __add__(self, other: Moments) -> Moments:
        if not self.n or not other.n:
            return other if other.n else self
        n = self.n + other.n
        dx, dy, shared = other.x - self.x, other.y - self.y, self.n * other.n / n
        return Moments(
            n=n,
            x=self.x + dx * other.n / n,
            y=self.y + dy * other.n / n,
            xx=self.xx + other.xx + dx * dx * shared,
            yy=self.yy + other.yy + dy * dy * shared,
            xy=self.xy + other.xy + dx * dy * shared,
            error=self.error + other.error,
            absolute=self.absolute + other.absolute,
            squared=self.squared + other.squared,
            x_min=min(self.x_min, other.x_min),
            x_max=max(self.x_max, other.x_max),
            y_min=min(self.y_min, other.y_min),
            y_max=max(self.y_max, other.y_max),
        )

    def scores(self) -> dict[str, float | int | None]:
        """The contract's pixel scores: n_pixels, rmse, mae, mean_bias (x - y), pearson_r, nse_s2.

        Null: everything without pixels, correlation with a constant side, NSE with a constant truth.
        """
        if not self.n:
            return {"n_pixels": 0, "rmse": None, "mae": None, "mean_bias": None, "pearson_r": None, "nse_s2": None}
        varies_x, varies_y = _varies(self.x_min, self.x_max), _varies(self.y_min, self.y_max)
        return {
            "n_pixels": self.n,
            "rmse": sqrt(self.squared / self.n),
            "mae": self.absolute / self.n,
            "mean_bias": self.error / self.n,
            "pearson_r": self.xy / sqrt(self.xx * self.yy) if varies_x and varies_y else None,
            "nse_s2": 1 - self.squared / self.yy if varies_y else None,
        }


def pixel_moments(
    predicted: npt.NDArray[np.floating], truth: npt.NDArray[np.floating], scored: npt.NDArray[np.bool_]
) -> Moments:
    """Moments over the pixels that are ``scored`` and finite on both sides; arrays of one shape."""
    return pool(grouped_moments(predicted, truth, scored, np.zeros(predicted.shape, dtype=np.int64), 1))


def grouped_moments(
    predicted: npt.NDArray[np.floating],
    truth: npt.NDArray[np.floating],
    scored: npt.NDArray[np.bool_],
    group: npt.NDArray[np.int64],
    groups: int,
) -> npt.NDArray[np.float64]:
    """The fields of ``Moments`` of each group of pixels: (groups, 13), to be pooled in any way.

    Arrays of one shape; group: 0 ... groups - 1 of each pixel.
    """
    return _accumulate(predicted.ravel(), truth.ravel(), scored.ravel(), group.ravel(), groups)


def pool(rows: npt.NDArray[np.float64]) -> Moments:
    """One ``Moments`` of several groups (k, 13)."""
    filled = rows[rows[:, 0] > 0]
    if not len(filled):
        return Moments()
    n = filled[:, 0]
    total = n.sum()
    x, y = (n @ filled[:, 1]) / total, (n @ filled[:, 2]) / total
    dx, dy = filled[:, 1] - x, filled[:, 2] - y
    within = filled[:, 3:6].sum(axis=0) + np.array([n @ (dx * dx), n @ (dy * dy), n @ (dx * dy)])
    lowest, highest = filled.min(axis=0), filled.max(axis=0)
    sums = filled[:, 6:9].sum(axis=0)
    extremes = (lowest[9], highest[10], lowest[11], highest[12])
    return Moments(int(total), *(float(value) for value in (x, y, *within, *sums, *extremes)))


def _varies(low: float, high: float) -> bool:
    return high - low > CONSTANT_WITHIN * max(abs(low), abs(high))


@njit(cache=True, nogil=True)
def _accumulate(predicted: Any, truth: Any, scored: Any, group: Any, groups: int) -> Any:
    rows = np.zeros((groups, 13))
    rows[:, 9::2] = np.inf
    rows[:, 10::2] = -np.inf
    for i in range(predicted.size):
        a, b = np.float64(predicted[i]), np.float64(truth[i])
        if not scored[i] or not np.isfinite(a) or not np.isfinite(b):
            continue
        row = rows[group[i]]
        d = a - b
        row[0] += 1
        row[1] += a
        row[2] += b
        row[6] += d
        row[7] += abs(d)
        row[8] += d * d
        row[9], row[10] = min(row[9], a), max(row[10], a)
        row[11], row[12] = min(row[11], b), max(row[12], b)
    for g in range(groups):
        if rows[g, 0] > 0:
            rows[g, 1] /= rows[g, 0]
            rows[g, 2] /= rows[g, 0]
    for i in range(predicted.size):
        row = rows[group[i]]
        a, b = np.float64(predicted[i]) - row[1], np.float64(truth[i]) - row[2]
        if scored[i] and np.isfinite(a) and np.isfinite(b):
            row[3] += a * a
            row[4] += b * b
            row[5] += a * b
    return rows
