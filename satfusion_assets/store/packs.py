"""Analysis-ready packs: one season of one scenario as sharded Zarr v3, quick to read by date and by pixel.

xarray opens it (``xarray.open_zarr(path)``; ``pack_reader.open_pack`` keeps the version): one variable a layer on one
time axis, and one axis of bands that have names, so that layers can be subtracted from one another. Layers are whole
numbers of a fixed step (``store/layers.py``), ``{layer}_available`` tells the days that a layer has an image of.

Layers in which a day is nearly the day before are stored as differences in time, which halves them; the codec for that
(``numcodecs.delta``) comes with every Zarr for Python, which warns that the format's text does not list it yet.

A reader that opened a pack through the contract's path reads metadata first and chunks later, perhaps of a pack that
was published in between. Each array therefore has an *edition*, the number of unused places at the front of its shard's
index. A shard of another edition does not begin where the metadata say, and its checksums refuse it: an error, and
never a value of another version. Editions go by content, so that equal arrays of two packs are equal files, and lie on
the disk once.
"""

from __future__ import annotations

import json
import math
import warnings
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec, TransposeCodec
from zarr.codecs.numcodecs import Delta
from zarr.errors import ZarrUserWarning

from satfusion_assets.store.layers import Order, layer_type

CHUNK: Final = (32, 30, 30)
"""Days, rows and columns a chunk: one pixel's season costs 12 chunks, one day 25, at site size."""
EDITIONS: Final = 32
AVAILABLE: Final = "{}_available"
"""Name of the variable that tells the days of a layer."""
_SHUFFLE: Final[dict[Order, BloscShuffle]] = {
    "images": BloscShuffle.bitshuffle,
    "seasons": BloscShuffle.shuffle,
    "differences": BloscShuffle.shuffle,
}
"""The smaller of bits and bytes, as measured for each order."""
_CODED_TOGETHER: Final = {"codec_pipeline.batch_size": 32}
"""Chunks that pass a codec in one call, 1 by default: a tenth of the CPU less, the same bytes."""
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
    with warnings.catch_warnings(), zarr.config.set(_CODED_TOGETHER):
        warnings.simplefilter("ignore", ZarrUserWarning)  # consolidated metadata and delta are not in the format's text
        root = zarr.create_group(path, zarr_format=3)
        arrays = _Arrays(root, f"{tuple(transform[:6])} {epsg} {bands}", _editions(replaces))
        _write_grid(arrays, transform, epsg, (height, width))
        calendar = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian", "standard_name": "time"}
        _write_axis(arrays, "time", (days - _EPOCH).astype(np.int64), calendar)
        if bands:
            _write_bands(root, bands)
        for layer in stored:
            _write_layer(arrays, layer, days)
        said: dict[str, Any] = {"layers": [layer.name for layer in stored], "editions": arrays.editions}
        root.attrs.update({"Conventions": "CF-1.10", **(attributes or {}), **said})
        zarr.consolidate_metadata(path)


def _one_of(what: str, found: set[tuple[Any, ...]]) -> tuple[Any, ...]:
    if len(found) != 1:
        raise ValueError(f"all layers of a pack lie on one grid; their {what} differ: {sorted(found)}")
    return found.pop()


