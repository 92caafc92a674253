"""The cloud mask and the distance to the nearest cloud.

A pixel is masked (cloud, shadow, cirrus, snow, no data inside the granule), defective (no measurement, though no cloud
is near), clear, or unknown (outside the granule). Defective and unknown are neither cloud nor clear: they cast no
distance on their neighbours, and where a whole coarse pixel is unknown there is no image to weigh, so its distance is
NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from satfusion_assets.vocabulary.grid import CLOUD_DISTANCE_LIMIT, COARSE_M, FINE_M, SCL_M

MASKED_CLASSES: Final = (0, 3, 8, 9, 10, 11)
"""SCL: no data, cloud shadow, cloud of medium and high probability, thin cirrus, snow or ice."""

DEFECTIVE_CLASSES: Final = (1, 2)
"""SCL: saturated or defective, and cast shadow (before baseline 04.00: dark area).

Ground in the terrain's shadow has no direct light, and the correction for slope divides what is left by an illumination
near zero: red of 0.0001 beside near infrared of 0.9 was seen. A slope in the Alps stays in shadow for weeks, so that
the days around cannot tell either. The price is the dark conifers and water that old baselines put into this class.
"""

OUTSIDE_GRANULE: Final = 255
"""Value of a stored SCL where the granule does not reach."""

SCL_RATIO: Final = COARSE_M // SCL_M
"""SCL pixels per coarse pixel side."""

NO_CLOUD_DISTANCE: Final = 255.0
"""Distance, in coarse pixels, where no cloud is in sight: beyond every limit in use."""

CLOUD_SHARE: Final = 0.05
"""A coarse pixel is clear when less than this share of its known pixels is masked."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CloudMask:
    """Masked, unknown and defective pixels of one scene on one grid; a pixel is never two of them.

    masked, unknown, defective: (H, W), or () for all pixels alike. Clear is what is none of them.
    """

    masked: BoolArray
    unknown: BoolArray
    defective: BoolArray = field(default_factory=lambda: np.zeros((), dtype=bool))

    @property
    def clear(self) -> BoolArray:
        return ~(self.masked | self.unknown | self.defective)


def scl_mask(scl: npt.NDArray[Any]) -> CloudMask:
    """Mask of a scene classification layer (H, W), ``OUTSIDE_GRANULE`` where the granule does not reach."""
    return CloudMask(
        masked=np.isin(scl, MASKED_CLASSES),
        unknown=scl == OUTSIDE_GRANULE,
        defective=np.isin(scl, DEFECTIVE_CLASSES),
    )


def site_mask(wide: CloudMask) -> CloudMask:
    """The site's part of a mask on the wide SCL grid, at 10 m: the margin cut off, each 20 m pixel as four.

    wide: (15*(h+30), 15*(w+30)) at 20 m, with a margin of D = 15 coarse pixels. Returns (30*h, 30*w).
    """
    margin, factor = CLOUD_DISTANCE_LIMIT * SCL_RATIO, SCL_M // FINE_M
    inner = (slice(margin, -margin), slice(margin, -margin))
    block = np.ones((factor, factor), dtype=bool)
    layers = np.broadcast_arrays(wide.masked, wide.unknown, wide.defective)
    return CloudMask(*(np.kron(layer[inner], block) for layer in layers))


def cloud_distance(mask: CloudMask, ratio: int = SCL_RATIO, tolerance: float = CLOUD_SHARE) -> npt.NDArray[np.float32]:
    """Distance from each coarse pixel to the nearest cloudy one (Senty et al. 2024, section 2.4), in coarse pixels.

    mask: (h*ratio, w*ratio). Returns (h, w) float32: 0 at a cloudy pixel, at least 1 at a clear one, NaN at an
    unknown one, and ``NO_CLOUD_DISTANCE`` everywhere when there is no cloud at all (the distance transform of a mask
    without background would measure to a point that does not exist).
    """
    if mask.masked.shape[0] % ratio or mask.masked.shape[1] % ratio:
        raise ValueError(f"mask shape {mask.masked.shape} is not a multiple of ratio {ratio}")
    known = _block_count(~mask.unknown, ratio)
    masked = _block_count(mask.masked & ~mask.unknown, ratio)
    cloudy = (known > 0) & (masked >= tolerance * known)
    if cloudy.any():
        distance = np.minimum(distance_transform_edt(~cloudy), NO_CLOUD_DISTANCE)
    else:
        distance = np.full(cloudy.shape, NO_CLOUD_DISTANCE)
    distance[known == 0] = np.nan
    return distance.astype(np.float32)


def site_cloud_distance(wide: CloudMask) -> npt.NDArray[np.float32]:
    """Cloud distance of the site's coarse pixels, with clouds up to D coarse pixels outside it counted.

    wide: mask on the wide SCL grid, as in ``site_mask``. Returns (h, w) float32.
    """
    margin = CLOUD_DISTANCE_LIMIT
    return cloud_distance(wide)[margin:-margin, margin:-margin]


def _block_count(pixels: BoolArray, ratio: int) -> npt.NDArray[np.int64]:
    height, width = pixels.shape[0] // ratio, pixels.shape[1] // ratio
    return pixels.reshape(height, ratio, width, ratio).sum(axis=(1, 3), dtype=np.int64)
