"""The one shard of a pack's array, encoded chunk by chunk without an event loop: a third of the CPU that zarr takes.

Zarr writes into a sharded array by way of tasks and threads for every codec of every chunk. The bytes here are the same
as its own (the format's sharding_indexed with the index in front), which a test holds. ``shard_reader`` reads windows.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any, Final, Protocol

import google_crc32c
import numpy as np
from numcodecs.blosc import Blosc
from numpy.typing import NDArray
from zarr.core.indexing import morton_order_iter

from satfusion_assets.store.layers import Order
from satfusion_assets.store.recent import RecentlyEncoded

LEVELS: Final[dict[Order, int]] = {"images": 3, "seasons": 3, "differences": 1}
"""Of zstd: 9 takes 18 % off, and twenty times the CPU. Of differences, 3 takes 4 % off in a quarter more time."""
SHUFFLES: Final[dict[Order, str]] = {"images": "bitshuffle", "seasons": "shuffle", "differences": "bitshuffle"}
"""The smaller of bits and bytes, as measured for each order."""
INDEX_TYPE: Final = "<u8"
NOTHING: Final = 2**64 - 1
"""Offset and length in a shard's index where there is no chunk."""
CHECKSUM: Final = 4
"""Bytes of a checksum."""

Place = tuple[int, ...]


@dataclass(frozen=True)
class Chunks:
    """An array of ``shape`` and ``dtype`` in encoded parts of shape ``chunk``, by their place. content: checksum of all
    of them.
    """

    shape: Place
    dtype: np.dtype[Any]
    chunk: Place
    parts: dict[Place, bytes]
    content: int

    @property
    def counts(self) -> Place:
        """Chunks along each axis."""
        return tuple(max(1, math.ceil(size / chunk)) for size, chunk in zip(self.shape, self.chunk, strict=True))

    def __len__(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts.values()))

    def known_by(self, seed: int) -> Chunks:
        """The same with the checksum of its parts, of which each ends with its own. seed: checksum of what is known of
        the array beside its values."""
        return replace(
            self, content=zlib.crc32(b"".join(self.parts[at][-CHECKSUM:] for at in sorted(self.parts)), seed)
        )

    def write(self, path: Path, more: int) -> None:
        """The shard ``path``, whose index has ``more`` unused places along the first axis."""
        counts = (self.counts[0] + more, *self.counts[1:])
        index = np.full((*counts, 2), NOTHING, INDEX_TYPE)
        at = index.nbytes + CHECKSUM
        ordered = [place for place in morton_order_iter(counts) if place in self.parts]
        for place in ordered:
            length = len(self.parts[place])
            index[place] = at, length
            at += length
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.write(_checked(index.tobytes()))
            file.writelines(self.parts[place] for place in ordered)


RECENT: Final = RecentlyEncoded[Chunks]()
"""Of this process."""


def encode(
    blocks: Iterable[NDArray[Any]],
    shape: Place,
    dtype: np.dtype[Any],
    chunk: Place,
    order: Order,
    missing: int,
    content: int,
    threads: int = 2,
) -> Chunks:
    """An array of ``shape`` in chunks; what lies beyond the far edges is ``missing``.

    blocks: its parts along the first axis, each as long as a chunk, one after another: a season's numbers need not be
    there all at once. content: checksum of what is known of the array beside its values.
    """
    chunks = Chunks(shape, dtype, chunk, {}, content)
    encoder = _Encoder(dtype, chunk, order, missing)

    def each(block: NDArray[Any], places: Sequence[Place]) -> list[bytes]:
        return [encoder.part(block, (0, *place)) for place in places]

    with ThreadPoolExecutor(threads) as pool:
        for first, block in enumerate(blocks):
            places = list(product(*map(range, chunks.counts[1:])))
            shares = [places[share::threads] for share in range(threads)]  # a task costs as much as a small chunk
            for share, parts in zip(shares, pool.map(partial(each, block), shares), strict=True):
                chunks.parts.update({(first, *place): part for place, part in zip(share, parts, strict=True)})
    return chunks.known_by(content)


@dataclass(frozen=True)
class _Encoder:
    """How parts of an array become bytes."""

    dtype: np.dtype[Any]
    chunk: Place
    order: Order
    missing: int

    @cached_property
    def codec(self) -> Blosc:
        shuffle = getattr(Blosc, SHUFFLES[self.order].upper())
        size = shuffled_together(self.order, self.dtype, self.chunk)
        return Blosc("zstd", LEVELS[self.order], shuffle, typesize=size)

    def part(self, numbers: NDArray[Any], place: Place) -> bytes:
        """The part at ``place`` of ``numbers``, filled up beyond their edges."""
        part = numbers[tuple(slice(at * size, (at + 1) * size) for at, size in zip(place, self.chunk, strict=True))]
        if part.shape != self.chunk:
            whole = np.full(self.chunk, self.missing, self.dtype)
            whole[tuple(map(slice, part.shape))] = part
            part = whole
        return _checked(self.codec.encode(_laid_out(part, self.order)))


