"""A Whittaker smoother on a daily grid that knows how sure it is.

The curve z of a series y minimises ``sum w (y - z)^2 + lambda |D2 z|^2 + tension |D1 z|^2`` (Whittaker 1923; Eilers
2003, Analytical Chemistry 75, 3631), w = 0 on days without an observation. A little tension (first differences) keeps
the curve from overshooting across long gaps. The system is pentadiagonal: one factorisation gives the curve, and the
central bands of the inverse (Hutchinson and de Hoog 1985, Numerische Mathematik 47, 99) give, at the same linear cost,
the effective degrees of freedom and the pointwise Bayesian variance of the curve (Wahba 1983, JRSS B 45, 133). That
variance is right on average over the curve and too small where it bends (Nychka 1988, JASA 83, 1134), so the bias that
smoothing the curve once more shows (Tukey's twicing) is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from satfusion_assets.phenology.noise import noise_variance

LAMBDAS = np.array(
    [
        *(31.622776601683793, 1e2, 316.2277660168379, 1e3, 3162.2776601683795),
        *(1e4, 31622.776601683792, 1e5, 316227.7660168379, 1e6),
    ]
)
"""Candidate smoothing parameters [d^2 per unit weight]; half a decade moves the smoother's width by a third.

Written out: a power's last digit depends on the processor, and what one machine makes must not be due on another.
"""

TENSION_SHARE = 2e-3
"""tension = share * lambda: bends across gaps die out over sqrt(1 / share), about three weeks."""

GCV_GAMMA = 1.4
"""Each degree of freedom is charged 1.4-fold: plain GCV follows correlated noise (Kim and Gu 2004, JRSS B 66, 337)."""

MAX_AUTOCORRELATION = 0.8

SPIKE_NEIGHBOURS = 2
"""Observations on either side whose median an observation is compared with."""

SPIKE_SIGMAS = 5.0
"""Distance from that median, in robust standard deviations of all such distances, beyond which it is a spike."""

ROBUST_REACH = 6.0
"""Residuals count up to this many median absolute residuals in the noise of a series with missed clouds. They are not
weighted down: where a curve lags a steep rise, residuals are as large, and the rise would be smoothed away."""

MIN_PAIRS = 30
"""Neighbouring observed days needed to speak of autocorrelation."""

OUTLINE_LAMBDA = 3000.0
"""Smoothing of the outline on which turns are found: of a wave of 46 days half is left, of 23 days a twentieth."""


@njit(cache=True, nogil=True)
def _factorise(w, lam, tension, d, u1, u2):  # type: ignore[no-untyped-def]
    """U'DU of W + lambda D2'D2 + tension D1'D1; U unit upper with bands u1, u2."""
    n = w.size
    for i in range(n):
        c2 = 1.0 if i in (0, n - 1) else (5.0 if i in (1, n - 2) else 6.0)
        if n == 3:
            c2 = 4.0 if i == 1 else 1.0
        c1 = 1.0 if i in (0, n - 1) else 2.0
        a0 = w[i] + lam * c2 + tension * c1
        a1 = 0.0
        a2 = 0.0
        if i < n - 1:
            a1 = lam * (-2.0 if i in (0, n - 2) else -4.0) - tension
        if i < n - 2:
            a2 = lam
        if i > 0:
            a0 -= d[i - 1] * u1[i - 1] * u1[i - 1]
            a1 -= d[i - 1] * u1[i - 1] * u2[i - 1]
        if i > 1:
            a0 -= d[i - 2] * u2[i - 2] * u2[i - 2]
        d[i] = a0
        u1[i] = a1 / a0
        u2[i] = a2 / a0


@njit(cache=True, nogil=True)
def _solve(w, y, d, u1, u2, z):  # type: ignore[no-untyped-def]
    n = w.size
    for i in range(n):
        s = w[i] * y[i] if w[i] > 0.0 else 0.0
        if i > 0:
            s -= u1[i - 1] * z[i - 1]
        if i > 1:
            s -= u2[i - 2] * z[i - 2]
        z[i] = s
    for i in range(n):
        z[i] /= d[i]
    for i in range(n - 2, -1, -1):
        z[i] -= u1[i] * z[i + 1]
        if i < n - 2:
            z[i] -= u2[i] * z[i + 2]


