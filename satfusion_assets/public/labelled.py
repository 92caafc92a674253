"""Fusion of labelled arrays: days, bands and places come from the coordinates, and go into the result."""

from __future__ import annotations

import dataclasses
from typing import Any, Final, overload

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from satfusion_assets.fusion.efast import Fused
from satfusion_assets.fusion.labelled import AXES, COARSE
from satfusion_assets.fusion.methods import Method
from satfusion_assets.fusion.methods import fuse as fuse_arrays

IMAGE = AXES["fine"]
_UNEVEN: Final = 0.5
"""Part of a pixel by which steps between places may differ: degrees in 4 bytes are rounded to 1.5 m at 180 degrees."""


@overload
def fuse(
    prediction_days: ArrayLike,
    coarse: xr.DataArray | None,
    *,
    fine: xr.DataArray,
    cloud_distance: xr.DataArray,
    method: Method = ...,
    **options: Any,
) -> xr.Dataset: ...


@overload
def fuse(
    prediction_days: ArrayLike,
    coarse: ArrayLike | None,
    coarse_days: ArrayLike,
    fine: ArrayLike,
    fine_days: ArrayLike,
    cloud_distance: ArrayLike,
    *,
    ratio: int,
    method: Method = ...,
    **options: Any,
) -> Fused: ...


def fuse(
    prediction_days: ArrayLike,
    coarse: Any,
    coarse_days: Any = None,
    fine: Any = None,
    fine_days: Any = None,
    cloud_distance: Any = None,
    *,
    ratio: int | None = None,
    method: Method = "efast",
    **options: Any,
) -> Any:
    """Fused images of ``prediction_days``, by ``method``: EFAST, or kriging with the coarse series as external drift.

    With arrays, as in EFAST's own package: ``satfusion_assets.fusion.methods.fuse`` says which shapes; the result is a
    ``Fused``. With DataArrays: fine (time, band, y, x), coarse (time, band, y, x) and cloud_distance (time, y, x) of
    the coarse grid, whose pixels have a whole number of fine ones to a side; any order of axes. The result is a
    Dataset: ``fused`` (time, band, y, x) on the fine grid, ``status`` (time) and the quality layers, those of the
    coarse grid on (``y_coarse``, ``x_coarse``).

    Raises ValueError, naming the argument, for what does not fit.
    """
    if not isinstance(fine, xr.DataArray):
        if ratio is None:
            raise ValueError("ratio is missing: how many fine pixels a coarse one has to a side.")
        images = (coarse_days, fine, fine_days, cloud_distance)
        return fuse_arrays(prediction_days, coarse, *images, ratio=ratio, method=method, **options)
    sharp, distance = _ordered(fine, IMAGE, "fine"), _ordered(cloud_distance, ("time", "y", "x"), "cloud_distance")
    blurred = None if coarse is None else _ordered(coarse, IMAGE, "coarse")
    if not np.array_equal(_days(distance), _days(sharp)):
        raise ValueError("cloud_distance has other days than fine; give one for each fine image, in their order.")
    if blurred is not None and "band" in blurred.coords and "band" in sharp.coords:
        blurred = _with_bands_of(sharp, blurred)
    ratio = _ratio(sharp, distance)
    for name, coarser in (("coarse", blurred), ("cloud_distance", distance)):
        if coarser is not None:
            _refuse_elsewhere(coarser, sharp, ratio, name)
    days = np.asarray(prediction_days, "datetime64[D]")
    found = fuse_arrays(
        days,
        None if blurred is None else blurred.values,
        np.array([], "datetime64[D]") if blurred is None else _days(blurred),
        sharp.values,
        _days(sharp),
        distance.values,
        ratio=ratio,
        method=method,
        **options,
    )
    return _dataset(found, days, sharp, distance)


def _ordered(array: Any, axes: tuple[str, ...], name: str) -> xr.DataArray:
    if not isinstance(array, xr.DataArray):
        raise ValueError(f"{name} is no DataArray while fine is; label all of them or none.")
    if set(array.dims) != set(axes) or "time" not in array.coords:
        raise ValueError(f"{name} has axes {array.dims}; it needs {axes}, with days as coordinate of time.")
    return array.transpose(*axes)


def _days(array: xr.DataArray) -> NDArray[np.datetime64]:
    return np.asarray(array["time"].values, "datetime64[D]")


