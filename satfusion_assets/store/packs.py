"""Analysis-ready packs: one season of one scenario as sharded Zarr v3, quick to read by date and by pixel.

xarray opens it (``xarray.open_zarr(path, consolidated=False)``): one int16 variable a layer on a time axis of its
own, CF-encoded, decoding to float with NaN for missing. The viewer draws any pixel's season from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from pyproj import CRS
from zarr.codecs import ZstdCodec

from satfusion_assets.errors import ProductCorrupt

MISSING: Final = -32768
"""Stored value of a missing pixel."""
CHUNK: Final = (32, 30, 30)
"""Days, rows and columns a chunk: one pixel's season costs 12 chunks, one day 25, at site size."""
_STEPS: Final = tuple(m * 10.0**e for e in range(-6, 4) for m in (1, 2, 5))
_EPOCH: Final = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class PackLayer:
    """One product of a season.

    name: variable name (``s2``, ``fused``, ``s3``, ``standard_deviation`` ...). days: datetime64[D] (t,), sorted.
    values: float (t, b, H, W), NaN = missing. bands: b names.
    """

    name: str
    days: np.ndarray
    values: np.ndarray
    bands: tuple[str, ...]
    units: str = "1"
    long_name: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 4 or self.values.shape[:2] != (len(self.days), len(self.bands)):
            raise ValueError(
                f"layer {self.name}: values of shape {self.values.shape} do not fit {len(self.days)} days "
                f"and {len(self.bands)} bands"
            )


def write_pack(
    path: Path,
    layers: Sequence[PackLayer],
    transform: tuple[float, ...],
    epsg: int,
    attributes: dict[str, str] | None = None,
) -> None:
    """Write ``layers``, all on one grid, to a new pack at ``path``.

    transform: affine coefficients a, b, c, d, e, f of the grid (pixel to metres). Every layer is stored as int16
    with the finest scale that holds its largest value, so nothing is clipped; the scale is its precision.
    """
    height, width = layers[0].values.shape[2:]
    if any(layer.values.shape[2:] != (height, width) for layer in layers):
        raise ValueError("all layers of a pack lie on one grid; their heights and widths differ")
    root = zarr.create_group(path, zarr_format=3, attributes={"Conventions": "CF-1.10", **(attributes or {})})
    _write_grid(root, transform, epsg, height, width)
    for layer in layers:
        _write_layer(root, layer)


def _write_grid(root: zarr.Group, transform: tuple[float, ...], epsg: int, height: int, width: int) -> None:
    a, _, c, _, e, f = transform[:6]
    axes = {"x": c + a * (np.arange(width) + 0.5), "y": f + e * (np.arange(height) + 0.5)}
    for name, centres in axes.items():
        axis = root.create_array(name, data=centres, dimension_names=(name,))
        axis.attrs.update({"units": "m", "standard_name": f"projection_{name}_coordinate"})
    crs = root.create_array("spatial_ref", shape=(), dtype="int64", dimension_names=())
    crs[...] = epsg
    geotransform = " ".join(f"{value:.10g}" for value in (c, a, 0, f, 0, e))
    crs.attrs.update({**CRS.from_epsg(epsg).to_cf(), "epsg": epsg, "GeoTransform": geotransform})


