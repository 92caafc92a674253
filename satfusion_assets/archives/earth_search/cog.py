"""A window of a remote Cloud-Optimised GeoTIFF: our HTTP fetches the bytes, GDAL only decodes them.

GDAL's own network layer keeps one failed answer for the life of the process, ignores Retry-After, does not retry
cut-off ranges and has returned blank pixels for failed ones. Here the header is fetched first; GDAL names the blocks
that the window needs; their byte ranges are fetched, joined where they touch, into a sparse local file. Deflated blocks
are inflated to their end for their checksum, and are then the pixels (``blocks``); GDAL reads those of other forms.
That is two requests a band as a rule, and every byte was asked for and has arrived.
"""

from __future__ import annotations

import math
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import sleep
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.session import DummySession
from rasterio.windows import Window

from satfusion_assets.archives.earth_search.blocks import BlockForm, Blocks, assemble, block_form
from satfusion_assets.archives.earth_search.ranges import Beginning, Damaged, FetchedBytes, FileFacts, Range, SparseFile
from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.resampling import Patch
from satfusion_assets.archives.retry import public_url

_ENV: Final = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": 64}
_SAME: Final = 3
"""Equal downloads that prove a damaged file."""
PAD: Final = 2
"""Source pixels read around the target, so that interpolation has neighbours at the edge."""

_UTM_ZONES: Final = frozenset([*range(32601, 32661), *range(32701, 32761)])
"""EPSG codes that Sentinel-2 tiles lie in."""
_TILE_M: Final = 109_800
"""Side of a tile, metres."""
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
class RemotePatch:
    """Pixels around a target with the facts of their file; patch is None where the file does not reach.

    fetched: the bytes that they were read from. beginning: those of the header.
    """

    patch: Patch | None
    facts: FileFacts
    fetched: FetchedBytes
    beginning: Beginning


def read_around(
    archive: HttpArchive, href: str, target: GeoBox, layer: Layer, beginning: Beginning | None = None
) -> RemotePatch:
    """The native pixels of ``href``, which must be ``layer``, that cover ``target`` and a rim of two.

    beginning: of the file, when it is here from before. Raises ArchiveUnavailable, NotFound, or Damaged when the file
    stays unreadable: it is fetched anew as often as the retry policy allows, or until it has come three times with the
    same bytes.
    """
    seen: list[FetchedBytes | None] = []
    while True:
        try:
            return _read_once(archive, href, target, layer, beginning)
        except Damaged as error:
            beginning = None
            seen.append(error.fetched)
            stable = len(seen) >= _SAME and len(set(seen[-_SAME:])) == 1 and error.fetched is not None
            if stable or len(seen) >= archive.policy.attempts:
                raise Damaged(str(error), error.fetched, stable=stable, file=error.file) from error
            sleep(archive.policy.wait_s(len(seen)))


def _read_once(
    archive: HttpArchive, href: str, target: GeoBox, layer: Layer, beginning: Beginning | None
) -> RemotePatch:
    with (
        tempfile.NamedTemporaryFile(prefix="satfusion-", suffix=".tif") as local,
        rasterio.Env(DummySession(), **_ENV),
    ):
        file = SparseFile(archive, href, Path(local.name), beginning)
        try:
            patch = _read_window(file, target, layer)
        except (RasterioError, zlib.error, OverflowError) as error:
            raise Damaged(
                f"{archive.name}: {public_url(href)} is not a readable GeoTIFF; the archive's file is damaged.",
                file.fetched,
                file=file.facts,
            ) from error
        return RemotePatch(patch, file.facts, file.fetched, file.beginning)


def _read_window(file: SparseFile, target: GeoBox, layer: Layer) -> Patch | None:
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
        blocks = dict(_blocks(dataset, window))
        form = block_form(dataset, layer.dtype)
        geobox = GeoBox((window.height, window.width), dataset.window_transform(window), CRS(dataset.crs.to_wkt()))
    if wrong := _misplaced(list(blocks.values()), form.bytes):
        raise Damaged(f"{file.archive.name}: {file.facts.href} {wrong}.", file.fetched, file=file.facts)
    file.fetch(blocks.values())
    inflated = {place: file.inflate(*block, form.bytes) for place, block in blocks.items()} if form.deflated else {}
    return Patch(_pixels(file, form, inflated, window), geobox)


def _pixels(file: SparseFile, form: BlockForm, inflated: Blocks, window: Window) -> NDArray[Any]:
    if not form.plain:
        with rasterio.open(file.path, driver="GTiff") as dataset:
            return np.asarray(dataset.read(1, window=window))
    try:
        return assemble(inflated, form, (window.row_off, window.col_off, window.height, window.width))
    except ValueError as error:
        raise Damaged(
            f"{file.archive.name}: {file.facts.href} {error}; the archive's file is damaged.",
            file.fetched,
            file=file.facts,
        ) from error


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


def _blocks(dataset: DatasetReader, window: Window) -> Iterator[tuple[tuple[int, int], Range]]:
    """Row and column of each block that ``window`` needs, with its bytes."""
    height, width = dataset.block_shapes[0]
    for row in range(window.row_off // height, (window.row_off + window.height - 1) // height + 1):
        for column in range(window.col_off // width, (window.col_off + window.width - 1) // width + 1):
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1)
            size = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1)
            if offset and size:  # absent: a sparse block, all nodata
                yield (row, column), (int(offset), int(offset) + int(size))
