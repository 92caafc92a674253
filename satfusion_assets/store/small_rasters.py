"""Many small float rasters of one grid, written without opening a GDAL dataset for each.

A site's season is hundreds of GeoTIFFs that differ in nothing but pixels. Here the georeferencing is encoded once (by
GDAL, in memory), and ``tifffile`` writes each file with it, at half the cost of a dataset. Pixels are float32, one
plane a band, in one piece where they are small and in tiles of 512 x 512 else, with the floating-point predictor and
DEFLATE, the directory before the pixels as cloud-optimised readers want it. Equal inputs give equal bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import tifffile
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile

from satfusion_assets.store.manifest import FileRecord
from satfusion_assets.store.rasters import colours_of
from satfusion_assets.store.recent import RecentlyEncoded
from satfusion_assets.store.stacks import Images
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing

LARGEST_TILE: Final = 512
DEFLATE_LEVEL: Final = 6
"""By libdeflate, as ``imagecodecs`` has it; 9 is 1 % smaller, in twice the time."""
QUICK_LEVEL: Final = 1
"""For a season's hundreds of images: 1.4 % larger, in two thirds of the time."""
MOST_INFLATED: Final = 1100
"""Bytes that one byte of DEFLATE can become (RFC 1951: a match of 258 bytes takes 2 bits at the least), with a margin;
a file that says more is damaged, and no memory is taken for it."""
_UNREADABLE: Final = (
    tifffile.TiffFileError,
    ProductCorrupt,
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    struct.error,
)
"""What ``tifffile`` and its decoders raise over damaged files."""
_GEO_TAGS: Final = (33550, 33922, 34264, 34735, 34736, 34737)
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
_STRIP_OFFSETS, _STRIP_BYTE_COUNTS = 273, 279
_DEFLATE, _FLOATING_POINT = 8, 3
"""Numbers of the compression and of the predictor in a TIFF."""
_OF_BANDS: Final = re.compile(r"<Item [^>]*sample=[^>]*>[^<]*")
"""GDAL's metadata of a band: its name, colour and scale."""
_OF_BANDS_IN_BYTES: Final = re.compile(_OF_BANDS.pattern.encode())

Tag = tuple[int, int, int, Any, bool]
"""Number, type, count and value of a TIFF tag, and whether it is written once only, as ``tifffile`` takes them."""


@dataclass(frozen=True)
class _Encoded:
    """Rasters as they lie on the disk, by place in their stack."""

    contents: dict[int, bytes]

    def __len__(self) -> int:
        """Bytes of all."""
        return sum(map(len, self.contents.values()))


ENCODED: Final = RecentlyEncoded[_Encoded]()
"""Of this process."""


def write_rasters(
    paths: Sequence[Path],
    stack: Images,
    geobox: GeoBox,
    *,
    nodata: float = float("nan"),
    band_names: Sequence[str],
    scale: float = 1.0,
    tags: Sequence[Mapping[str, str]] | None = None,
    level: int = DEFLATE_LEVEL,
    made_of: Hashable = None,
    threads: int = 2,
) -> list[FileRecord]:
    """Write ``stack`` (p, b, H, W) as one GeoTIFF a day; returns size and hash of each file.

    paths: (p,), in existing folders; files there are overwritten. geobox: grid of every image. band_names: (b,).
    scale: of all bands, reflectance = value * scale. tags: (p,) metadata of each file. level: of DEFLATE. made_of: what
    the pixels are of, where that is known: rasters that are alike in all of this are encoded once. ValueError for
    shapes that do not fit.
    """
    _check(paths, stack, geobox, band_names, tags)
    alike = (made_of, stack.shape, geobox, str(nodata), *band_names, scale, *map(_said, tags or ()), level)
    held = ENCODED.get(alike) if made_of is not None else None
    contents = {} if held is None else held.contents
    options = _options(stack.shape[1:], level)
    shared = [*_geo_tags(geobox), _ascii(_GDAL_NODATA, _number(nodata).encode())]

    headers: dict[int, _Header] = {}

    def encoded(index: int) -> bytes:
        text = _metadata(band_names, scale, tags[index] if tags else {}).encode()
        header = headers.get(len(text))
        if header is not None:
            return header.around(text, stack[index], level)
        image = stack[index]
        written = BytesIO()
        tifffile.imwrite(
            written, image if len(image) > 1 else image[0], extratags=[*shared, _ascii(_GDAL_METADATA, text)], **options
        )
        whole = written.getvalue()
        if "rowsperstrip" in options and (header := _Header.of(whole)) is not None:
            headers[len(text)] = header
        return whole

    def write(index: int) -> FileRecord:
        content = contents.get(index) or encoded(index)
        if made_of is not None:
            contents[index] = content
        paths[index].write_bytes(content)
        return FileRecord.holding(content)

    with ThreadPoolExecutor(threads) as pool:
        records = list(pool.map(write, range(len(paths))))
    if contents:
        ENCODED.hold(alike, _Encoded(contents))
    return records


