"""Deviation of an index of kriged bands, whose errors go together.

First-order propagation (JCGM 100:2008, section 5.2): ``v = j' C j`` with the index's derivatives j and, at each pixel
and day, the covariance of the bands' errors ``C = C_common + R_own``: the error that all pixels share, given with
its covariance, and the pixel's own, given by its variance and one correlation of bands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.kriging.quality import KrigingQuality
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.scenarios import BANDS

Array = NDArray[np.floating[Any]]

_BLUE, _GREEN, _RED, _NIR = (BANDS.index(band) for band in ("blue", "green", "red", "nir"))


def _ndvi(values: Array) -> tuple[Array, dict[int, Array]]:
    red, nir = values[:, _RED], values[:, _NIR]
    square = np.square(nir + red)
    return indices.ndvi(red, nir), {_RED: -2 * nir / square, _NIR: 2 * red / square}


def _gcc(values: Array) -> tuple[Array, dict[int, Array]]:
    blue, green, red = values[:, _BLUE], values[:, _GREEN], values[:, _RED]
    square = np.square(blue + green + red)
    own = (blue + red) / square
    return indices.gcc(blue, green, red), {_BLUE: -green / square, _GREEN: own, _RED: -green / square}


INDICES: Final[dict[str, Callable[[Array], tuple[Array, dict[int, Array]]]]] = {"ndvi": _ndvi, "gcc": _gcc}
"""Value and derivatives by band of images (p, 4, ...)."""


def index_with_deviation(name: str, values: Array, quality: KrigingQuality) -> tuple[Array, Array]:
    """Index ``name`` ("ndvi", "gcc") of kriged ``values`` (p, 4, H, W) and its standard deviation, both (p, H, W).

    The deviation holds while errors are small beside the index's denominator: not over dark water in the index of
    near infrared.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        index, slopes = INDICES[name](values)
    common, correlation = quality.common_covariance, quality.hyperparameters.band_correlation
    variance = np.zeros(index.shape, np.float64)
    own = {
        band: np.sqrt(
            np.maximum(np.square(quality.standard_deviation[:, band]) - common[:, band, band, None, None], 0.0)
        )
        for band in slopes
    }
    for one, slope in slopes.items():
        for other, along in slopes.items():
            both = correlation[one, other] * own[one] * own[other] + common[:, one, other, None, None]
            variance += slope * along * both
    return index, np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
