"""A window of a remote Cloud-Optimised GeoTIFF: our HTTP fetches the bytes, GDAL only decodes them.

GDAL's own network layer keeps one failed answer for the life of the process, ignores Retry-After, does not retry
cut-off ranges and has returned blank pixels for failed ones. Here the header is fetched first; GDAL names the blocks
that the window needs; their byte ranges are fetched, joined where they touch, into a sparse local file; GDAL then
reads the window from it. That is two requests a band as a rule, and every byte was asked for and has arrived.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import sleep
from typing import Final

import numpy as np
import rasterio
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.session import DummySession
from rasterio.windows import Window

from satfusion_assets.archives.http import Answer, HttpArchive, NotFound, OutOfRange
from satfusion_assets.archives.resampling import Patch
from satfusion_assets.archives.retry import public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid

HEADER: Final = 32 * 1024
"""Bytes fetched first; holds the header of every Sentinel-2 COG seen."""
_LONGEST_HEADER: Final = 2 * 1024 * 1024
_GAP: Final = 16 * 1024
"""Ranges closer than this are fetched as one."""
_ENV: Final = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": 64}
_SAME: Final = 3
"""Equal downloads that prove a damaged file."""
PAD: Final = 2
"""Source pixels read around the target, so that interpolation has neighbours at the edge."""

Range = tuple[int, int]
"""First byte and the byte after the last."""


_UTM_ZONES: Final = frozenset([*range(32601, 32661), *range(32701, 32761)])
"""EPSG codes that Sentinel-2 tiles lie in."""
_TILE_M: Final = 109_800
"""Side of a tile, metres."""
_SMALLEST_PIXEL_M: Final = 10
_LARGEST_FILE: Final = 2**31
"""Bytes; the largest band has an eighth of that."""
_DEFLATE: Final = frozenset({"DEFLATE", "ADOBE_DEFLATE"})
_CONTENT_RANGE: Final = re.compile(r"bytes (?P<first>\d{1,19})-\d{1,19}/(?P<length>\d{1,19})", re.ASCII)
_SLACK: Final = 1024
"""Bytes by which a compressed block may be longer than its pixels."""


@dataclass(frozen=True)
class Layer:
    """What a file must be to be the asset that it is listed as.

    dtype: of its pixels. pixel_m: their side, metres. epsg: code of its CRS; None = any that tiles lie in.
    """

    dtype: str
    pixel_m: int
    epsg: int | None = None


@dataclass(frozen=True)
class FileFacts:
    """Provenance of a remote file. href: without query. length: bytes of the whole file."""

    href: str
    etag: str | None
    length: int


@dataclass(frozen=True)
class FetchedBytes:
    """Parts of a file as they came. ranges: first byte and the one after the last, in order. sha256: of all of them.
    length: of the whole file.
    """

    ranges: tuple[Range, ...]
    sha256: str
    length: int

    def come_again(self, archive: HttpArchive, href: str) -> bool:
        """Whether the archive still sends the same: one request a range."""
        try:
            parts = [_part(archive, href, start, stop) for start, stop in self.ranges]
        except (NotFound, Damaged):
            return False
        sha256 = hashlib.sha256(b"".join(body for _, body in parts)).hexdigest()
        return (sha256, max(length for length, _ in parts)) == (self.sha256, self.length)


def is_there(archive: HttpArchive, href: str, attempts: int | None = None) -> bool:
    """Whether the archive has anything at ``href``: a request for one byte."""
    try:
        archive.get_checked(href, lambda answer: answer, _range(0, 1), attempts=attempts)
    except NotFound:
        return False
    except OutOfRange:
        return True
    return True


def _part(archive: HttpArchive, href: str, start: int, stop: int) -> tuple[int, bytes]:
    """Length of the file, and what the archive sends of a range: nothing when the file ends before it."""
    try:
        answer = archive.get(href, _range(start, stop))
    except OutOfRange:
        return 0, b""
    return _place(answer)[1], answer.body


def _range(start: int, stop: int) -> dict[str, str]:
    return {"Range": f"bytes={start}-{stop - 1}"}


@dataclass(frozen=True)
class RemotePatch:
    """Pixels around a target with the facts of their file; patch is None where the file does not reach.

    fetched: the bytes that they were read from.
    """

    patch: Patch | None
    facts: FileFacts
    fetched: FetchedBytes


class Damaged(ArchiveAnswerInvalid):
    """The bytes are there and are not the GeoTIFF they should be.

    fetched: the bytes, when they are all here. stable: fetched anew they were the same bytes, so it is the archive's
    file, not the way here, that is damaged. file: what is known of it.
    """

    def __init__(
        self,
        message: str,
        fetched: FetchedBytes | None = None,
        *,
        stable: bool = False,
        file: FileFacts | None = None,
    ) -> None:
        super().__init__(message)
        self.fetched = fetched
        self.stable = stable
        self.file = file


def read_around(archive: HttpArchive, href: str, target: GeoBox, layer: Layer) -> RemotePatch:
    """The native pixels of ``href``, which must be ``layer``, that cover ``target`` and a rim of two.

    Raises ArchiveUnavailable, NotFound, or Damaged when the file stays unreadable: it is fetched anew as often as the
    retry policy allows, or until it has come three times with the same bytes.
    """
    seen: list[FetchedBytes | None] = []
    while True:
        try:
            return _read_once(archive, href, target, layer)
        except Damaged as error:
            seen.append(error.fetched)
            stable = len(seen) >= _SAME and len(set(seen[-_SAME:])) == 1 and error.fetched is not None
            if stable or len(seen) >= archive.policy.attempts:
                raise Damaged(str(error), error.fetched, stable=stable, file=error.file) from error
            sleep(archive.policy.wait_s(len(seen)))


def _read_once(archive: HttpArchive, href: str, target: GeoBox, layer: Layer) -> RemotePatch:
    with tempfile.TemporaryDirectory(prefix="satfusion-") as folder, rasterio.Env(DummySession(), **_ENV):
        file = _SparseFile(archive, href, Path(folder) / "window.tif")
        try:
            patch = _read_window(file, target, layer)
        except (RasterioError, zlib.error, OverflowError) as error:
            raise Damaged(
                f"{archive.name}: {public_url(href)} is not a readable GeoTIFF; the archive's file is damaged.",
                file.fetched,
                file=file.facts,
            ) from error
        return RemotePatch(patch, file.facts, file.fetched)


def _read_window(file: _SparseFile, target: GeoBox, layer: Layer) -> Patch | None:
    with file.open_header() as dataset:
        if (wrong := _misfit(dataset, layer)) is not None:
            raise Damaged(
                f"{file.archive.name}: {file.facts.href} {wrong}; the archive's file is damaged, or another one.",
                file.fetched,
                file=file.facts,
            )
        window = _window(dataset, target)
        if window is None:
            return None
        blocks = list(_blocks(dataset, window))
        deflated = str(dataset.compression.value if dataset.compression else "").upper() in _DEFLATE
        raw = _block_bytes(dataset, layer)
    if wrong := _misplaced(blocks, raw):
        raise Damaged(f"{file.archive.name}: {file.facts.href} {wrong}.", file.fetched, file=file.facts)
    file.fetch(blocks)
    if deflated:
        for start, stop in blocks:
            file.check_deflated(start, stop, raw)
    with rasterio.open(file.path, driver="GTiff") as dataset:
        values = dataset.read(1, window=window)
        geobox = GeoBox(values.shape, dataset.window_transform(window), CRS(dataset.crs.to_wkt()))
        return Patch(values, geobox)


def _misfit(dataset: DatasetReader, layer: Layer) -> str | None:
    """What keeps a file from being ``layer``, None when nothing does."""
    transform, side = dataset.transform, layer.pixel_m
    if dataset.count != 1 or dataset.dtypes[0] != layer.dtype:
        return f"has {dataset.count} bands of {dataset.dtypes[0]}, not one of {layer.dtype}"
    if (transform.a, transform.b, transform.d, transform.e) != (side, 0, 0, -side):
        return f"has pixels of {transform.a:g} by {-transform.e:g} m (rotated by {transform.b:g}), not of {side} m"
    if transform.c % side or transform.f % side:
        return f"begins at {transform.c:.15g}, {transform.f:.15g}, where no pixel of a tile does"
    if max(dataset.shape) * side > _TILE_M:
        return f"has {dataset.width} by {dataset.height} pixels, more than a tile"
    epsg = dataset.crs.to_epsg() if dataset.crs is not None else None
    if epsg not in _UTM_ZONES or (layer.epsg is not None and epsg != layer.epsg):
        return f"lies in EPSG:{epsg}, not in {f'EPSG:{layer.epsg}' if layer.epsg else 'a UTM zone'}"
    return None


def _block_bytes(dataset: DatasetReader, layer: Layer) -> int:
    """Bytes of a block's pixels; bands may be packed (15 bits a pixel), each row to whole bytes."""
    height, width = dataset.block_shapes[0]
    bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", "")
    return height * math.ceil(width * (int(bits) if bits.isdecimal() else 8 * np.dtype(layer.dtype).itemsize) / 8)


