"""Snow, which is neither the ground nor a coarse change of it: told by brightness without greenness."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.vocabulary.scenarios import BANDS

BRIGHT: Final = 0.15
"""Blue reflectance below which a surface holds little snow (a tenth of it over soil, a sixth over forest)."""
TIMES: Final = 2.0
"""How much brighter in blue than the ground's darker days: sand and salt are always bright, snow is not."""
DARK_QUANTILE: Final = 0.2
GREEN: Final = 0.3
"""NDVI from which a surface is seen through its snow rather than hidden."""

_BLUE, _RED, _NIR = (BANDS.index(band) for band in ("blue", "red", "nir"))


def snow(images: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Where images (n, 4, h, w) of the bands of ``BANDS`` show snow (or what looks like it): (n, h, w).

    Judged against each pixel's own darker days, so the images must span the season.
    """
    if not len(images):
        return np.zeros((0, *images.shape[2:]), bool)
    blue, red, nir = images[:, _BLUE], images[:, _RED], images[:, _NIR]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        dark = np.nanquantile(blue, DARK_QUANTILE, axis=0)
    bright = blue > np.maximum(BRIGHT, TIMES * dark)
    hidden: NDArray[np.bool_] = bright & (nir - red < GREEN * (nir + red))
    return hidden
