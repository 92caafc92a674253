"""A remote file in part: the byte ranges that were asked for and came, in a sparse local file of its length."""

from __future__ import annotations

import hashlib
import math
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from satfusion_assets.archives.http import Answer, HttpArchive, NotFound, OutOfRange
from satfusion_assets.archives.retry import public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid

HEADER: Final = 32 * 1024
"""Bytes fetched first; holds the header of every Sentinel-2 COG seen."""
_LONGEST_HEADER: Final = 2 * 1024 * 1024
_GAP: Final = 16 * 1024
"""Ranges closer than this are fetched as one."""
_LARGEST_FILE: Final = 2**31
"""Bytes; the largest band has an eighth of that."""
_MOST_PIXELS: Final = 10_980
"""To a side of a tile's largest raster: 109 800 m in pixels of 10 m."""
_CONTENT_RANGE: Final = re.compile(r"bytes (?P<first>\d{1,19})-\d{1,19}/(?P<length>\d{1,19})", re.ASCII)

Range = tuple[int, int]
"""First byte and the byte after the last."""


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


@dataclass(frozen=True)
class Beginning:
    """The beginning of a remote file as it came. content: its first bytes. length: of the whole file."""

    content: bytes
    etag: str | None
    length: int


class SparseFile:
    """A local file of the remote one's length that holds the ranges fetched so far.

    beginning: what is known of it from before, which is then not asked for again.
    """

    def __init__(self, archive: HttpArchive, href: str, path: Path, beginning: Beginning | None = None) -> None:
        self.archive = archive
        self.path = path
        self._href = href
        self._etag: str | None = None
        self._length = 0
        self._have: list[Range] = []
        self._asked: list[Range] = []
        self._hash = hashlib.sha256()
        self._header = HEADER
        if beginning is not None:
            self._etag, self._length = beginning.etag, beginning.length
            self._asked.append((0, len(beginning.content)))
            self._keep(0, beginning.content)

    @property
    def beginning(self) -> Beginning:
        """The bytes that ``open_header`` needed, however many came."""
        with self.path.open("rb") as handle:
            return Beginning(handle.read(self._header), self._etag, self._length)

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
            reach = self._header = min(reach, self._length)
            try:
                dataset = rasterio.open(self.path, driver="GTiff")
            except RasterioError:
                if reach >= min(self._length, _LONGEST_HEADER):
                    raise
            else:
                too_large = max(dataset.shape) > _MOST_PIXELS  # its table of blocks would have no end
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

    def inflate(self, start: int, stop: int, raw: int) -> bytes:
        """The block, inflated to its end: its checksum lies behind the last pixel, where GDAL does not read any more.

        Raises zlib.error, or Damaged when the block does not end, or not within ``raw`` bytes of pixels.
        """
        with self.path.open("rb") as handle:
            handle.seek(start)
            content = handle.read(stop - start)
        stream = zlib.decompressobj()
        pixels = stream.decompress(content, raw + 1)
        if not stream.eof:
            raise Damaged(
                f"{self.archive.name}: {self.facts.href} has a block that does not end; the archive's file is damaged.",
                self.fetched,
                file=self.facts,
            )
        return pixels

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
        if self._length and (length != self._length or answer.etag != self._etag):
            raise Damaged(f"{self.archive.name} replaced {answer.url} while it was read.")
        self._etag, self._length = answer.etag, length
        self._keep(first, answer.body)

    def _keep(self, first: int, content: bytes) -> None:
        self._hash.update(content)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, self._length)
            os.pwrite(handle, content, first)
        finally:
            os.close(handle)
        self._have.append((first, first + len(content)))

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
