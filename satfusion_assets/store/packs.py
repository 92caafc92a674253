"""Analysis-ready packs: one season of one scenario as sharded Zarr v3, quick to read by date and by pixel.

xarray opens it (``xarray.open_zarr(path)``; ``pack_reader.open_pack`` keeps the version): one variable a layer on one
time axis, and one axis of bands that have names, so that layers can be subtracted from one another. Layers are whole
numbers of a fixed step (``store/layers.py``), ``{layer}_available`` tells the days that a layer has an image of.

Layers in which a day is nearly the day before are stored as differences in time, which halves them; the codec for that
(``numcodecs.delta``) comes with every Zarr for Python, which warns that the format's text does not list it yet.

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec, TransposeCodec
from zarr.codecs.numcodecs import Delta
from zarr.errors import ZarrUserWarning

from satfusion_assets.store.layers import layer_type

CHUNK: Final = (32, 30, 30)
"""Days, rows and columns a chunk: one pixel's season costs 12 chunks, one day 25, at site size."""
EDITIONS: Final = 32
AVAILABLE: Final = "{}_available"
"""Name of the variable that tells the days of a layer."""
_EPOCH: Final = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class PackLayer:
    """One product of a season.

    name: variable name (``s2``, ``fused``, ``s3``, ``standard_deviation`` ...), one of ``LAYERS``. days: datetime64[D]
    (t,), sorted. values: (t, b, H, W), floats with NaN = missing, or integers as the layer is stored; (t, H, W) for a
    layer without bands. bands: b names.
    """

    name: str
    days: NDArray[np.datetime64]
    values: NDArray[Any]
    bands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.days), len(self.bands)) if self.bands else (len(self.days),)
        if self.values.ndim != len(expected) + 2 or self.values.shape[:-2] != expected:
            raise ValueError(
                f"layer {self.name}: values of shape {self.values.shape} do not fit {len(self.days)} days "
                f"and {len(self.bands)} bands"
            )

    def stored(self) -> PackLayer:
        """The same layer in the integers that it is stored as; StoreError where a value does not fit."""
        return PackLayer(self.name, self.days, layer_type(self.name).encode(self.name, self.values), self.bands)


