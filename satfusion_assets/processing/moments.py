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
    """Moments over the pixels (H, W) that are ``scored`` and finite on both sides."""
    n, *sums = _accumulate(predicted, truth, scored)
    return Moments(int(n), *sums)


def _varies(low: float, high: float) -> bool:
    return high - low > CONSTANT_WITHIN * max(abs(low), abs(high))


@njit(cache=True, nogil=True)
def _accumulate(predicted: Any, truth: Any, scored: Any) -> Any:
    n = 0
    x = y = xx = yy = xy = error = absolute = squared = 0.0
    x_min, x_max, y_min, y_max = np.inf, -np.inf, np.inf, -np.inf
    for i in range(predicted.shape[0]):
        for j in range(predicted.shape[1]):
            a, b = np.float64(predicted[i, j]), np.float64(truth[i, j])
            if not scored[i, j] or not np.isfinite(a) or not np.isfinite(b):
                continue
            n += 1
            d = a - b
            x += a
            y += b
            error += d
            absolute += abs(d)
            squared += d * d
            x_min, x_max = min(x_min, a), max(x_max, a)
            y_min, y_max = min(y_min, b), max(y_max, b)
    if n > 0:
        x /= n
        y /= n
    for i in range(predicted.shape[0]):
        for j in range(predicted.shape[1]):
            a, b = np.float64(predicted[i, j]) - x, np.float64(truth[i, j]) - y
            if scored[i, j] and np.isfinite(a) and np.isfinite(b):
                xx += a * a
                yy += b * b
                xy += a * b
    return n, x, y, xx, yy, xy, error, absolute, squared, x_min, x_max, y_min, y_max
