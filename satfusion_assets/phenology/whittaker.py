"""The Whittaker smoother (Eilers 2003, Analytical Chemistry 75, 3631) on a daily grid.

Solve ``(W + lambda D'D) z = W y`` with W = 1 on observed days and 0 elsewhere, D second-order differences: the series
that stays close to the observations and bends little, straight across gaps. Two observations determine it; fewer do
not. The matrix is pentadiagonal, so its factorisation solves a season in linear time.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from satfusion_assets.sampling.series import DailySeries

Scalar = TypeVar("Scalar", bound=np.floating)

LAMBDA: Final = 400.0
"""Penalty of the contract's baseline, in days squared."""

MIN_DAYS: Final = 3
"""Shortest daily grid on which second differences exist."""


def smooth_series(series: DailySeries, penalty: float = LAMBDA) -> DailySeries:
    """Smooth a series onto every day from its first to its last; empty when it has no two values or under 3 days."""
    if len(series) < 2:
        return DailySeries.of([], [])
    days = np.arange(series.days[0], series.days[-1] + 1)
    if len(days) < MIN_DAYS:
        return DailySeries.of([], [])
    return DailySeries(days, smooth_pixels(series.on(days), penalty))


def smooth_pixels(values: npt.NDArray[Scalar], penalty: float = LAMBDA) -> npt.NDArray[Scalar]:
    """Smooth every pixel's daily series over its own observed days, from its first to its last.

    values: (t, ...) with t consecutive days, NaN = not observed. Returns the same shape and dtype; NaN before a
    pixel's first and after its last observation (nothing is extrapolated) and for pixels with fewer than two
    observations or fewer than 3 days.
    """
    flat = np.ascontiguousarray(values.reshape(len(values), -1).T)
    smooth = np.full_like(flat, np.nan)
    _smooth_rows(flat, float(penalty), smooth)
    return smooth.T.reshape(values.shape)


@njit(cache=True, nogil=True)
def _smooth_rows(rows: Any, penalty: float, out: Any) -> None:
    """Smooth each row between its first and last finite value; other rows of ``out`` stay as they are."""
    work = np.empty((4, rows.shape[1]))
    for r in range(rows.shape[0]):
        known = np.flatnonzero(np.isfinite(rows[r]))
        if known.size < 2 or known[-1] - known[0] < 2:
            continue
        n = known[-1] - known[0] + 1
        y = rows[r, known[0] : known[-1] + 1]
        factorise(np.isfinite(y), penalty, work[:3, :n])
        work[3, :n] = np.where(np.isfinite(y), y, 0.0)
        substitute(work[:3, :n], work[3, :n])
        out[r, known[0] : known[-1] + 1] = work[3, :n]


@njit(cache=True, nogil=True)
def factorise(observed: Any, penalty: float, factors: Any) -> None:
    """``L d L'`` of the pentadiagonal system of n days, ``observed`` (n,): factors (3, n) = d and L's sub-diagonals."""
    d, e, f = factors
    n = observed.size
    for i in range(n):
        d[i] = penalty * _diagonal(i, n) + (1.0 if observed[i] else 0.0)
        if i >= 2:
            f[i] = penalty / d[i - 2]
        if i >= 1:
            inner = f[i] * d[i - 2] * e[i - 1] if i >= 2 else 0.0
            e[i] = (penalty * _beside(i, n) - inner) / d[i - 1]
            d[i] -= e[i] * e[i] * d[i - 1]
        if i >= 2:
            d[i] -= f[i] * f[i] * d[i - 2]


@njit(cache=True, nogil=True)
def substitute(factors: Any, z: Any) -> None:
    """Solve in place: z (n,) goes in as the right-hand side (0 on unobserved days) and comes out as the curve."""
    d, e, f = factors
    n = z.size
    for i in range(1, n):
        z[i] -= e[i] * z[i - 1]
        if i >= 2:
            z[i] -= f[i] * z[i - 2]
    for i in range(n - 1, -1, -1):
        z[i] /= d[i]
        if i < n - 1:
            z[i] -= e[i + 1] * z[i + 1]
        if i < n - 2:
            z[i] -= f[i + 2] * z[i + 2]


@njit(cache=True, nogil=True)
def _diagonal(i: int, n: int) -> float:
    """(D'D)[i, i] of n days: the ends take part in fewer second differences."""
    return (1.0 if i < n - 2 else 0.0) + (4.0 if 1 <= i < n - 1 else 0.0) + (1.0 if i >= 2 else 0.0)


@njit(cache=True, nogil=True)
def _beside(i: int, n: int) -> float:
    """(D'D)[i - 1, i] of n days."""
    return (-2.0 if i < n - 1 else 0.0) + (-2.0 if i >= 2 else 0.0)