def read_rasters(paths: Sequence[Path], threads: int = 2) -> NDArray[Any]:
    """Pixels (p, b, H, W) of rasters of one shape and type, as they are stored.

    ProductMissing and ProductCorrupt name the file that is not there, not readable or unlike the first.
    """
    if not paths:
        raise ValueError("paths is empty; there is nothing to read.")
    first = _read(Path(paths[0]))
    stack = np.empty((len(paths), *first.shape), first.dtype)
    stack[0] = first
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(_read_into, stack), range(1, len(paths)), map(Path, paths[1:])))
    return stack


def header(path: Path) -> tuple[Any, ...]:
    """What a raster says of its grid, nodata, and its bands' names and scales; ProductCorrupt as ``read_rasters``."""
    try:
        with path.open("rb") as content, tifffile.TiffFile(content) as file:
            page = file.pages.first
            said = {tag.code: tag.value for tag in page.tags if tag.code in (*_GEO_TAGS, _GDAL_METADATA, _GDAL_NODATA)}
    except _UNREADABLE as error:
        raise ProductCorrupt(
            f"{path} cannot be read ({error}); materialise the product it belongs to again (--rebuild)."
        ) from error
    bands = _OF_BANDS.findall(str(said.pop(_GDAL_METADATA, "")))
    return page.shape, str(page.dtype), said, bands


def first_unlike(paths: Sequence[Path]) -> int | None:
    """Place of the first raster of ``paths`` whose ``header`` is not that of the one before all; None where all are
    alike. Of a raster that says the same in the same bytes nothing is parsed.
    """
    said, pattern = header(paths[0]), _Header.of(paths[0].read_bytes())
    for place, path in enumerate(paths[1:], 1):
        if not (pattern is not None and pattern.fits(path)) and header(path) != said:
            return place
    return None


@dataclass(frozen=True)
class _Header:
    """What stands before the pixels of a raster with one strip a band: images beside it differ in their metadata, and
    in where their strips lie. text, offsets, counts: where these stand. length: of the text. format: ``struct``'s, of
    the counts.
    """

    content: bytes
    text: int
    offsets: int
    counts: int
    length: int
    format: str

    @classmethod
    def of(cls, encoded: bytes) -> _Header | None:
        """The header of a raster as it is written here; None of one that is laid out otherwise."""
        with tifffile.TiffFile(BytesIO(encoded)) as file:
            page = file.pages.first
            if not {_GDAL_METADATA, _STRIP_OFFSETS, _STRIP_BYTE_COUNTS} <= {tag.code for tag in page.tags}:
                return None
            text, offsets, counts = (page.tags[code] for code in (_GDAL_METADATA, _STRIP_OFFSETS, _STRIP_BYTE_COUNTS))
            kind = f"<{counts.count}{'H' if counts.dtype == tifffile.DATATYPE.SHORT else 'I'}"
            start = page.dataoffsets[0]
            if any(tag.valueoffset + tag.valuebytecount > start for tag in page.tags):
                return None
        return cls(encoded[:start], text.valueoffset, offsets.valueoffset, counts.valueoffset, text.count, kind)

    def fits(self, path: Path) -> bool:
        """Whether the raster at ``path`` begins as this does, but for its own tags and where its strips lie."""
        try:
            with path.open("rb") as file:
                begin = file.read(len(self.content))
        except OSError:
            return False
        return self._plain(begin) == self._plain(self.content)

    def _plain(self, begin: bytes) -> tuple[bytes, list[bytes]]:
        """What all rasters with this header have in common: its bytes without those that differ, and its bands."""
        plain, text = bytearray(begin), begin[self.text : self.text + self.length]
        strips = struct.calcsize(self.format)
        numbers = strips // struct.calcsize(self.format[-1])
        for start, length in ((self.text, self.length), (self.offsets, 4 * numbers), (self.counts, strips)):
            plain[start : start + length] = bytes(length)
        return bytes(plain), _OF_BANDS_IN_BYTES.findall(text)

    def around(self, text: bytes, image: NDArray[np.float32], level: int) -> bytes:
        """The raster of ``image`` (b, H, W) with metadata ``text``, as long as that of the header."""
        compress, predict = tifffile.TIFF.COMPRESSORS[_DEFLATE], tifffile.TIFF.PREDICTORS[_FLOATING_POINT]
        strips = [compress(predict(np.ascontiguousarray(band), axis=-1), level=level) for band in image]
        counts = [len(strip) for strip in strips]
        header = bytearray(self.content)
        header[self.text : self.text + len(text)] = text
        starts = accumulate(counts[:-1], initial=len(header))
        struct.pack_into(f"<{len(strips)}I", header, self.offsets, *starts)
        struct.pack_into(self.format, header, self.counts, *counts)
        return b"".join([header, *strips])


