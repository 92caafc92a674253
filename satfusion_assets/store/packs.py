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
import shutil
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec, TransposeCodec
from zarr.codecs.numcodecs import Delta
from zarr.core.buffer import Buffer, cpu
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from satfusion_assets.store import shards
from satfusion_assets.store.layers import Order, layer_type
from satfusion_assets.store.stacks import ImageStack, SteppedImages
from satfusion_assets.store.version import link_or_copy

CHUNK: Final = (32, 30, 30)
"""Days, rows and columns a chunk: one pixel's season costs 12 chunks, one day 25, at site size."""
EDITIONS: Final = 32
AVAILABLE: Final = "{}_available"
"""Name of the variable that tells the days of a layer."""
AXES: Final = ("time", "y", "x")
"""Arrays whose editions are those of another pack where days, grid and bands are."""
_EPOCH: Final = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class PackLayer:
    """One product of a season.

    name: variable name (``s2``, ``fused``, ``s3``, ``standard_deviation`` ...), one of ``LAYERS``. days: datetime64[D]
    (t,), sorted. values: (t, b, H, W), floats with NaN = missing, or integers as the layer is stored; (t, H, W) for a
    layer without bands. bands: b names. made_of: SHA-256 of the files that the values are of, where they are known:
    layers of equal files are encoded once.
    """

    name: str
    days: NDArray[np.datetime64]
    values: NDArray[Any] | ImageStack
    bands: tuple[str, ...] = ()
    made_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.days), len(self.bands)) if self.bands else (len(self.days),)
        if self.values.ndim != len(expected) + 2 or self.values.shape[:-2] != expected:
            raise ValueError(
                f"layer {self.name}: values of shape {self.values.shape} do not fit {len(self.days)} days "
                f"and {len(self.bands)} bands"
            )

    def stored(self) -> StoredLayer:
        """The same layer in the integers that it is stored as; StoreError where a value does not fit."""
        return StoredLayer(
            self.name,
            self.days,
            layer_type(self.name).encode(self.name, np.asarray(self.values)),
            self.bands,
            self.made_of,
        )


@dataclass(frozen=True)
class StoredLayer(PackLayer):
    """A layer in the integers that it is stored as."""

    values: NDArray[Any]


@dataclass(frozen=True)
class HeldLayer:
    """A layer as another ``pack`` holds it, taken as the same files where that pack's days, grid and bands are those of
    the new one. days, bands: as of ``PackLayer``. read: the layer itself, for where they are not.
    """

    name: str
    days: NDArray[np.datetime64]
    bands: tuple[str, ...]
    pack: Path
    read: Callable[[], StoredLayer]


@dataclass(frozen=True)
class EncodedLayer:
    """A layer that was encoded as its rows came (``rows_encoder``). days, bands: as of ``PackLayer``; every day of the
    pack is one of them.
    """

    name: str
    days: NDArray[np.datetime64]
    bands: tuple[str, ...]
    chunks: shards.Chunks


def rows_encoder(name: str, shape: tuple[int, ...]) -> shards.RowsEncoder:
    """For the integers of layer ``name``, (t, b, H, W) or (t, H, W), row by row."""
    stored_as = layer_type(name)
    return shards.RowsEncoder(shape, np.dtype(stored_as.dtype), _chunk(shape), stored_as.order, stored_as.missing)


