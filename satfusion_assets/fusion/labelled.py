"""A season's prepared images as one labelled data set: what rooms hand to the fusion, whose kernels take its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from odc.geo.geobox import GeoBox

COARSE: Final = {"y": "y_coarse", "x": "x_coarse"}
"""Names of the coarse grid's axes beside the fine one's."""
AXES: Final = {
    "fine": ("time", "band", "y", "x"),
    "cloud_distance": ("time", *COARSE.values()),
    "coarse": ("time_coarse", "band", *COARSE.values()),
}


def label_season(
    fine: NDArray[np.float32],
    fine_days: ArrayLike,
    cloud_distance: NDArray[np.float32],
    coarse: NDArray[np.float32],
    coarse_days: ArrayLike,
    *,
    bands: Sequence[str],
    grid: GeoBox,
    ratio: int,
) -> xr.Dataset:
    """Prepared images with their days, bands and places; ValueError where an array does not fit its labels.

    fine (n, b, H, W) on ``grid``, reflectance or GCC, 1, NaN = missing; cloud_distance (n, h, w) in coarse pixels;
    coarse (t, b, h, w) with ``ratio`` fine pixels to a side of its own. Arrays are taken as they are, not copied. y and
    x are of the middles of pixels, in metres of the system of ``spatial_ref``.
    """
    arrays = {"fine": fine, "cloud_distance": cloud_distance, "coarse": coarse}
    assert grid.crs is not None, "a site grid is always georeferenced"
    return xr.Dataset(
        {name: (AXES[name], array) for name, array in arrays.items()},
        coords={
            "time": np.asarray(fine_days, "datetime64[s]"),
            "time_coarse": np.asarray(coarse_days, "datetime64[s]"),
            "band": list(bands),
            **_middles(grid),
            **{COARSE[str(axis)]: places for axis, places in _middles(grid.zoom_out(ratio)).items()},
            "spatial_ref": ((), 0, grid.crs.proj.to_cf()),
        },
    )


def _middles(grid: GeoBox) -> dict[str, Any]:
    """Places of a grid's pixels by axis, y downwards."""
    return {str(axis): places.values for axis, places in grid.coordinates.items()}


def array_of(season: xr.Dataset, name: str) -> NDArray[Any]:
    """The array ``name`` of a labelled season in the order of axes that kernels take; a view, nothing is copied."""
    return season[name].transpose(*AXES[name]).values


def days_of(season: xr.Dataset, axis: str) -> NDArray[np.datetime64]:
    return np.asarray(season[axis].values, "datetime64[D]")
