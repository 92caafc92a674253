"""A camera's field of view as a footprint on the ground, and images read through it.

The camera stands at its site's coordinate and looks along an azimuth. Every part of the picture is a solid angle of the
view; level ground at distance d below a camera of height h fills h / (h^2 + d^2)^1.5 of solid angle per square metre,
so most of a picture is ground within some tens of metres. The footprint is that weight within the horizontal field
angle, from where the picture's lower edge meets the ground to the farthest ground that a region of interest takes in.
Relief, trees that hide others and the lens' distortion are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from affine import Affine
from scipy.sparse import csr_matrix, vstack

from satfusion_assets.vocabulary.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]

WINDS: Final = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)
"""The words of PhenoCam's ``camera_orientation``: all of 691 cameras of the network's list that name a direction."""
SUBPIXELS: Final = 5
"""A pixel's weight is the mean of so many points a side, 2 m apart on the 10 m grid."""
LEAST_SEEN: Final = 0.5
"""Share of the footprint that an image must show for its reading to count."""


@dataclass(frozen=True)
class Stand:
    """How a camera stands. height: metres above what it looks at. field_angle: degrees, horizontal.

    depression: degrees below the horizontal of the picture's lower edge. farthest: metres of the farthest ground in a
    region of interest.
    """

    height: float
    farthest: float
    field_angle: float = 60.0
    depression: float = 40.0

    @property
    def nearest(self) -> float:
        """Metres from the mast to the nearest ground in the picture."""
        return self.height / float(np.tan(np.radians(self.depression)))


FOREST: Final = Stand(height=8.0, farthest=200.0)
STANDS: Final = {
    "DB": FOREST,
    "DN": FOREST,
    "EB": FOREST,
    "EN": FOREST,
    "MX": FOREST,
    "AG": Stand(height=5.0, farthest=150.0),
    "GR": Stand(height=4.0, farthest=120.0),
    "SH": Stand(height=4.0, farthest=120.0),
    "TN": Stand(height=4.0, farthest=120.0),
    "WL": Stand(height=4.0, farthest=120.0),
}
"""Stands by PhenoCam's vegetation code. A field angle of 60 degrees and a height of 8 m over the canopy are those of a
documented forest camera (SITES Skogaryd: 38 m mast, 30 m spruces, 60 degrees); masts over grass and crops are a few
metres high. Lower edge and farthest ground are assumed: horizons lie in the upper part of the pictures, and regions of
interest end before it. With them half of the weight lies nearer than three heights, nine tenths nearer than eleven."""


@dataclass(frozen=True)
class CameraView:
    """A camera as it looks at the ground. east, north: metres of its mast. azimuth: degrees clockwise from north."""

    east: float
    north: float
    azimuth: float
    stand: Stand

    def outline(self, step: float = 5.0) -> list[tuple[float, float]]:
        """The footprint's border, closed, metres (east, north)."""
        half = self.stand.field_angle / 2
        angles = np.radians(self.azimuth + np.linspace(-half, half, max(2, round(2 * half / step) + 1)))
        far, near = (
            [(self.east + d * np.sin(a), self.north + d * np.cos(a)) for a in angles]
            for d in (self.stand.farthest, self.stand.nearest)
        )
        return [(float(x), float(y)) for x, y in [*far, *reversed(near), far[0]]]

    def weights(self, transform: Affine, shape: tuple[int, int]) -> csr_matrix:
        """(1, H * W): share of the picture that each pixel of a grid in metres fills, adding up to 1.

        Raises InvalidInput when the footprint reaches beyond the grid.
        """
        border = np.array(self.outline())
        columns, rows = np.array([~transform @ point for point in border]).T
        top, bottom, left, right = (int(np.floor(v)) for v in (rows.min(), rows.max(), columns.min(), columns.max()))
        if top < 0 or left < 0 or bottom >= shape[0] or right >= shape[1]:
            raise InvalidInput("The camera's footprint reaches beyond the site's grid; give the site a larger extent.")
        inner = (np.arange(SUBPIXELS) + 0.5) / SUBPIXELS
        row = (np.arange(top, bottom + 1)[:, None] + inner).ravel()
        column = (np.arange(left, right + 1)[:, None] + inner).ravel()
        x = transform.a * column[None, :] + transform.b * row[:, None] + transform.c
        y = transform.d * column[None, :] + transform.e * row[:, None] + transform.f
        seen = self._solid_angle(x - self.east, y - self.north)
        blocks = seen.reshape(bottom - top + 1, SUBPIXELS, right - left + 1, SUBPIXELS).sum(axis=(1, 3))
        whole = np.zeros(shape)
        whole[top : bottom + 1, left : right + 1] = blocks / blocks.sum()
        return csr_matrix(whole.reshape(1, -1))

    def _solid_angle(self, east: FloatArray, north: FloatArray) -> FloatArray:
        """Per square metre of ground at metres from the mast; 0 outside the view."""
        distance = np.hypot(east, north)
        off = (np.degrees(np.arctan2(east, north)) - self.azimuth + 180) % 360 - 180
        stand = self.stand
        inside = (np.abs(off) <= stand.field_angle / 2) & (distance >= stand.nearest) & (distance <= stand.farthest)
        return np.where(inside, stand.height / (stand.height**2 + distance**2) ** 1.5, 0.0)


def camera_view(
    mast: tuple[float, float], latitude: float, orientation: str | None, vegetation: str | None
) -> CameraView:
    """The camera on ``mast`` (metres east, north), as the archive's words for where and at what it looks have it."""
    return CameraView(*mast, azimuth_of(orientation, latitude), stand_of(vegetation))


def azimuth_of(orientation: str | None, latitude: float) -> float:
    """Degrees of PhenoCam's word for where a camera looks.

    Where the network says nothing (a fifth of its cameras) or no wind (``UP``), away from the noon sun, as it asks
    and as most of those do that say it.
    """
    word = (orientation or "").strip().upper()
    if word in WINDS:
        return WINDS.index(word) * 360 / len(WINDS)
    return 0.0 if latitude >= 0 else 180.0


def stand_of(vegetation: str | None) -> Stand:
    """The stand of a camera over a vegetation by PhenoCam's code; grassland's where the code is not known."""
    return STANDS.get((vegetation or "").upper()[:2], STANDS["GR"])


def places(views: Sequence[CameraView], transform: Affine, shape: tuple[int, int]) -> csr_matrix:
    """(k, H * W): weights of several footprints, to be read together."""
    return vstack([view.weights(transform, shape) for view in views]).tocsr()


def read_footprints(images: npt.NDArray[np.floating], weights: csr_matrix) -> FloatArray:
    """What images (p, H, W) say in footprints (k, H * W): (p, k), the mean by weight of the pixels that are there.

    NaN where less than ``LEAST_SEEN`` of the footprint is there.
    """
    flat = images.reshape(len(images), -1)
    touched = np.unique(weights.indices)
    values, part = flat[:, touched].astype(np.float64).T, weights[:, touched]
    there = np.isfinite(values)
    seen = np.asarray(part @ there.astype(np.float64))
    total = np.asarray(part @ np.where(there, values, 0.0))
    # Weights add up to 1 only as far as rounding goes.
    usable = seen >= LEAST_SEEN - 1e-9
    return np.divide(total, seen, out=np.full(total.shape, np.nan), where=usable).T
