"""Colours that a colour-blind reader can tell apart (Okabe and Ito 2008), one meaning each, and scales for maps."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CAMERA: Final = "#222222"


FUSED: Final = "#009E73"


S2: Final = "#D55E00"


S3: Final = "#56B4E9"


EXCLUDED: Final = "#CC79A7"


OTHERS: Final = ("#0072B2", "#E69F00", "#882255", "#999933")


MISSING: Final = (224, 224, 224)
"""Grey of a pixel without a value; no scale holds it."""


BRIGHTEST: Final = 0.22
"""Reflectance that is white."""


GAMMA: Final = 0.65


AIR_LIGHT: Final = (0.03, 0.06, 0.1)
"""Typical reflectance of clear air over dark ground seen from above it, red, green, blue."""


_VIRIDIS: Final = np.array(
    [
        *([68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141]),
        *([39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]),
    ],
    np.float64,
)


def viridis(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """(H, W) -> (H, W, 3) on the scale ``low`` to ``high``; NaN is MISSING."""
    place = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * (len(_VIRIDIS) - 1)
    known = np.isfinite(place)
    at = np.where(known, place, 0)
    colours = np.stack([np.interp(at, np.arange(len(_VIRIDIS)), _VIRIDIS[:, band]) for band in range(3)], axis=-1)
    return np.where(known[..., None], colours, MISSING).round().astype(np.uint8)


def true_colour(bands: NDArray[Any], *, hazy: bool = False) -> NDArray[np.uint8]:
    """Reflectance (blue, green, red, ...) (b, H, W) -> (H, W, 3); NaN is MISSING.

    One stretch for every image, so that colours mean the same from one to the next; clouds and snow are white. hazy:
    top of the atmosphere, whose air light is taken off first.
    """
    rgb = np.moveaxis(bands[2::-1], 0, -1) - np.asarray(AIR_LIGHT if hazy else 0.0, np.float32)
    shown = np.clip(rgb / BRIGHTEST, 0, 1) ** GAMMA
    known = np.isfinite(shown).all(axis=-1, keepdims=True)
    return np.where(known, 255 * np.nan_to_num(shown), MISSING).round().astype(np.uint8)