def _with_bands_of(fine: xr.DataArray, coarse: xr.DataArray) -> xr.DataArray:
    """The bands of ``coarse`` that ``fine`` has, in its order."""
    wanted, there = fine["band"].values.tolist(), coarse["band"].values.tolist()
    for name, bands in (("fine", wanted), ("coarse", there)):
        if twice := sorted({str(band) for band in bands if bands.count(band) > 1}):
            raise ValueError(f"{name} has band {twice[0]} more than once; give each band its own name.")
    if lacking := [str(band) for band in wanted if band not in there]:
        raise ValueError(
            f"coarse lacks the band {lacking[0]} of fine, it has {', '.join(map(str, there))}; name the bands of both "
            f"alike, or drop the coordinate of one to take them in their order."
        )
    return coarse.sel(band=wanted)


def _ratio(fine: xr.DataArray, distance: xr.DataArray) -> int:
    """Fine pixels to a side of a coarse one."""
    for axis in ("y", "x"):
        if not distance.sizes[axis]:
            raise ValueError(f"cloud_distance has no pixels along {axis}; give the coarse grid that lies under fine.")
    ratios = {fine.sizes[axis] / distance.sizes[axis] for axis in ("y", "x")}
    if len(ratios) > 1 or not next(iter(ratios)).is_integer():
        raise ValueError(
            f"fine has {fine.sizes['y']} x {fine.sizes['x']} pixels, cloud_distance {distance.sizes['y']} x "
            f"{distance.sizes['x']}; a coarse pixel needs the same whole number of fine ones to either side."
        )
    return int(next(iter(ratios)))


def _refuse_elsewhere(coarser: xr.DataArray, fine: xr.DataArray, ratio: int, name: str) -> None:
    """ValueError where places say that pixels of ``coarser`` are not those made of ``ratio`` fine ones to a side.

    Arrays are fused by their order, so rows from the south under rows from the north would be fused upside down.
    """
    for axis in ("y", "x"):
        if not (axis in fine.coords and axis in coarser.coords and coarser.sizes[axis] * ratio == fine.sizes[axis] > 1):
            continue
        places = fine[axis].values.astype(float)
        steps = np.diff(places)
        if np.ptp(steps) > _UNEVEN * abs(steps[0]):
            raise ValueError(
                f"{axis} of fine is not evenly spaced, as where rows or columns were dropped; keep them as NaN."
            )
        wanted, found = places.reshape(-1, ratio).mean(axis=1), coarser[axis].values
        if np.abs(found - wanted).max() > abs(steps[0]) / 2:
            raise ValueError(
                f"{name} does not lie under fine: its {axis} is {found[0]} ... {found[-1]}, the middles of {ratio} "
                f"fine pixels each are {wanted[0]} ... {wanted[-1]}; turn, crop or resample it."
            )


def _dataset(found: Fused, days: NDArray[np.datetime64], fine: xr.DataArray, distance: xr.DataArray) -> xr.Dataset:
    layers: dict[str, Any] = {
        "fused": (IMAGE, found.values, {"units": "1"}),
        "status": ("time", [str(status) for status in found.status]),
    }
    if found.assess is not None:
        quality = found.quality
        for field in dataclasses.fields(quality):
            value = getattr(quality, field.name)
            axes = _axes(value, found.values.shape, distance) if isinstance(value, np.ndarray) else None
            if axes is not None:
                layers[field.name] = (axes, value)
    kept: dict[str, Any] = {name: fine[name] for name in ("band", "y", "x", "spatial_ref") if name in fine.coords}
    kept |= {new: (new, distance[old].values) for old, new in COARSE.items() if old in distance.coords}
    used = {name: value for name, value in kept.items() if name not in COARSE.values() or _uses(layers, name)}
    return xr.Dataset(layers, coords={"time": days.astype("datetime64[ns]"), **used})


def _axes(value: NDArray[Any], shape: tuple[int, ...], distance: xr.DataArray) -> tuple[str, ...] | None:
    """The axes of a quality layer by its shape; None for what is no layer."""
    days, bands, height, width = shape
    known = {
        (days, bands, height, width): IMAGE,
        (days, height, width): ("time", "y", "x"),
        (days, distance.sizes["y"], distance.sizes["x"]): ("time", *COARSE.values()),
    }
    return known.get(value.shape)


def _uses(layers: dict[str, Any], axis: str) -> bool:
    return any(axis in axes for axes, *_ in layers.values() if isinstance(axes, tuple))
