"""Analysis-ready packs: one season of one scenario as sharded Zarr v3, quick to read by date and by pixel.

xarray opens it (``xarray.open_zarr(path)``; ``pack_reader.open_pack`` keeps the version): one float32 variable a layer
on a time axis of its own, NaN for missing. Nothing of the encoding depends on the data: values are whole numbers of a
layer's step, stored as they are, so there is no scale that could belong to another version of the pack.

A reader that opened a pack through the contract's path reads metadata first and chunks later, perhaps of a pack that
was published in between. Each pack therefore has an *edition*, the number of unused places at the front of every
shard's index. A shard of another edition does not begin where the metadata say, and its checksums refuse it: an error,
and never a value of another version.
"""

from __future__ import annotations

import json
import math
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec
from zarr.errors import ZarrUserWarning

from satfusion_assets.vocabulary.errors import StoreError

STEPS: Final = {
    "s2": 2.0**-16,
    "fused": 2.0**-16,
    "s3": 2.0**-16,
    "standard_deviation": 2.0**-17,
    "days_to_scene": 2.0**-10,
    "effective_scenes": 2.0**-11,
    "coarse_support": 2.0**-10,
    "support": 2.0**-10,
}
"""Step of each layer's values: reflectance and GCC to 7.6e-6, where Sentinel-2's own rounding is 5e-5."""
MANTISSA: Final = 24
"""Bits of float32: what is larger than step x 2^24 cannot be stored to the step."""
CHUNK: Final = (32, 30, 30)
"""Days, rows and columns a chunk: one pixel's season costs 12 chunks, one day 25, at site size."""
EDITIONS: Final = 32
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
    replaces: Path | None = None,
) -> None:
    """Write ``layers``, all on one grid, to a new pack at ``path``.

    transform: affine coefficients a, b, c, d, e, f of the grid (pixel to metres). replaces: the pack whose place it
    takes, so that readers of that one notice. Values are rounded to the layer's step (``STEPS``); StoreError where one
    is too large for it.
    """
    height, width = layers[0].values.shape[2:]
    if any(layer.values.shape[2:] != (height, width) for layer in layers):
        raise ValueError("all layers of a pack lie on one grid; their heights and widths differ")
    rounded = [_rounded(layer) for layer in layers]
    content = _content(layers, rounded, transform, epsg)
    edition = _edition(content, replaces)
    root = zarr.create_group(path, zarr_format=3)
    root.attrs.update({"Conventions": "CF-1.10", **(attributes or {}), "content": content, "edition": edition})
    root.attrs.update({"layers": [layer.name for layer in layers]})
    _write_grid(root, transform, epsg, (height, width), edition)
    for layer, values in zip(layers, rounded, strict=True):
        _write_layer(root, layer, values, edition)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # consolidated metadata are not in the format's text yet
        zarr.consolidate_metadata(path)


def _rounded(layer: PackLayer) -> NDArray[np.float32]:
    """Values to the layer's step; NaN = missing."""
    if layer.name not in STEPS:
        raise StoreError(f"Layer {layer.name} has no step; add it to STEPS of store/packs.py.")
    step = STEPS[layer.name]
    bad = np.isinf(layer.values) | (np.abs(layer.values) > step * 2**MANTISSA)
    if bad.any():
        day, band, row, column = (int(index[0]) for index in np.nonzero(bad))
        raise StoreError(
            f"Layer {layer.name} is {layer.values[day, band, row, column]:g} on {layer.days[day]} in band "
            f"{layer.bands[band]}, row {row}, column {column}; a pack holds up to {step * 2**MANTISSA:g}."
        )
    return (np.rint(layer.values / np.float32(step)) * np.float32(step)).astype(np.float32)