def _editions(replaces: Path | None) -> Mapping[str, str]:
    """Editions of the arrays of the pack whose place is taken, by name; empty where nobody can have one open."""
    try:
        return (
            dict(json.loads((replaces / "zarr.json").read_text("utf-8"))["attributes"]["editions"]) if replaces else {}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@dataclass
class _Arrays:
    """The arrays of a pack that is written. place: grid and bands, in words. before: editions of the pack replaced.

    An edition is told as the content's checksum and the number, "1a2b3c4d 7".
    """

    root: zarr.Group
    place: str
    before: Mapping[str, str]
    editions: dict[str, str] = field(default_factory=dict)

    def write(
        self,
        name: str,
        values: NDArray[Any],
        chunks: tuple[int, ...],
        dimensions: tuple[str, ...],
        attributes: dict[str, Any],
        missing: int = 0,
        order: Order = "images",
    ) -> None:
        """``values`` in chunks of one shard, whose index has as many places along time more as the edition says."""
        places = [max(1, math.ceil(size / chunk)) for size, chunk in zip(values.shape, chunks, strict=True)]
        places[0] += self._edition(name, values)
        shard: Any = {
            "shape": tuple(count * chunk for count, chunk in zip(places, chunks, strict=True)),
            "index_location": "start",
        }
        array = self.root.create_array(
            name,
            shape=values.shape,
            dtype=values.dtype,
            chunks=chunks,
            shards=shard,
            filters=_filters(values, order),
            compressors=[BloscCodec(cname="zstd", clevel=3, shuffle=_SHUFFLE[order]), Crc32cCodec()],
            fill_value=missing,
            dimension_names=dimensions,
            attributes=attributes,
            config={"write_empty_chunks": True},
        )
        if values.size:
            array[...] = values

    def _edition(self, name: str, values: NDArray[Any]) -> int:
        """An edition by content, another than that of an array with other content in the same place."""
        content = zlib.crc32(np.ascontiguousarray(values).data, zlib.crc32(f"{self.place} {name}".encode()))
        edition = content % EDITIONS
        before, _, number = self.before.get(name, "").partition(" ")
        if number == str(edition) and before != f"{content:08x}":
            edition = (edition + 1) % EDITIONS
        self.editions[name] = f"{content:08x} {edition}"
        return edition


def _filters(values: NDArray[Any], order: Order) -> Any:
    """What lays a chunk out; None = image after image, as it lies in memory."""
    if order == "images":
        return None
    seasons = TransposeCodec(order=(*range(1, values.ndim), 0))
    return [seasons] if order == "seasons" else [seasons, Delta(dtype=values.dtype.str)]


def _write_grid(arrays: _Arrays, transform: tuple[float, ...], epsg: int, shape: tuple[int, int]) -> None:
    a, _, c, _, e, f = transform[:6]
    height, width = shape
    axes = {"x": c + a * (np.arange(width) + 0.5), "y": f + e * (np.arange(height) + 0.5)}
    for name, centres in axes.items():
        _write_axis(arrays, name, centres, {"units": "m", "standard_name": f"projection_{name}_coordinate"})
    geotransform = " ".join(f"{value:.10g}" for value in (c, a, 0, f, 0, e))
    attributes = {**CRS.from_epsg(epsg).to_cf(), "epsg": epsg, "GeoTransform": geotransform}
    crs = arrays.root.create_array("spatial_ref", shape=(), dtype="int64", dimension_names=(), attributes=attributes)
    crs[...] = epsg


def _write_axis(arrays: _Arrays, name: str, values: np.ndarray, attributes: dict[str, Any]) -> None:
    arrays.write(name, values, (max(1, len(values)),), (name,), attributes)


def _write_bands(root: zarr.Group, bands: tuple[str, ...]) -> None:
    """Names in the metadata's own text, which every edition has alike: a pack of other bands has other editions."""
    axis = root.create_array("band", shape=(len(bands),), chunks=(len(bands),), dtype=str, dimension_names=("band",))
    axis[...] = np.array(bands, dtype=object)
    axis.attrs.update({"long_name": "band"})


def _write_layer(arrays: _Arrays, layer: PackLayer, days: NDArray[np.datetime64]) -> None:
    stored_as = layer_type(layer.name)
    available = np.isin(days, np.asarray(layer.days, "datetime64[D]"))
    values = layer.values
    if not available.all():
        values = np.full((len(days), *layer.values.shape[1:]), stored_as.missing, stored_as.dtype)
        values[available] = layer.values
    attributes = {
        "units": stored_as.units,
        "long_name": stored_as.long_name,
        "scale_factor": stored_as.step,
        "add_offset": stored_as.offset,
        "_FillValue": stored_as.missing,
        "grid_mapping": "spatial_ref",
        "coordinates": "spatial_ref",
    }
    if stored_as.significant is not None:
        attributes["significant_bits"] = stored_as.significant
    dimensions = ("time", *(("band",) if layer.bands else ()), "y", "x")
    chunks = (CHUNK[0], *((len(layer.bands),) if layer.bands else ()), *CHUNK[1:])
    arrays.write(layer.name, values, chunks, dimensions, attributes, stored_as.missing, stored_as.order)
    attributes = {"long_name": f"days that {layer.name} has an image of"}
    arrays.write(AVAILABLE.format(layer.name), available, (max(1, len(days)),), ("time",), attributes)