@njit(cache=True, nogil=True)
def _inverse_diagonal(d, u1, u2, b):  # type: ignore[no-untyped-def]
    """Diagonal of the inverse, from its three central bands alone."""
    n = d.size
    b11 = 1.0 / d[n - 1]  # b[i+1, i+1]
    b12 = 0.0  # b[i+1, i+2]
    b22 = 0.0  # b[i+2, i+2]
    b[n - 1] = b11
    for i in range(n - 2, -1, -1):
        c01 = -u1[i] * b11 - u2[i] * b12
        c02 = -u1[i] * b12 - u2[i] * b22
        c00 = 1.0 / d[i] - u1[i] * c01 - u2[i] * c02
        b[i] = c00
        b22 = b11
        b12 = c01
        b11 = c00


@njit(cache=True, nogil=True)
def _fit(y, w, lam, d, u1, u2, z, leverage):  # type: ignore[no-untyped-def]
    """Fill the factors d, u1, u2, the curve ``z`` and the inverse's diagonal; returns (RSS, edf, observations)."""
    _factorise(w, lam, TENSION_SHARE * lam, d, u1, u2)
    _solve(w, y, d, u1, u2, z)
    _inverse_diagonal(d, u1, u2, leverage)
    rss = 0.0
    edf = 0.0
    count = 0
    for i in range(y.size):
        if w[i] > 0.0:
            rss += w[i] * (y[i] - z[i]) ** 2
            edf += w[i] * leverage[i]
            count += 1
    return rss, edf, count