def write_pack(
    path: Path,
    layers: Iterable[PackLayer | HeldLayer | EncodedLayer],
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
    given = list(layers)
    sizes = {
        (layer.values if isinstance(layer, PackLayer) else layer.chunks).shape[-2:]
        for layer in given
        if not isinstance(layer, HeldLayer)
    }
    height, width = _one_of("heights and widths", sizes)
    bands = _one_of("bands", {layer.bands for layer in given if layer.bands} or {()})
    days = np.unique(np.concatenate([np.asarray(layer.days, "datetime64[D]") for layer in given]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # consolidated metadata and delta are not in the format's text
        described: dict[str, Buffer] = {}
        root = zarr.create_group(MemoryStore(described), zarr_format=3)
        arrays = _Arrays(path, root, described, f"{tuple(transform[:6])} {epsg} {bands}", _editions(replaces))
        _write_grid(arrays, transform, epsg, (height, width))
        calendar = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian", "standard_name": "time"}
        _write_axis(arrays, "time", (days - _EPOCH).astype(np.int64), calendar)
        if bands:
            _write_bands(root, bands)
        for layer in given:
            if not isinstance(layer, HeldLayer):
                _write_layer(arrays, layer, days)
            elif not arrays.take(layer):
                _write_layer(arrays, layer.read(), days)
        said: dict[str, Any] = {"layers": [layer.name for layer in given], "editions": arrays.editions}
        root.attrs.update({"Conventions": "CF-1.10", **(attributes or {}), **said})
        zarr.consolidate_metadata(root.store)
    for name, content in described.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():  # or it is another pack's file as well
            target.write_bytes(content.to_bytes())


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
    """The arrays of a pack that is written to ``folder``. described: what Zarr writes of them, by its place there, held
    in memory until all is known, in three fifths of the CPU. place: grid and bands, in words. before: editions of the
    pack replaced.

    An edition is told as the content's checksum and the number, "1a2b3c4d 7".
    """

    folder: Path
    root: zarr.Group
    described: dict[str, Buffer]
    place: str
    before: Mapping[str, str]
    editions: dict[str, str] = field(default_factory=dict)

    def encode(
        self,
        name: str,
        blocks: Iterable[NDArray[Any]],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        chunk: tuple[int, ...],
        missing: int = 0,
        order: Order = "images",
    ) -> shards.Chunks:
        """The array ``name`` in chunks, from ``blocks`` as ``shards.encode`` takes them."""
        return shards.encode(blocks, shape, dtype, chunk, order, missing, self.seed(name))

    def seed(self, name: str) -> int:
        """Checksum of what is known of the array ``name`` beside its values."""
        return zlib.crc32(f"{self.place} {name}".encode())

    def encode_axis(self, name: str, values: NDArray[Any]) -> shards.Chunks:
        """``values`` (n,) in one chunk."""
        blocks = [values] if len(values) else []
        return self.encode(name, blocks, values.shape, values.dtype, (max(1, len(values)),))

    def write(
        self,
        name: str,
        encoded: shards.Chunks,
        dimensions: tuple[str, ...],
        attributes: dict[str, Any],
        missing: int = 0,
        order: Order = "images",
    ) -> None:
        """An array of one shard, whose index has as many places along time more as the edition says: one by content,
        another than that of an array with other content in the same place.
        """
        edition = self._unlike(name, f"{encoded.content:08x} {encoded.content % EDITIONS}")
        self.editions[name], more = edition, int(edition.split()[1])
        places = encoded.counts[0] + more, *encoded.counts[1:]
        shard: Any = {
            "shape": tuple(count * chunk for count, chunk in zip(places, encoded.chunk, strict=True)),
            "index_location": "start",
        }
        self.root.create_array(
            name,
            shape=encoded.shape,
            dtype=encoded.dtype,
            chunks=encoded.chunk,
            shards=shard,
            filters=_filters(encoded.dtype, len(encoded.shape), order),
            compressors=[
                BloscCodec(
                    typesize=shards.shuffled_together(order, encoded.dtype, encoded.chunk),
                    cname="zstd",
                    clevel=shards.LEVELS[order],
                    shuffle=BloscShuffle[shards.SHUFFLES[order]],
                ),
                Crc32cCodec(),
            ],
            fill_value=missing,
            dimension_names=dimensions,
            attributes=attributes,
        )
        if encoded.parts:
            encoded.write(self.folder / name / "c" / "/".join("0" * len(places)), more)

    def take(self, layer: HeldLayer) -> bool:
        """Have the files of ``layer`` under another name; False where the packs' axes differ, or where a reader of the
        pack that is replaced would not notice."""
        theirs = _editions(layer.pack)
        if any(theirs.get(axis) is None or theirs[axis].split()[0] != self.editions[axis].split()[0] for axis in AXES):
            return False
        names = (layer.name, AVAILABLE.format(layer.name))
        if any(theirs.get(name, "") != self._unlike(name, theirs.get(name, "")) for name in names):
            return False
        for name in names:
            shutil.copytree(layer.pack / name, self.folder / name, copy_function=link_or_copy)
            self.described[f"{name}/zarr.json"] = cpu.Buffer.from_bytes((layer.pack / name / "zarr.json").read_bytes())
            self.editions[name] = theirs[name]
        return True

    def _unlike(self, name: str, edition: str) -> str:
        """``edition``, or the next one where the array that is replaced has it with other content."""
        content, _, number = edition.partition(" ")
        before, _, taken = self.before.get(name, "").partition(" ")
        return f"{content} {(int(number) + 1) % EDITIONS}" if taken == number and before != content else edition


def _filters(dtype: np.dtype[Any], axes: int, order: Order) -> Any:
    """What lays a chunk out; None = image after image, as it lies in memory."""
    if order == "images":
        return None
    seasons = TransposeCodec(order=(*range(1, axes), 0))
    return [seasons] if order == "seasons" else [seasons, Delta(dtype=dtype.str)]


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
    arrays.write(name, arrays.encode_axis(name, values), (name,), attributes)


def _write_bands(root: zarr.Group, bands: tuple[str, ...]) -> None:
    """Names in the metadata's own text, which every edition has alike: a pack of other bands has other editions."""
    axis = root.create_array("band", shape=(len(bands),), chunks=(len(bands),), dtype=str, dimension_names=("band",))
    axis[...] = np.array(bands, dtype=object)
    axis.attrs.update({"long_name": "band"})


def _write_layer(arrays: _Arrays, layer: PackLayer | EncodedLayer, days: NDArray[np.datetime64]) -> None:
    stored_as = layer_type(layer.name)
    available = np.isin(days, np.asarray(layer.days, "datetime64[D]"))
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
    if isinstance(layer, EncodedLayer):
        if not available.all():
            raise ValueError(f"layer {layer.name} was encoded without some of the pack's days")
        encoded = layer.chunks.known_by(arrays.seed(layer.name))
    else:
        encoded = _encoded(arrays, layer, days, available)
    arrays.write(layer.name, encoded, dimensions, attributes, stored_as.missing, stored_as.order)
    name, attributes = AVAILABLE.format(layer.name), {"long_name": f"days that {layer.name} has an image of"}
    arrays.write(name, arrays.encode_axis(name, available), ("time",), attributes)


def _encoded(
    arrays: _Arrays, layer: PackLayer, days: NDArray[np.datetime64], available: NDArray[np.bool_]
) -> shards.Chunks:
    """The layer on all ``days``, of which it has those ``available``; encoded before where it is of the same files."""
    made_of = (layer.name, arrays.place, days.tobytes(), layer.days.tobytes(), layer.made_of)
    held = shards.RECENT.get(made_of) if layer.made_of else None
    if held is not None:
        return held
    stored_as, blocks = layer_type(layer.name), _stored(layer, available)
    shape = len(days), *layer.values.shape[1:]
    encoded = arrays.encode(
        layer.name, blocks, shape, np.dtype(stored_as.dtype), _chunk(shape), stored_as.missing, stored_as.order
    )
    if layer.made_of:
        shards.RECENT.hold(made_of, encoded)
    return encoded


def _chunk(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The chunk of a layer of ``shape``: all of its bands, where it has any."""
    return CHUNK[0], *shape[1:-2], *CHUNK[1:]


def _stored(layer: PackLayer, available: NDArray[np.bool_]) -> Iterator[NDArray[Any]]:
    """The integers of the layer on all days, of which it has those ``available``, a chunk's days at a time."""
    stored_as, first = layer_type(layer.name), 0
    for at in range(0, len(available), CHUNK[0]):
        has = available[at : at + CHUNK[0]]
        last = first + int(has.sum())
        images = layer.values[first:last]
        if isinstance(images, SteppedImages) and images.layer == stored_as:
            stored = images.stored
        else:
            stored = stored_as.encode(layer.name, np.asarray(images), first)
        if not has.all():
            on_days = np.full((len(has), *stored.shape[1:]), stored_as.missing, stored_as.dtype)
            on_days[has] = stored
            stored = on_days
        yield stored
        first = last