def write_pack(
    path: Path,
    layers: Iterable[PackLayer],
    transform: tuple[float, ...],
    epsg: int,
    attributes: dict[str, str] | None = None,
    replaces: Path | None = None,
) -> None:
    """Write ``layers``, all on one grid and of the same bands where they have any, to a new pack at ``path``.

    transform: affine coefficients a, b, c, d, e, f of the grid (pixel to metres). replaces: the pack whose place it
    takes, so that readers of that one notice. Values are rounded to the layer's step; StoreError where one does not
    fit.
    """
    stored = [layer.stored() for layer in layers]
    height, width = _one_of("heights and widths", {layer.values.shape[-2:] for layer in stored})
    bands = _one_of("bands", {layer.bands for layer in stored if layer.bands} or {()})
    days = np.unique(np.concatenate([np.asarray(layer.days, "datetime64[D]") for layer in stored]))
    content = _content(stored, transform, epsg)
    edition = _edition(content, replaces)
    root = zarr.create_group(path, zarr_format=3)
    root.attrs.update({"Conventions": "CF-1.10", **(attributes or {}), "content": content, "edition": edition})
    root.attrs.update({"layers": [layer.name for layer in stored]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # consolidated metadata and delta are not in the format's text
        _write_grid(root, transform, epsg, (height, width), edition)
        _write_times(root, days, edition)
        if bands:
            _write_bands(root, bands)
        for layer in stored:
            _write_layer(root, layer, days, edition)
        zarr.consolidate_metadata(path)


def _one_of(what: str, found: set[tuple[Any, ...]]) -> tuple[Any, ...]:
    if len(found) != 1:
        raise ValueError(f"all layers of a pack lie on one grid; their {what} differ: {sorted(found)}")
    return found.pop()


def _content(layers: Sequence[PackLayer], transform: tuple[float, ...], epsg: int) -> str:
    """Eight hexadecimal digits that differ when anything that a reader sees does."""
    digest = zlib.crc32(repr((tuple(transform[:6]), epsg, [(one.name, one.bands) for one in layers])).encode())
    for layer in layers:
        digest = zlib.crc32(np.asarray(layer.days, "datetime64[D]").astype(np.int64).tobytes(), digest)
        digest = zlib.crc32(np.ascontiguousarray(layer.values).data, digest)
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


def _write_axis(root: zarr.Group, name: str, values: np.ndarray, edition: int, attributes: dict[str, Any]) -> None:
    chunks = (max(1, len(values)),)
    axis = _create(root, name, values.shape, values.dtype.name, chunks, edition, (name,))
    if len(values):
        axis[...] = values
    axis.attrs.update(attributes)


def _write_times(root: zarr.Group, days: NDArray[np.datetime64], edition: int) -> None:
    calendar = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian", "standard_name": "time"}
    _write_axis(root, "time", (days - _EPOCH).astype(np.int64), edition, calendar)


def _write_bands(root: zarr.Group, bands: tuple[str, ...]) -> None:
    """Names in the metadata's own text, which every edition has alike: a pack of other bands has another content."""
    axis = root.create_array("band", shape=(len(bands),), chunks=(len(bands),), dtype=str, dimension_names=("band",))
    axis[...] = np.array(bands, dtype=object)
    axis.attrs.update({"long_name": "band"})


def _write_layer(root: zarr.Group, layer: PackLayer, days: NDArray[np.datetime64], edition: int) -> None:
    stored_as = layer_type(layer.name)
    available = np.isin(days, np.asarray(layer.days, "datetime64[D]"))
    values = np.full((len(days), *layer.values.shape[1:]), stored_as.missing, stored_as.dtype)
    values[available] = layer.values
    dimensions = ("time", *(("band",) if layer.bands else ()), "y", "x")
    chunks = (CHUNK[0], *((len(layer.bands),) if layer.bands else ()), *CHUNK[1:])
    variable = _create(
        root,
        layer.name,
        values.shape,
        stored_as.dtype,
        chunks,
        edition,
        dimensions,
        stored_as.missing,
        stored_as.steady,
    )
    if values.size:
        variable[...] = values
    variable.attrs.update(
        {
            "units": stored_as.units,
            "long_name": stored_as.long_name,
            "scale_factor": stored_as.step,
            "add_offset": stored_as.offset,
            "_FillValue": stored_as.missing,
            "grid_mapping": "spatial_ref",
            "coordinates": "spatial_ref",
        }
    )
    has = _create(root, AVAILABLE.format(layer.name), available.shape, "bool", (max(1, len(days)),), edition, ("time",))
    if len(days):
        has[...] = available
    has.attrs.update({"long_name": f"days that {layer.name} has an image of"})


def _create(
    root: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    chunks: tuple[int, ...],
    edition: int,
    dimensions: tuple[str, ...],
    missing: int = 0,
    steady: bool = False,
) -> zarr.Array[Any]:
    """An empty array of one shard, whose index has ``edition`` places along time more than it needs."""
    places = [max(1, math.ceil(size / chunk)) for size, chunk in zip(shape, chunks, strict=True)]
    places[0] += edition
    shard: Any = {
        "shape": tuple(count * chunk for count, chunk in zip(places, chunks, strict=True)),
        "index_location": "start",
    }
    in_time: Any = [TransposeCodec(order=(*range(1, len(shape)), 0)), Delta(dtype=np.dtype(dtype).str)]
    return root.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        shards=shard,
        filters=in_time if steady else None,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.bitshuffle), Crc32cCodec()],
        fill_value=missing,
        dimension_names=dimensions,
        config={"write_empty_chunks": True},
    )