@njit(cache=True, nogil=True)
def _local_median(y, seen, k, window):  # type: ignore[no-untyped-def]
    """Median of observation ``k`` and its neighbours, of ``y`` at ``seen``; ``window`` is room for them."""
    count = 0
    for j in range(max(k - SPIKE_NEIGHBOURS, 0), min(k + SPIKE_NEIGHBOURS + 1, seen.size)):
        place = count
        while place > 0 and window[place - 1] > y[seen[j]]:
            window[place] = window[place - 1]
            place -= 1
        window[place] = y[seen[j]]
        count += 1
    return 0.5 * (window[(count - 1) // 2] + window[count // 2])


@njit(cache=True, nogil=True)
def _remove_spikes(y, w):  # type: ignore[no-untyped-def]
    """Set the weight of isolated outliers to 0: the Hampel identifier over neighbouring observations.

    A median of neighbours leaves rises, falls and steps alone, however steep and sparsely seen.
    """
    seen = np.flatnonzero(w > 0.0)
    if seen.size < 4 * SPIKE_NEIGHBOURS:
        return
    window = np.empty(2 * SPIKE_NEIGHBOURS + 1)
    distance = np.empty(seen.size)
    for k in range(seen.size):
        distance[k] = abs(y[seen[k]] - _local_median(y, seen, k, window))
    off = distance[distance > 0.0]
    if off.size:
        limit = SPIKE_SIGMAS * 1.4826 * np.median(off)
        for k in range(seen.size):
            if distance[k] > limit:
                w[seen[k]] = 0.0


@njit(cache=True, nogil=True)
def _neighbour_correlation(y, w, z):  # type: ignore[no-untyped-def]
    """Correlation of the residuals of neighbouring observed days, within [0, ceiling]; 0 where there are too few.

    From the signs alone (quadrant correlation), which the few days on which the curve lags a steep rise cannot sway.
    """
    agree = 0.0
    pairs = 0
    for i in range(y.size - 1):
        if w[i] > 0.0 and w[i + 1] > 0.0:
            agree += np.sign(y[i] - z[i]) * np.sign(y[i + 1] - z[i + 1])
            pairs += 1
    if pairs < MIN_PAIRS:
        return 0.0
    return min(max(np.sin(0.5 * np.pi * agree / pairs), 0.0), MAX_AUTOCORRELATION)


@njit(cache=True, nogil=True)
def _choose_lambda(y, w):  # type: ignore[no-untyped-def]
    """The candidate of least generalised cross-validation score."""
    d, u1, u2, z, leverage = np.empty((5, y.size))
    best = LAMBDAS[-1]
    best_score = np.inf
    for lam in LAMBDAS:
        rss, edf, count = _fit(y, w, lam, d, u1, u2, z, leverage)
        free = count - GCV_GAMMA * edf
        if free > 0.0 and count * rss / (free * free) < best_score:
            best_score = count * rss / (free * free)
            best = lam
    return best


@njit(cache=True, nogil=True)
def _smooth_row(y, w, lam, reach, noise, rho, z, se, information):  # type: ignore[no-untyped-def]
    """Curve, standard error and leverage of one series; returns (noise, autocorrelation).

    A ``noise`` or autocorrelation ``rho`` that is not NaN is taken as known. reach: median absolute residuals up to
    which a residual counts as noise.
    """
    d, u1, u2, again = np.empty((4, y.size))
    _fit(y, w, lam, d, u1, u2, z, se)
    if np.isnan(noise):
        seen = w > 0.0
        residual = np.abs(y - z)[seen]
        if residual.size and reach < np.inf:
            residual = np.minimum(residual, reach * np.median(residual))
        noise = np.sqrt(np.sum(residual**2) / max(residual.size - np.sum(se[seen]), 1.0))
    if np.isnan(rho):
        rho = _neighbour_correlation(y, w, z)
    variance = noise * noise * (1.0 + rho) / (1.0 - rho)
    _solve(w, z, d, u1, u2, again)
    for i in range(y.size):
        information[i] = w[i] * se[i]
        se[i] = np.sqrt(variance * max(se[i], 0.0) + (z[i] - again[i]) ** 2)
    return noise, rho


@njit(cache=True, nogil=True)
def _smooth_rows(y, w, lam, reach, rho, value, se, information, noise):  # type: ignore[no-untyped-def]
    for row in range(y.shape[0]):
        noise[row], rho[row] = _smooth_row(
            y[row], w[row], lam[row], reach, noise[row], rho[row], value[row], se[row], information[row]
        )


@njit(cache=True, nogil=True)
def _choose_rows(y, w, chosen):  # type: ignore[no-untyped-def]
    for row in range(y.shape[0]):
        chosen[row] = _choose_lambda(y[row], w[row])


@njit(cache=True, nogil=True)
def _despike_rows(y, w):  # type: ignore[no-untyped-def]
    for row in range(y.shape[0]):
        _remove_spikes(y[row], w[row])


def despiked(stack: NDArray[np.floating]) -> NDArray[np.float64]:
    """Observations (n, m) of m series in the order of days, isolated spikes of each made NaN."""
    series = np.ascontiguousarray(stack.T, dtype=np.float64)
    weight = np.isfinite(series).astype(np.float64)
    _despike_rows(np.nan_to_num(series), weight)
    return np.where(weight > 0.0, series, np.nan).T


class Curves(NamedTuple):
    """Smoothed series on consecutive days, a row each."""

    value: NDArray[np.float64]
    """(m, n) in the units of the data."""
    se: NDArray[np.float64]
    """(m, n) standard error of ``value``."""
    information: NDArray[np.float64]
    """(m, n) leverage of each day's observation, 0 where there is none; over a stretch of days its sum is the number of
    independent pieces the curve has there, over the whole series the effective degrees of freedom."""
    noise: NDArray[np.float64]
    """(m,) standard deviation of one observation about the curve."""


@dataclass(frozen=True)
class Smoothing:
    """How a kind of series is smoothed."""

    lam: float | None
    """Smoothing parameter of the Whittaker smoother [d^2 per unit weight]; None = by generalised cross-validation."""
    robust: bool
    """Take isolated spikes out, and let no outlier swell the noise."""
    least_swing: float = 10.0
    """Smallest swing that counts as a season, in standard errors that noise gives the outline. Of 400 series of noise
    with an autocorrelation of 0 to 0.8 one in fifty swings by 6 to 9 in one year or three, so that 10 leaves few."""


CAMERA = Smoothing(lam=None, robust=False)
"""Daily values of one instrument, outliers already flagged: the data say how smooth they are."""

SATELLITE = Smoothing(lam=400.0, robust=True)
"""A fusion, whose errors last for weeks and pass for signal in a cross-validation. 400 is the Whittaker baseline's
parameter in metrics.json."""

SCENES = Smoothing(lam=400.0, robust=True, least_swing=8.0)
"""Few clear days with missed clouds among them. Their errors are independent, and few independent errors swing less:
of 300 series of noise on 34 days 8 lets one in a hundred through, on 15 days one in thirty, and it finds 99 of 100
seasons of 0.08 GCC on 34 days with noise of 0.012."""

COURSE = Smoothing(lam=1.0, robust=False)
"""A daily course that is a curve already (`evidence.anchored`): smoothing it again would only flatten it."""


class Smoother:
    """Daily series (m, n), NaN = missing, made ready for smoothing."""

    def __init__(self, series: NDArray[np.float64], smoothing: Smoothing) -> None:
        self._value = np.nan_to_num(series)
        self._weight = np.isfinite(series).astype(np.float64)
        self._reach = ROBUST_REACH if smoothing.robust else np.inf
        if smoothing.robust:
            _despike_rows(self._value, self._weight)
        self.autocorrelation = np.full(len(series), np.nan)
        """(m,) of the residuals of neighbouring days about the outline; it widens standard errors."""
        self.outline = self._curves(np.full(len(series), OUTLINE_LAMBDA))
        """Coarser curves on which turns are found."""
        self.outline_noise = self._outline_noise()
        """(m,) typical standard error of the outline from noise alone: what it smooths away of a season's own shape
        (cuts and regrowth) is no noise, though its residuals are as large. NaN where nothing is observed."""
        self.lam = self._chosen() if smoothing.lam is None else np.full(len(series), smoothing.lam)
        """(m,) smoothing parameter of each series."""

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(m, n) days with an observation that was not taken out as a spike."""
        return self._weight > 0.0

    def _outline_noise(self) -> NDArray[np.float64]:
        variance = noise_variance(self._value, self.observed)
        known = np.isfinite(variance)
        noise = np.full(len(self._value), np.nan)
        for row in np.flatnonzero(self.observed.any(axis=1)):
            seen = self.observed[row]
            leverage = np.median(self.outline.information[row, seen])
            noise[row] = np.sqrt(variance[row] * leverage) if known[row] else np.median(self.outline.se[row, seen])
        return noise

    def _chosen(self) -> NDArray[np.float64]:
        chosen = np.empty(len(self._value))
        _choose_rows(self._value, self._weight, chosen)
        return chosen

    def curves(self) -> Curves:
        """The curves as the smoothing asks for them, each with its own parameter where that is cross-validated."""
        return self._curves(self.lam)

    def _curves(self, lam: NDArray[np.float64]) -> Curves:
        unknown = np.full(len(self._value), np.nan)
        return _smoothed(self._value, self._weight, lam, self._reach, unknown, self.autocorrelation)


def weighted_curves(
    series: NDArray[np.float64], weight: NDArray[np.float64], lam: float, noise: NDArray[np.float64]
) -> Curves:
    """Curves through values (m, n) with independent errors; that of a value of weight w is ``noise`` (m,) / sqrt(w)."""
    rows = len(series)
    return _smoothed(series, weight, np.full(rows, lam), np.inf, noise.copy(), np.zeros(rows))


def _smoothed(
    series: NDArray[np.float64],
    weight: NDArray[np.float64],
    lam: NDArray[np.float64],
    reach: float,
    noise: NDArray[np.float64],
    autocorrelation: NDArray[np.float64],
) -> Curves:
    """noise, autocorrelation: (m,), filled where they are NaN."""
    value, se, information = (np.empty_like(series) for _ in range(3))
    curves = Curves(value, se, information, noise)
    _smooth_rows(series, weight, lam, reach, autocorrelation, *curves)
    return curves