class Put(Protocol):
    """Makes integers of rows, in ``out``."""

    def __call__(self, rows: NDArray[Any], *, out: NDArray[Any]) -> object: ...


def _copy(rows: NDArray[Any], *, out: NDArray[Any]) -> None:
    out[...] = rows


class RowsEncoder:
    """An array of ``shape`` (t, ..., H, W) in chunks, from its rows as they come, in any order and from any thread: of
    numbers no more is held than the chunks' rows that are not whole yet.
    """

    def __init__(self, shape: Place, dtype: np.dtype[Any], chunk: Place, order: Order, missing: int) -> None:
        self._chunks = Chunks(shape, dtype, chunk, {}, 0)
        self._encoder = _Encoder(dtype, chunk, order, missing)
        self._open: dict[int, NDArray[Any]] = {}
        """Numbers of each row of chunks that is not whole."""
        self._missing: dict[int, int] = {}
        """How many of its rows are not there."""
        self._spare: list[NDArray[Any]] = []
        """Rows of chunks that were encoded, to be filled again."""
        self._lock = threading.Lock()

    def take(self, first: int, rows: NDArray[Any], put: Put = _copy) -> None:
        """Rows (t, ..., r, W), which begin with row ``first``. put: how they become integers."""
        deep, last = self._chunks.chunk[-2], first + rows.shape[-2]
        for strip in range(first // deep, (last - 1) // deep + 1):
            begin = max(first, strip * deep)
            self._take(strip, begin - strip * deep, rows[..., begin - first : (strip + 1) * deep - first, :], put)

    def _take(self, strip: int, inside: int, rows: NDArray[Any], put: Put) -> None:
        count = rows.shape[-2]
        with self._lock:
            if strip not in self._open:
                self._open[strip] = self._room(strip)
                self._missing[strip] = self._open[strip].shape[-2]
            numbers = self._open[strip]
        put(rows, out=numbers[..., inside : inside + count, :])
        with self._lock:
            self._missing[strip] -= count
            if self._missing[strip]:
                return
            del self._open[strip]
        self._encode(strip, numbers)
        with self._lock:
            self._spare.append(numbers)

    def _room(self, strip: int) -> NDArray[Any]:
        """For the numbers of a row of chunks, of which the last may be less deep."""
        shape, deep = self._chunks.shape, self._chunks.chunk[-2]
        wanted = (*shape[:-2], min(deep, shape[-2] - strip * deep), shape[-1])
        if self._spare and self._spare[-1].shape == wanted:
            return self._spare.pop()
        return np.empty(wanted, self._chunks.dtype)

    def _encode(self, strip: int, numbers: NDArray[Any]) -> None:
        counts = self._chunks.counts
        for place in product(*map(range, counts[:-2]), [0], range(counts[-1])):
            at = (*place[:-2], strip, place[-1])
            self._chunks.parts[at] = self._encoder.part(numbers, place)

    def encoded(self) -> Chunks:
        """The chunks of all rows; ValueError where rows are missing."""
        if self._open or len(self._chunks.parts) != math.prod(self._chunks.counts):
            raise ValueError(f"an array of shape {self._chunks.shape} was not given all of its rows")
        self._spare.clear()
        return self._chunks


def shuffled_together(order: Order, dtype: np.dtype[Any], chunk: Sequence[int]) -> int:
    """Bytes that the shuffle takes for one number, of which it lays the same bits of all numbers side by side.

    Of differences it is a pixel's whole season: so the same bit of one day's differences lies pixel by pixel, and what
    a day changed in many pixels alike is seen. A fifth smaller than number by number, in half the time.
    """
    return dtype.itemsize * (chunk[0] if order == "differences" else 1)


def _laid_out(chunk: NDArray[Any], order: Order) -> NDArray[Any]:
    """The chunk's numbers in the order in which they are compressed."""
    if order == "images":
        return np.ascontiguousarray(chunk)
    seasons = np.ascontiguousarray(np.moveaxis(chunk, 0, -1))
    if order == "seasons":
        return seasons
    numbers = seasons.reshape(-1)
    differences = np.empty_like(numbers)
    differences[:1] = numbers[:1]
    np.subtract(numbers[1:], numbers[:-1], out=differences[1:])
    return differences


def _checked(content: bytes) -> bytes:
    """``content`` with its checksum behind it, as the codec crc32c has it."""
    return content + int(google_crc32c.value(content)).to_bytes(CHECKSUM, "little")


def arranged(numbers: NDArray[Any], chunk: Place, order: Order) -> NDArray[Any]:
    """A chunk of shape ``chunk`` of its ``numbers`` as they were compressed: ``_laid_out`` the other way round."""
    if order == "images":
        return numbers.reshape(chunk)
    if order == "differences":
        numbers = np.cumsum(numbers, dtype=numbers.dtype)  # integers overflow as they did in the difference
    return np.moveaxis(numbers.reshape(*chunk[1:], chunk[0]), -1, 0)


def unchecked(content: bytes) -> bytes:
    """``content`` without the checksum behind it; ValueError where it is another's."""
    if _checked(content[:-CHECKSUM]) != content:
        raise ValueError("its checksum differs")
    return content[:-CHECKSUM]
