"""What the coarse series says of the surface: its bands told from what the atmosphere adds to all of them.

Sentinel-3 is taken at the top of the atmosphere, whose light in blue changes by more in a year than that of the ground.
What it adds is alike over the area and goes together in the bands, much in blue, little in near infrared; the ground
has its own way for bands to go together. So the best linear estimate of one band of the surface takes all bands of the
coarse series (the Wiener filter; Rasmussen & Williams 2006, section 2.6, is its form over time):

    c = s + a,   E[s | c] = S (S + A)^-1 c

with the covariances S of the surface and A of what the coarse series has beside it. Both are known from the scenes,
their own effects taken off: S is that of what all pixels share, A that of what the coarse series shows beside it on the
same days. Where places depart from the area the atmosphere has no part, but each has noise and neighbours: there the
regression of pixels on the departures of their coarse pixel tells what to make of them. Covariances are shrunk towards
their diagonals (Ledoit & Wolf 2004), so that few scenes leave each band to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Images = NDArray[np.floating[Any]]

SEEN: Final = (0.01, 0.99)
"""Quantiles of all values of all scenes between which an index of the filtered series may lie."""


@dataclass(frozen=True)
class SurfaceFilter:
    """How the surface follows from the coarse series of an area, and of any part of it.

    days: (t,) of the coarse images. change: (t, b) that all of them share (``common_change``), NaN on days without any
    pixel. common: (b, b) the part of each coarse band's change in that of each band of the surface. places: (b, b)
    the same of how a coarse pixel's change departs from the area's. offset: (b,) of the surface's mean over that of the
    series.
    """

    days: NDArray[np.int64]
    change: Array
    common: Array
    places: Array
    offset: Array

    def surface(self, coarse: Images) -> Images:
        """Images (t, b, h, w) of the surface from ``coarse`` ones of the same days, NaN where any band is missing
        (NaN), and on days on which nothing is known of the area."""
        level = levels(coarse, self.change)
        common = self.change @ self.common.T
        out = np.empty_like(coarse)
        for band, shares in enumerate(self.places):
            total = (level[band] + self.offset[band]) + common[:, band, None, None]
            for other, share in enumerate(shares):
                total += share * (coarse[:, other] - level[other] - self.change[:, other, None, None])
            out[:, band] = total
        return out


def common_change(coarse: Images) -> Array:
    """What all pixels of an area share of a day (t, b), beside the level of each; NaN on days without any pixel.

    coarse: (t, b, h, w), NaN = missing. The least squares of a two-way layout with missing cells (Searle 1987, *Linear
    Models for Unbalanced Data*, chapter 4), so that a pixel which is seen in summer alone makes no step in spring.
    """
    days, bands = coarse.shape[:2]
    change = np.full((days, bands), np.nan)
    for band in range(bands):
        values = coarse[:, band].reshape(days, -1).astype(np.float64)
        known = np.isfinite(values)
        seen = known.any(axis=1)
        values, known = np.where(known, values, 0.0)[seen], known[seen].astype(np.float64)
        often = np.maximum(known.sum(axis=0), 1.0)
        equations = np.diag(known.sum(axis=1)) - (known / often) @ known.T
        right = values.sum(axis=1) - known @ (values.sum(axis=0) / often)
        change[seen, band] = np.linalg.pinv(equations, rcond=1e-10, hermitian=True) @ right
    return change


def levels(coarse: Images, change: Array) -> Array:
    """Mean (b, h, w) of each coarse pixel without the area's ``change`` (t, b), NaN where there is none."""
    known = np.isfinite(coarse) & np.isfinite(change)[:, :, None, None]
    count = known.sum(axis=0)
    total = np.zeros(coarse.shape[1:])
    for image, seen, shared in zip(coarse, known, change, strict=True):
        total += np.where(seen, image - shared[:, None, None], 0.0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def within_seen(index: Images, scenes: Images) -> Images:
    """``index`` of filtered coarse images, no farther out than ``scenes`` show it: of dark ground, of which the filter
    knows little, a ratio may come out as anything."""
    seen = scenes[np.isfinite(scenes)]
    return np.clip(index, *np.quantile(seen, SEEN).astype(index.dtype)) if seen.size else index
