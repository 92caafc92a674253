"""What fusion has to beat: gap filling from Sentinel-2 alone, pixel by pixel.

Each method sees a pixel's clear observations (all bands there) and nothing else, neither its neighbours nor
Sentinel-3. No method extrapolates: before a pixel's first and after its last observation there is no estimate, except
for the nearest scene, which is a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from satfusion_assets.fusion.season import Days, Float32Array, SeasonStack
from satfusion_assets.phenology.whittaker import LAMBDA, factorise, substitute

YEAR_DAYS: Final = 365.25
MAX_HARMONICS: Final = 2
OBSERVATIONS_PER_COEFFICIENT: Final = 2
"""A harmonic fit takes as many harmonics as it has twice as many observations as coefficients for."""


@dataclass(frozen=True)
class Prediction:
    """Filled images.

    values: (p, b, H, W), NaN = no estimate; b is 4 (reflectance) or 1 (GCC fused as such). sd: (p, b, H, W) predictive
    standard deviation about the true surface, where the method states one. scene_noise: (k, b) standard deviations,
    equally likely, that a withheld scene may have about the surface, estimated from the scenes that were not withheld.
    """

    values: Float32Array
    sd: Float32Array | None = None
    scene_noise: npt.NDArray[np.floating] | None = None


class GapMethod(Protocol):
    """One way to fill a gap."""

    @property
    def name(self) -> str:
        """Key in tables and JSON."""

    @property
    def reach(self) -> int:
        """Coarse pixels beyond a pixel's own that its estimate depends on."""

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        """Images of ``days`` (p,) from what the stack has left."""


@dataclass(frozen=True)
class PixelMethod:
    """A method that fills each pixel from its own observations.

    kernel: (values (pixels, b, n), clear (pixels, n), observed (n,), wanted (p,), out (pixels, b, p)), days as
    ascending integers; ``out`` starts as NaN.
    """

    name: str
    kernel: Callable[..., None]
    reach: int = 0

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        return Prediction(self.fill(stack.fine, stack.fine_days, days))

    def fill(self, fine: Float32Array, fine_days: Days, days: Days) -> Float32Array:
        """Images (p, b, H, W) of ``days`` from scenes (n, b, H, W) on ``fine_days``, ascending and unique."""
        scenes, bands, height, width = fine.shape
        values = np.ascontiguousarray(fine.reshape(scenes, bands, height * width).transpose(2, 1, 0))
        clear = np.isfinite(values).all(axis=1)
        out = np.full((height * width, bands, len(days)), np.nan, dtype=np.float32)
        if scenes and len(days):
            self.kernel(values, clear, fine_days.astype(np.int64), days.astype(np.int64), out)
        return np.ascontiguousarray(out.transpose(2, 1, 0)).reshape(len(days), bands, height, width)


@njit(cache=True, nogil=True)
def _neighbours(clear: Any, observed: Any, day: int) -> tuple[int, int]:
    """Numbers of the last clear scene up to ``day`` and the first from it on; -1 = none."""
    before, after = -1, -1
    for k in range(observed.size):
        if not clear[k]:
            continue
        if observed[k] <= day:
            before = k
        if observed[k] >= day:
            after = k
            break
    return before, after


@njit(cache=True, nogil=True)
def _nearest(values: Any, clear: Any, observed: Any, wanted: Any, out: Any) -> None:
    for r in range(values.shape[0]):
        for p in range(wanted.size):
            before, after = _neighbours(clear[r], observed, wanted[p])
            if before < 0 and after < 0:
                continue
            take_after = before < 0 or (after >= 0 and observed[after] - wanted[p] < wanted[p] - observed[before])
            source = after if take_after else before
            for b in range(values.shape[1]):
                out[r, b, p] = values[r, b, source]