def _content(
    layers: Sequence[PackLayer], rounded: Sequence[NDArray[np.float32]], transform: tuple[float, ...], epsg: int
) -> str:
    """Eight hexadecimal digits that differ when anything that a reader sees does."""
    digest = zlib.crc32(repr((tuple(transform[:6]), epsg, [(one.name, one.bands) for one in layers])).encode())
    for layer, values in zip(layers, rounded, strict=True):
        digest = zlib.crc32(np.asarray(layer.days, "datetime64[D]").astype(np.int64).tobytes(), digest)
        digest = zlib.crc32(np.ascontiguousarray(values).tobytes(), digest)
    return f"{digest:08x}"


def _edition(content: str, replaces: Path | None) -> int:
    """An edition by content, another than that of a pack with other content in the same place."""
    edition = int(content, 16) % EDITIONS
    try:
        before = json.loads((replaces / "zarr.json").read_text("utf-8"))["attributes"] if replaces is not None else {}
    except (OSError, ValueError, KeyError):  # there is none, or none that anybody can have open
        before = {}
    if before.get("edition") == edition and before.get("content") != content:
        edition = (edition + 1) % EDITIONS
    return edition


def _write_grid(
    root: zarr.Group, transform: tuple[float, ...], epsg: int, shape: tuple[int, int], edition: int
) -> None:
    a, _, c, _, e, f = transform[:6]
    height, width = shape
    axes = {"x": c + a * (np.arange(width) + 0.5), "y": f + e * (np.arange(height) + 0.5)}
    for name, centres in axes.items():
        attributes = {"units": "m", "standard_name": f"projection_{name}_coordinate"}
        _write_axis(root, name, centres, edition, attributes)
    crs = root.create_array("spatial_ref", shape=(), dtype="int64", dimension_names=())
    crs[...] = epsg
    geotransform = " ".join(f"{value:.10g}" for value in (c, a, 0, f, 0, e))
    crs.attrs.update({**CRS.from_epsg(epsg).to_cf(), "epsg": epsg, "GeoTransform": geotransform})


def _write_axis(root: zarr.Group, name: str, values: np.ndarray, edition: int, attributes: dict[str, str]) -> None:
    chunks = (max(1, len(values)),)
    axis = _create(root, name, values.shape, values.dtype.name, chunks, edition, (name,))
    if len(values):
        axis[...] = values
    axis.attrs.update(attributes)


def _write_layer(root: zarr.Group, layer: PackLayer, values: NDArray[np.float32], edition: int) -> None:
    time_axis, band_axis = f"time_{layer.name}", f"band_{layer.name}"
    days = (np.asarray(layer.days, "datetime64[D]") - _EPOCH).astype(np.int64)
    calendar = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian", "standard_name": "time"}
    _write_axis(root, time_axis, days, edition, calendar)
    chunks = (CHUNK[0] if len(days) else 1, len(layer.bands), *CHUNK[1:])
    dimensions = (time_axis, band_axis, "y", "x")
    variable = _create(root, layer.name, values.shape, "float32", chunks, edition, dimensions)
    if values.size:
        variable[...] = values
    variable.attrs.update(
        {
            "units": layer.units,
            "long_name": layer.long_name or layer.name,
            "band_names": list(layer.bands),
            "step": STEPS[layer.name],
            "grid_mapping": "spatial_ref",
            "coordinates": "spatial_ref",
        }
    )


def _create(
    root: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    chunks: tuple[int, ...],
    edition: int,
    dimensions: tuple[str, ...],
) -> zarr.Array[Any]:
    """An empty array of one shard, whose index has ``edition`` places along time more than it needs."""
    places = [max(1, math.ceil(size / chunk)) for size, chunk in zip(shape, chunks, strict=True)]
    places[0] += edition
    shard: Any = {
        "shape": tuple(count * chunk for count, chunk in zip(places, chunks, strict=True)),
        "index_location": "start",
    }
    return root.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        shards=shard,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.bitshuffle), Crc32cCodec()],
        fill_value=np.nan if dtype == "float32" else 0,
        dimension_names=dimensions,
        config={"write_empty_chunks": True},
    )
