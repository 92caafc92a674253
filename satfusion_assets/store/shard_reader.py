"""A window of a pack's array, read from its one shard without an event loop: less than half the CPU that zarr takes.

Zarr hands every chunk from task to task and thread to thread for each of its codecs, which for the 100 chunks of a
pixel's season takes longer than decoding them. Values are the same as its own, which a test holds.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numcodecs.blosc import Blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec, TransposeCodec
from zarr.codecs.numcodecs import Delta

from satfusion_assets.store.layers import Order
from satfusion_assets.store.shards import CHECKSUM, INDEX_TYPE, NOTHING, Place, arranged, unchecked

_ENDING: Final = (BytesCodec, BloscCodec, Crc32cCodec)
_LAYOUTS: Final[dict[tuple[type, ...], Order]] = {
    _ENDING: "images",
    (TransposeCodec, *_ENDING): "seasons",
    (TransposeCodec, Delta, *_ENDING): "differences",
}


@dataclass(frozen=True)
class Shard:
    """The file ``path`` of an array of ``shape`` and ``dtype``. chunk: shape of its parts. places: parts along each
    axis that its index has room for. front: whether the index comes first.
    """

    path: Path
    shape: Place
    dtype: np.dtype[Any]
    chunk: Place
    places: Place
    front: bool
    order: Order
    missing: Any

    def read(self, window: Sequence[slice]) -> NDArray[Any]:
        """The values in ``window``, a slice of step 1 for each axis.

        FileNotFoundError where the shard is not there, EOFError where it is cut off, ValueError where a checksum
        differs.
        """
        spans = [range(*part.indices(size)) for part, size in zip(window, self.shape, strict=True)]
        values = np.full([len(span) for span in spans], self.missing, self.dtype)
        if not values.size:
            return values
        with self.path.open("rb") as file:
            index = self._index(file.fileno())
            touched = (
                range(span[0] // chunk, span[-1] // chunk + 1) for span, chunk in zip(spans, self.chunk, strict=True)
            )
            for place in product(*touched):
                offset, length = map(int, index[place])
                if (offset, length) != (NOTHING, NOTHING):
                    self._put(values, spans, place, self._part(file.fileno(), offset, length))
        return values

    def _index(self, file: int) -> NDArray[np.uint64]:
        size = math.prod(self.places) * 2 * np.dtype(INDEX_TYPE).itemsize + CHECKSUM
        content = unchecked(_bytes_at(file, 0 if self.front else os.fstat(file).st_size - size, size))
        return np.frombuffer(content, INDEX_TYPE).reshape(*self.places, 2)

    def _part(self, file: int, offset: int, length: int) -> NDArray[Any]:
        content = Blosc().decode(unchecked(_bytes_at(file, offset, length)))
        return arranged(np.frombuffer(content, self.dtype), self.chunk, self.order)

    def _put(self, values: NDArray[Any], spans: Sequence[range], place: Place, part: NDArray[Any]) -> None:
        """Lay what ``part``, the one at ``place``, has of ``spans`` where it belongs in ``values``."""
        source, target = [], []
        for span, at, chunk in zip(spans, place, self.chunk, strict=True):
            begin, end = max(span[0], at * chunk), min(span[-1] + 1, (at + 1) * chunk)
            source.append(slice(begin - at * chunk, end - at * chunk))
            target.append(slice(begin - span[0], end - span[0]))
        values[tuple(target)] = part[tuple(source)]


def shard_of(folder: Path, array: Any) -> Shard | None:
    """The shard of ``array``, a zarr array that lies in ``folder``; None where it is laid out otherwise than packs are,
    as their names of bands, and has to be read by zarr."""
    metadata = array.metadata
    sharding = metadata.codecs[0]
    if not isinstance(sharding, ShardingCodec) or any(
        all_of_it > shard for all_of_it, shard in zip(array.shape, array.shards, strict=True)
    ):
        return None
    order = _LAYOUTS.get(tuple(map(type, sharding.codecs)))
    if order is None or tuple(map(type, sharding.index_codecs)) != (BytesCodec, Crc32cCodec):
        return None
    first = sharding.codecs[0]
    if isinstance(first, TransposeCodec) and first.order != (*range(1, len(array.shape)), 0):
        return None
    return Shard(
        folder / metadata.encode_chunk_key((0,) * len(array.shape)),
        array.shape,
        array.dtype,
        sharding.chunk_shape,
        tuple(size // chunk for size, chunk in zip(array.shards, sharding.chunk_shape, strict=True)),
        str(getattr(sharding.index_location, "value", sharding.index_location)) == "start",
        order,
        array.fill_value,
    )


def _bytes_at(file: int, offset: int, length: int) -> bytes:
    content = os.pread(file, length, max(0, offset))
    if len(content) < length or offset < 0:
        raise EOFError(f"{length} bytes at {offset}")
    return content