def _check(
    paths: Sequence[Path],
    stack: Images,
    geobox: GeoBox,
    band_names: Sequence[str],
    tags: Sequence[Mapping[str, str]] | None,
) -> None:
    if stack.ndim != 4 or stack.dtype != np.float32:
        raise ValueError(f"stack must be (p, b, H, W) float32, not {stack.shape} {stack.dtype}.")
    count, bands, height, width = stack.shape
    if len(paths) != count or (tags is not None and len(tags) != count):
        raise ValueError(f"stack has {count} images; paths has {len(paths)}, tags has {len(tags or ())}.")
    if geobox.shape != (height, width):
        raise ValueError(f"geobox has shape {tuple(geobox.shape)}, stack has {(height, width)}.")
    if len(band_names) != bands:
        raise ValueError(f"band_names has {len(band_names)} names for {bands} bands.")


def _options(shape: Sequence[int], level: int) -> dict[str, Any]:
    """How pixels are laid out: one strip a band where a raster is small, since tiles are multiples of 16 and carry what
    lies beyond the edge."""
    bands, height, width = shape
    small = max(height, width) <= LARGEST_TILE
    tile = tuple(min(LARGEST_TILE, -(-size // 16) * 16) for size in (height, width))
    return {
        **({"rowsperstrip": height} if small else {"tile": tile}),
        "planarconfig": "separate" if bands > 1 else None,
        "photometric": "minisblack",
        "compression": "zlib",
        "compressionargs": {"level": level},
        "predictor": _FLOATING_POINT,
        "metadata": None,
        "software": False,
        "maxworkers": 1,
    }


def _geo_tags(geobox: GeoBox) -> list[Tag]:
    """Georeferencing as GDAL encodes it, taken from a raster of one pixel."""
    profile = {"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": "uint8"}
    with MemoryFile() as memory:
        with memory.open(**profile, crs=str(geobox.crs), transform=geobox.transform) as raster:
            raster.write(np.zeros((1, 1, 1), np.uint8))
        with tifffile.TiffFile(memory) as file:
            tags = file.pages.first.tags
            return [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags if tag.code in _GEO_TAGS]


def _metadata(band_names: Sequence[str], scale: float, tags: Mapping[str, str]) -> str:
    """GDAL's metadata document: the file's tags, then description and scale of each band; values are escaped twice."""
    items = [f"  <Item name={quoteattr(key)}>{_value(value)}</Item>\n" for key, value in sorted(tags.items())]
    colours = colours_of(band_names)
    for band, name in enumerate(band_names):
        items.append(f'  <Item name="DESCRIPTION" sample="{band}" role="description">{_value(name)}</Item>\n')
        if colours:
            items.append(
                f'  <Item name="COLORINTERP" sample="{band}" role="colorinterp">{colours[band].title()}</Item>\n'
            )
        if scale != 1:
            items.append(f'  <Item name="OFFSET" sample="{band}" role="offset">0</Item>\n')
            items.append(f'  <Item name="SCALE" sample="{band}" role="scale">{_number(scale)}</Item>\n')
    return f"<GDALMetadata>\n{''.join(items)}</GDALMetadata>\n"


def _said(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags.items()))


def _value(text: str) -> str:
    return escape(escape(text, {'"': "&quot;"}))


def _ascii(number: int, text: bytes) -> Tag:
    """A tag of text; ``tifffile`` ends it itself, and takes bytes where there is more than ASCII."""
    return (number, tifffile.DATATYPE.ASCII, 0, text, True)


def _read_into(stack: NDArray[Any], index: int, path: Path) -> None:
    image = _read(path)
    if image.shape != stack.shape[1:] or image.dtype != stack.dtype:
        raise ProductCorrupt(
            f"{path} holds {image.shape} {image.dtype}, its neighbours {stack.shape[1:]} {stack.dtype}; "
            "rasters read together must be alike."
        )
    stack[index] = image


def _read(path: Path) -> NDArray[Any]:
    """Pixels (b, H, W) as they are stored, whoever wrote them."""
    try:
        # Given a path, tifffile resolves it link by link, which takes as long as decoding a small raster.
        content = path.read_bytes()
        with tifffile.TiffFile(BytesIO(content)) as file:
            page = file.pages.first
            if page.nbytes > MOST_INFLATED * len(content):
                raise ProductCorrupt(f"it says {page.nbytes} bytes of pixels, more than it can hold")
            image: NDArray[Any] = page.asarray(maxworkers=1)
            return np.moveaxis(image, -1, 0) if page.axes.endswith("S") else image.reshape(-1, *image.shape[-2:])
    except FileNotFoundError as error:
        raise ProductMissing(f"{path} is missing; materialise the product it belongs to.") from error
    except _UNREADABLE as error:
        raise ProductCorrupt(
            f"{path} cannot be read ({error}); materialise the product it belongs to again (--rebuild)."
        ) from error


def _number(value: float) -> str:
    return "nan" if np.isnan(value) else f"{value:.17g}"
