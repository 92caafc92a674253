"""Vegetation indices of reflectance.

Green chromatic coordinate: Gillespie et al. 1987, Richardson et al. 2007 (Oecologia 152, 323), which is what
PhenoCam reports. NDVI: Rouse et al. 1974. Both are shares of reflected light, so they exist only where every band
they use was measured, none is negative and their sum is positive; elsewhere they are NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def gcc(blue: npt.ArrayLike, green: npt.ArrayLike, red: npt.ArrayLike) -> FloatArray:
    """Green chromatic coordinate ``green / (red + green + blue)``; shapes broadcast, units cancel."""
    bands = [_float(band) for band in (blue, green, red)]
    return _share(bands[1], sum(bands[1:], bands[0]), bands)


def ndvi(red: npt.ArrayLike, nir: npt.ArrayLike) -> FloatArray:
    """Normalised difference vegetation index ``(nir - red) / (nir + red)``; shapes broadcast, units cancel."""
    low, high = _float(red), _float(nir)
    return _share(high - low, high + low, [low, high])


def _float(band: npt.ArrayLike) -> FloatArray:
    values = np.asarray(band)
    return values.astype(np.result_type(values.dtype, np.float32), copy=False)


def _share(part: FloatArray, total: FloatArray, bands: list[FloatArray]) -> FloatArray:
    defined = total > 0
    for band in bands:
        defined = defined & (band >= 0)
    share = np.full(np.broadcast(part, total).shape, np.nan, dtype=np.result_type(part, total))
    return np.divide(part, total, out=share, where=defined)