@njit(cache=True, nogil=True)
def _linear(values: Any, clear: Any, observed: Any, wanted: Any, out: Any) -> None:
    for r in range(values.shape[0]):
        for p in range(wanted.size):
            before, after = _neighbours(clear[r], observed, wanted[p])
            if before < 0 or after < 0:
                continue
            span = observed[after] - observed[before]
            share = (wanted[p] - observed[before]) / span if span > 0 else 0.0
            for b in range(values.shape[1]):
                out[r, b, p] = (1.0 - share) * values[r, b, before] + share * values[r, b, after]


@njit(cache=True, nogil=True)
def _whittaker(values: Any, clear: Any, observed: Any, wanted: Any, out: Any) -> None:
    first = observed[0]
    length = observed[-1] - first + 1
    work = np.empty((3, length))
    curve = np.empty(length)
    for r in range(values.shape[0]):
        known = np.flatnonzero(clear[r])
        if known.size < 2 or observed[known[-1]] - observed[known[0]] < 2:
            continue
        start, n = observed[known[0]], observed[known[-1]] - observed[known[0]] + 1
        seen = np.zeros(n, dtype=np.bool_)
        for k in known:
            seen[observed[k] - start] = True
        factorise(seen, LAMBDA, work[:, :n])
        for b in range(values.shape[1]):
            curve[:n] = 0.0
            for k in known:
                curve[observed[k] - start] = values[r, b, k]
            substitute(work[:, :n], curve[:n])
            for p in range(wanted.size):
                if 0 <= wanted[p] - start < n:
                    out[r, b, p] = curve[wanted[p] - start]


@njit(cache=True, nogil=True)
def _harmonic_terms(day: float, out: Any) -> None:
    out[0] = 1.0
    for order in range(1, MAX_HARMONICS + 1):
        angle = 2.0 * np.pi * order * day / YEAR_DAYS
        out[2 * order - 1], out[2 * order] = np.cos(angle), np.sin(angle)


@njit(cache=True, nogil=True)
def _design(days: Any) -> Any:
    terms = np.empty((days.size, 2 * MAX_HARMONICS + 1))
    for k in range(days.size):
        _harmonic_terms(days[k], terms[k])
    return terms


@njit(cache=True, nogil=True)
def _harmonic(values: Any, clear: Any, observed: Any, wanted: Any, out: Any) -> None:
    design, target = _design(observed), _design(wanted)
    for r in range(values.shape[0]):
        known = np.flatnonzero(clear[r])
        harmonics = min(MAX_HARMONICS, (known.size // OBSERVATIONS_PER_COEFFICIENT - 1) // 2)
        if harmonics < 1:
            continue
        size = 2 * harmonics + 1
        normal = np.zeros((size, size))
        right = np.zeros((size, values.shape[1]))
        for k in known:
            for i in range(size):
                for j in range(size):
                    normal[i, j] += design[k, i] * design[k, j]
                for b in range(values.shape[1]):
                    right[i, b] += design[k, i] * values[r, b, k]
        # A pixel seen in one season of the year alone leaves the harmonics undetermined.
        if np.linalg.cond(normal) > 1e8:
            continue
        coefficients = np.linalg.solve(normal, right)
        for p in range(wanted.size):
            if not observed[known[0]] <= wanted[p] <= observed[known[-1]]:
                continue
            for b in range(values.shape[1]):
                total = 0.0
                for i in range(size):
                    total += target[p, i] * coefficients[i, b]
                out[r, b, p] = total


NEAREST: Final = PixelMethod("nearest", _nearest)
"""The clear observation nearest in time; of two equally near ones the earlier."""
LINEAR: Final = PixelMethod("linear", _linear)
"""Linear interpolation between the clear observations before and after."""
WHITTAKER: Final = PixelMethod("whittaker", _whittaker)
"""Whittaker smoother, lambda 400 d^2, over the pixel's whole season (``processing.whittaker``)."""
HARMONIC: Final = PixelMethod("harmonic", _harmonic)
"""Least-squares mean and one or two annual harmonics (Zhu and Woodcock 2014, RSE 144, 152, without trend)."""

PIXEL_METHODS: Final = (NEAREST, LINEAR, WHITTAKER, HARMONIC)