def _misplaced(blocks: list[Range], raw: int) -> str | None:
    """What is wrong with the table of ``blocks``, each of ``raw`` bytes of pixels; None when nothing is."""
    if any(stop - start > raw + _SLACK + raw // 100 for start, stop in blocks):
        return "has a block longer than its pixels; the archive's file is damaged"
    ordered = sorted(blocks)
    if any(later[0] < earlier[1] for earlier, later in pairwise(ordered)):
        return "has blocks that lie in one another; the archive's file is damaged"
    return None


def _window(dataset: DatasetReader, target: GeoBox) -> Window | None:
    """Pixels of ``dataset`` that cover ``target`` and the rim; None where they do not meet."""
    box = target.extent.to_crs(dataset.crs.to_wkt(), resolution=float(target.resolution.x) * 8).boundingbox
    inverse = ~dataset.transform
    (left, top), (right, bottom) = inverse @ (box.left, box.top), inverse @ (box.right, box.bottom)
    first_column, first_row = math.floor(left + 1e-6) - PAD, math.floor(top + 1e-6) - PAD
    last_column, last_row = math.ceil(right - 1e-6) + PAD, math.ceil(bottom - 1e-6) + PAD
    first_column, first_row = max(first_column, 0), max(first_row, 0)
    last_column, last_row = min(last_column, dataset.width), min(last_row, dataset.height)
    if first_column >= last_column or first_row >= last_row:
        return None
    return Window(first_column, first_row, last_column - first_column, last_row - first_row)


def _blocks(dataset: DatasetReader, window: Window) -> Iterator[Range]:
    height, width = dataset.block_shapes[0]
    for row in range(window.row_off // height, (window.row_off + window.height - 1) // height + 1):
        for column in range(window.col_off // width, (window.col_off + window.width - 1) // width + 1):
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1)
            size = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1)
            if offset and size:  # absent: a sparse block, all nodata
                yield int(offset), int(offset) + int(size)


class _SparseFile:
    """A local file of the remote one's length that holds the ranges fetched so far."""

    def __init__(self, archive: HttpArchive, href: str, path: Path) -> None:
        self.archive = archive
        self.path = path
        self._href = href
        self._etag: str | None = None
        self._length = 0
        self._have: list[Range] = []
        self._asked: list[Range] = []
        self._hash = hashlib.sha256()

    @property
    def fetched(self) -> FetchedBytes:
        """Everything fetched so far."""
        return FetchedBytes(tuple(self._asked), self._hash.hexdigest(), self._length)

    @property
    def facts(self) -> FileFacts:
        return FileFacts(public_url(self._href), self._etag, self._length)

    def open_header(self) -> DatasetReader:
        """The dataset once enough of the file's beginning is here for GDAL to know its blocks."""
        reach = HEADER
        self.fetch([(0, reach)])
        while True:
            reach = min(reach, self._length)
            try:
                dataset = rasterio.open(self.path, driver="GTiff")
            except RasterioError:
                if reach >= min(self._length, _LONGEST_HEADER):
                    raise
            else:
                too_large = max(dataset.shape) > _TILE_M // _SMALLEST_PIXEL_M  # its table of blocks would have no end
                if too_large or reach >= min(self._length, _LONGEST_HEADER) or _index_is_whole(dataset):
                    return dataset
                dataset.close()
            reach *= 4
            self.fetch([(0, reach)])

    def fetch(self, ranges: Iterable[Range]) -> None:
        """Make ``ranges`` present; what lies beyond the end of the file is ignored once its length is known."""
        for start, stop in _join(ranges):
            stop = min(stop, self._length) if self._length else stop
            if start < stop and not any(have[0] <= start and stop <= have[1] for have in self._have):
                self._get(start, stop)

    def check_deflated(self, start: int, stop: int, raw: int) -> None:
        """Inflate the block to its end: its checksum lies behind the last pixel, where GDAL does not read any more.

        Raises zlib.error, or Damaged when the block does not end, or not within ``raw`` bytes of pixels.
        """
        with self.path.open("rb") as handle:
            handle.seek(start)
            content = handle.read(stop - start)
        stream = zlib.decompressobj()
        stream.decompress(content, raw + 1)
        if not stream.eof:
            raise Damaged(
                f"{self.archive.name}: {self.facts.href} has a block that does not end; the archive's file is damaged.",
                self.fetched,
                file=self.facts,
            )

    def _get(self, start: int, stop: int) -> None:
        self._asked.append((start, stop))
        try:
            first, length, answer = self.archive.get_checked(
                self._href, lambda answer: self._checked(answer, start, stop), _range(start, stop)
            )
        except OutOfRange as error:
            ends = f"ends before its byte {start}" if start else "is empty"
            raise Damaged(
                f"{self.archive.name}: {self.facts.href} {ends}; the archive's file is damaged.",
                self.fetched,
                file=self.facts,
            ) from error
        self._hash.update(answer.body)
        if self._length and (length != self._length or answer.etag != self._etag):
            raise Damaged(f"{self.archive.name} replaced {answer.url} while it was read.")
        self._etag, self._length = answer.etag, length
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, length)
            os.pwrite(handle, answer.body, first)
        finally:
            os.close(handle)
        self._have.append((first, first + len(answer.body)))

    def _checked(self, answer: Answer, start: int, stop: int) -> tuple[int, int, Answer]:
        """First byte, length of the whole file, and the answer, when it is the range asked for of the same file."""
        first, length = _place(answer)
        if answer.status != 200 and (first != start or len(answer.body) != min(stop, length) - start):
            raise Damaged(f"{self.archive.name} sent another part of {answer.url} than was asked for.")
        return first, length, answer


def _place(answer: Answer) -> tuple[int, int]:
    """First byte of the answer and length of the whole file; Damaged when it does not say."""
    if answer.status == 200:
        return 0, len(answer.body)
    if (place := _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))) is None:
        raise Damaged(f"{answer.url} was answered without saying which bytes were sent.")
    if int(place["length"]) > _LARGEST_FILE:
        raise Damaged(f"{answer.url} is said to have {place['length']} bytes, which no band has.")
    return int(place["first"]), int(place["length"])


def _index_is_whole(dataset: DatasetReader) -> bool:
    """The table of blocks has entries up to its last two rows (the part that is not here yet reads as zeros)."""
    height, width = dataset.block_shapes[0]
    rows, columns = math.ceil(dataset.height / height), math.ceil(dataset.width / width)
    last = [(column, row) for row in range(max(rows - 2, 0), rows) for column in range(columns)]
    return any(dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1) for column, row in last)


def _join(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for start, stop in sorted(ranges):
        if joined and start <= joined[-1][1] + _GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined
