"""A cloud-optimised GeoTIFF written from rows as they come: every pixel is encoded once, and none is read back.

Rows are cut into tiles, which are compressed at once; the mean of every 2 x 2 pixels that are known goes on to the
overview, and so does that one's to the next. A file is then composed of what has been compressed: directories, the
smallest overview, the others, the image itself. Little more than a row of tiles of each is in memory, however large the
image. Pixels are float32, one plane a band, with the floating-point predictor and Zstandard.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, product
from pathlib import Path
from typing import IO, Any, Final

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile

from satfusion_assets.fusion.efast.compiled import compiled

LARGEST_TILE: Final = 512
"""Pixels of a tile's side at most, and of an image's that has no overview."""
_LEVEL: Final = 1
_ZSTANDARD, _FLOATING_POINT, _PLANE_A_BAND = 50000, 3, 2
_SHORT, _LONG, _LONG8 = 3, 4, 16
_SAID_ONCE: Final = (33550, 33922, 34264, 34735, 34736, 34737, 42112)
"""Tags of the grid and of GDAL's metadata, which overviews leave out."""
_SAID_OF_ALL: Final = (258, 262, 277, 338, 339, 42113)
"""Tags of bits, kind and number of bands, and of nodata."""
_PIECE: Final = 2**24
_CLASSIC_BYTES: Final = 2**32 - 2**16
"""What offsets of 32 bits reach."""

Tag = tuple[int, int, int, bytes]
"""Number, type, count and value of a TIFF tag."""


@contextmanager
def writing(
    path: Path, geobox: GeoBox, band_names: Sequence[str], tags: Mapping[str, str], threads: int
) -> Iterator[RowWriter]:
    """Takes the rows of ``path``, in an existing folder, from above; the file is there once all have been given.

    geobox: the grid; nodata is NaN. band_names: (b,). tags: the file's metadata.
    """
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        sizes: list[tuple[int, int]] = [(geobox.shape[0], geobox.shape[1])]
        while max(sizes[-1]) > LARGEST_TILE:
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        files = [stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for _ in sizes]
        levels = [_Level(len(band_names), *size, file, pool) for size, file in zip(sizes, files, strict=True)]
        yield RowWriter(levels)
        _compose(path, levels, _described(geobox, band_names, tags))


@dataclass
class RowWriter:
    """Where rows go: the image, and behind it its overviews."""

    levels: Sequence[_Level]

    def write(self, rows: NDArray[np.float32]) -> None:
        """The next rows (b, r, W)."""
        self._write(rows, 0)

    def _write(self, rows: NDArray[np.float32], number: int) -> None:
        for whole in self.levels[number].take(rows):
            if number + 1 < len(self.levels):
                self._write(_halved(whole), number + 1)


@dataclass
class _Level:
    """The image or an overview of it. Tiles are as even as they can be, so that little beyond the edges is encoded."""

    bands: int
    height: int
    width: int
    file: IO[bytes]
    pool: Executor
    given: int = 0
    counts: list[list[int]] = field(default_factory=list)
    """Bytes of the tiles of each row of them, band after band."""

    def __post_init__(self) -> None:
        self.tile = (_side(self.height), _side(self.width))
        across = -(-self.width // self.tile[1]) * self.tile[1]
        self._rows = np.zeros((self.bands, self.tile[0], across), np.float32)

    def take(self, rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Add rows (b, r, W); gives each row of tiles once it is full or the last."""
        begin = 0
        while begin < rows.shape[1]:
            filled = self.given % self.tile[0]
            size = min(self.tile[0] - filled, rows.shape[1] - begin)
            self._rows[:, filled : filled + size, : self.width] = rows[:, begin : begin + size]
            begin, self.given = begin + size, self.given + size
            if filled + size == self.tile[0] or self.given == self.height:
                self._encode()
                yield self._rows[:, : filled + size, : self.width]

    def _encode(self) -> None:
        side = self.tile[1]
        places = product(range(self.bands), range(0, self._rows.shape[2], side))
        tiles = list(self.pool.map(_compressed, (self._rows[band, :, x : x + side] for band, x in places)))
        self.file.writelines(tiles)
        self.counts.append([len(tile) for tile in tiles])

    @property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where tiles begin in ``file`` and how long they are, in a TIFF's order: of one band after the other's."""
        counts = np.array(self.counts, np.int64)
        starts = np.array(list(accumulate(counts.ravel()[:-1], initial=0)), np.int64).reshape(counts.shape)
        first, second = (part.reshape(len(counts), self.bands, -1).swapaxes(0, 1).ravel() for part in (starts, counts))
        return first, second


def _side(size: int) -> int:
    """Pixels of a tile's side: multiples of 16, as TIFF wants them."""
    tiles = -(-size // LARGEST_TILE)
    return -(-size // (16 * tiles)) * 16


def _compressed(tile: NDArray[np.float32]) -> bytes:
    steps = np.empty((len(tile), 4 * tile.shape[1]), np.uint8)
    _predict(tile.view(np.uint32), steps)
    return bytes(imagecodecs.zstd_encode(steps.tobytes(), level=_LEVEL))


@compiled
def _predict(bits: Any, steps: Any) -> None:
    """TIFF's floating-point predictor (technical note 3): the highest bytes of a row, then its second ones and so on,
    each minus the one before."""
    rows, width = bits.shape
    size = np.uint64(width)
    for r in range(rows):
        row, out = bits[r], steps[r]
        before = np.uint8(0)
        for plane in range(4):
            shift, start = np.uint32(24 - 8 * plane), np.uint64(plane * width)
            out[start] = np.uint8(row[0] >> shift) - before
            for i in range(np.uint64(1), size):
                out[start + i] = np.uint8((row[i] >> shift) - (row[i - np.uint64(1)] >> shift))
            before = np.uint8(row[width - 1] >> shift)


def _halved(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means (b, r / 2, W / 2) of the known of every 2 x 2 pixels, NaN where none is; at an odd end of fewer."""
    bands, height, width = rows.shape
    half = np.empty((bands, -(-height // 2), -(-width // 2)), np.float32)
    _halve(rows, half)
    return half


@compiled
def _halve(rows: Any, half: Any) -> None:
    bands, height, width = rows.shape
    zero, one = np.float32(0), np.float32(1)
    for b in range(bands):
        for r in range(half.shape[1]):
            upper, lower = rows[b, 2 * r], rows[b, min(2 * r + 1, height - 1)]
            for c in range(half.shape[2]):
                i = np.uint64(2 * c)
                j = np.uint64(min(2 * c + 1, width - 1))
                total, count = zero, zero
                for value in (upper[i], upper[j], lower[i], lower[j]):
                    total += value if value == value else zero
                    count += one if value == value else zero
                half[b, r, c] = total / count


def _described(geobox: GeoBox, band_names: Sequence[str], tags: Mapping[str, str]) -> list[Tag]:
    """What the image's directory says of grid, bands and nodata, as GDAL writes it for a raster of one pixel."""
    profile = {"driver": "GTiff", "width": 1, "height": 1, "count": len(band_names), "dtype": "float32"}
    place = {"crs": None if geobox.crs is None else str(geobox.crs), "transform": geobox.transform}
    with MemoryFile() as memory:
        with memory.open(**profile, **place, nodata=np.nan, interleave="band") as raster:
            raster.descriptions = tuple(band_names)
            raster.update_tags(**tags)
        with tifffile.TiffFile(memory) as file:
            found = [tag for tag in file.pages.first.tags if tag.code in (*_SAID_ONCE, *_SAID_OF_ALL)]
            return [(tag.code, int(tag.dtype), tag.count, _raw(file, tag)) for tag in found]


def _raw(file: tifffile.TiffFile, tag: tifffile.TiffTag) -> bytes:
    file.filehandle.seek(tag.valueoffset)
    return bytes(file.filehandle.read(tag.valuebytecount))


def _compose(path: Path, levels: Sequence[_Level], described: Sequence[Tag]) -> None:
    """Directories, then the pixels of the levels from the smallest on, as cloud-optimised readers want them."""
    sizes = [level.file.tell() for level in levels]
    big = sum(sizes) > _CLASSIC_BYTES
    length = len(_header(levels, described, [0] * len(levels), big))
    starts = [length + sum(sizes[number + 1 :]) for number in range(len(levels))]
    with path.open("wb") as out:
        out.write(_header(levels, described, starts, big))
        for level in reversed(levels):
            level.file.seek(0)
            while piece := level.file.read(_PIECE):
                out.write(piece)


def _header(levels: Sequence[_Level], described: Sequence[Tag], starts: Sequence[int], big: bool) -> bytes:
    """All before the pixels, where those of each level lie from its start on."""
    content = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) if big else struct.pack("<2sHI", b"II", 42, 8)
    for number, (level, start) in enumerate(zip(levels, starts, strict=True)):
        said = [tag for tag in described if number == 0 or tag[0] in _SAID_OF_ALL]
        tags = sorted([*said, *_layout(level, start, big), *([_number(254, 1)] if number else [])])
        content += _directory(tags, len(content), big, number + 1 == len(levels))
    return content


def _layout(level: _Level, start: int, big: bool) -> list[Tag]:
    offsets, counts = level.places
    numbers = {
        256: level.width,
        257: level.height,
        259: _ZSTANDARD,
        284: _PLANE_A_BAND,
        317: _FLOATING_POINT,
        322: level.tile[1],
        323: level.tile[0],
    }
    kind, of = (_LONG8, "<u8") if big else (_LONG, "<u4")
    places = [(324, kind, len(offsets), (offsets + start).astype(of).tobytes())]
    return [
        *(_number(code, value) for code, value in numbers.items()),
        *places,
        (325, _LONG, len(counts), counts.astype("<u4").tobytes()),
    ]


def _number(code: int, value: int) -> Tag:
    return (code, _LONG, 1, struct.pack("<I", value)) if value > 0xFFFF else (code, _SHORT, 1, struct.pack("<H", value))


def _directory(tags: Sequence[Tag], position: int, big: bool, last: bool) -> bytes:
    """One directory at ``position``, its longer values behind it, and behind these the next one's place."""
    count, entry, room = ("<Q", "<HHQ", 8) if big else ("<H", "<HHI", 4)
    place = "<Q" if big else "<I"
    behind = position + struct.calcsize(count) + len(tags) * (struct.calcsize(entry) + room) + room
    entries, values = b"", b""
    for code, kind, length, value in tags:
        entries += struct.pack(entry, code, kind, length)
        if len(value) <= room:
            entries += value.ljust(room, b"\0")
        else:
            entries += struct.pack(place, behind + len(values))
            values += value + bytes(-len(value) % 8)
    values += bytes(-(behind + len(values)) % 8)
    following = 0 if last else behind + len(values)
    return struct.pack(count, len(tags)) + entries + struct.pack(place, following) + values
