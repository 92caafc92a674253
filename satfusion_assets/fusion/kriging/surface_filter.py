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
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Images = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class SurfaceFilter:
    """How the surface follows from the coarse series.

    common: (b, b) the part of each coarse band's change, as the mean over the area, in that of each band of the
    surface. places: (b, b) the same of how a coarse pixel's change departs from the area's. level: (b,) mean of the
    surface.
    """

    common: Array
    places: Array
    level: Array

    def surface(self, coarse: Images) -> Images:
        """Images (t, b, h, w) of the surface from ``coarse`` ones, NaN where any band is missing (NaN)."""
        mean = _over_days(coarse)
        shared = common_change(coarse, mean)
        here = np.where(np.isfinite(mean), mean, 0.0)
        known = np.isfinite(mean).all(axis=0)
        places = here - here[:, known].mean(axis=1)[:, None, None] if known.any() else here
        out = np.empty_like(coarse)
        for band in range(len(self.level)):
            total = np.broadcast_to(self.level[band] + places[band], out[:, band].shape).copy()
            total += (shared @ self.common[band])[:, None, None]
            for other, share in enumerate(self.places[band]):
                total += share * (coarse[:, other] - mean[other] - shared[:, other, None, None])
            out[:, band] = total
        return out


def common_change(coarse: Images, mean: Array | None = None) -> Array:
    """How the area's coarse bands depart (t, b) from each pixel's ``mean`` over the days; NaN on days without any.

    coarse: (t, b, h, w), NaN = missing. mean: (b, h, w).
    """
    level = _over_days(coarse) if mean is None else mean
    change = np.full(coarse.shape[:2], np.nan)
    for day, image in enumerate(coarse):
        apart = image - level
        known = np.isfinite(apart)
        count = known.sum(axis=(1, 2))
        total = np.where(known, apart, 0.0).sum(axis=(1, 2))
        change[day] = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return change


def _over_days(coarse: Images) -> Array:
    """Mean (b, h, w) over the days, NaN where there is none."""
    known = np.isfinite(coarse)
    count = known.sum(axis=0)
    total = np.where(known, coarse, 0).sum(axis=0, dtype=np.float64)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