def _write_layer(root: zarr.Group, layer: PackLayer) -> None:
    time_axis, band_axis = f"time_{layer.name}", f"band_{layer.name}"
    days = (np.asarray(layer.days, "datetime64[D]") - _EPOCH).astype(np.int64)
    time = root.create_array(time_axis, data=days, dimension_names=(time_axis,))
    time.attrs.update({"units": "days since 1970-01-01", "calendar": "proleptic_gregorian", "standard_name": "time"})
    scale = _scale(layer.values)
    bands = len(layer.bands)
    chunks = (CHUNK[0], bands, *CHUNK[1:])
    if not len(layer.days):
        chunks = (1, *chunks[1:])
    variable = root.create_array(
        layer.name,
        shape=layer.values.shape,
        dtype="int16",
        chunks=chunks,
        shards=tuple(max(1, -(-size // chunk)) * chunk for size, chunk in zip(layer.values.shape, chunks, strict=True)),
        compressors=ZstdCodec(level=3),
        fill_value=MISSING,
        dimension_names=(time_axis, band_axis, "y", "x"),
    )
    if layer.values.size:
        variable[...] = _encode(layer.values, scale)
    variable.attrs.update(
        {
            "scale_factor": scale,
            "add_offset": 0.0,
            "_FillValue": MISSING,
            "units": layer.units,
            "long_name": layer.long_name or layer.name,
            "band_names": list(layer.bands),
            "grid_mapping": "spatial_ref",
        }
    )


def _scale(values: np.ndarray) -> float:
    """The finest round step at which the largest magnitude fits int16."""
    largest = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
    return next((step for step in _STEPS if largest / step <= 32767), largest / 32767)


def _encode(values: np.ndarray, scale: float) -> np.ndarray:
    missing = ~np.isfinite(values)
    stored = np.rint(np.where(missing, 0.0, values) / scale).astype(np.int16)
    stored[missing] = MISSING
    return stored


def pack_days(path: Path) -> dict[str, int]:
    """Number of days of each layer of the pack at ``path``; ProductCorrupt when it cannot be opened."""
    try:
        root = zarr.open_group(path, mode="r")
        return {name: array.shape[0] for name, array in root.arrays() if array.ndim == 4}
    except (OSError, KeyError, ValueError) as error:
        raise ProductCorrupt(f"{path} is not a readable Zarr pack; materialise that partition again.") from error


@dataclass(frozen=True)
class PixelLayer:
    """One layer of a pack around a place: days (t,) ISO; values (t, b, h, w), NaN = missing; names of the b bands."""

    days: list[str]
    values: np.ndarray
    bands: tuple[str, ...]


def read_pixel(
    path: Path, name: str, east: float, north: float, side: int = 1, only: Collection[str] = ()
) -> dict[str, PixelLayer] | None:
    """Layers of the pack at ``path`` in the ``side`` x ``side`` pixels around a point; None = outside.

    only: names of the layers wanted, all when empty. Raises ProductCorrupt, which names the pack by ``name``.
    """
    try:
        root = zarr.open_group(path, mode="r")
        window = _window(root, east, north, side)
        if window is None:
            return None
        keys = [key for key in sorted(root.array_keys()) if f"time_{key}" in root and (not only or key in only)]
        return {key: _read_layer(root, key, window) for key in keys}
    except (KeyError, ValueError, RuntimeError, OSError) as error:
        raise ProductCorrupt(f"{name} is not a readable pack ({error}); materialise it again.") from error


def _window(root: zarr.Group, east: float, north: float, side: int) -> tuple[slice, slice] | None:
    column, row = _cell(_array(root, "x"), east), _cell(_array(root, "y"), north)
    if column is None or row is None:
        return None
    reach = side // 2
    return slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)


def _cell(centres: np.ndarray, coordinate: float) -> int | None:
    """Index of the pixel that holds ``coordinate``, on an evenly spaced axis of pixel centres."""
    step = centres[1] - centres[0]
    index = int(np.floor((coordinate - centres[0]) / step + 0.5))
    return index if 0 <= index < len(centres) else None


def _read_layer(root: zarr.Group, key: str, window: tuple[slice, slice]) -> PixelLayer:
    variable: Any = root[key]
    stored = np.asarray(variable[(slice(None), slice(None), *window)])
    values = np.where(stored == MISSING, np.nan, stored * float(variable.attrs["scale_factor"]))
    days = (_EPOCH + _array(root, f"time_{key}").astype("timedelta64[D]")).astype(str).tolist()
    return PixelLayer(days, values, tuple(variable.attrs["band_names"]))


def _array(root: zarr.Group, key: str) -> np.ndarray:
    found: Any = root[key]
    return np.asarray(found[...])
