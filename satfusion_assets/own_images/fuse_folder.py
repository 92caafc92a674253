"""Fusing a folder of prepared images of any size, block by block, in bounded memory.

Blocks are whole rows of coarse pixels. Each is fused for all days at once and goes into uncompressed rasters below
``fusion/.partial``; a journal beside them lists what is done, so that an interrupted run goes on where it stopped. At
the end the rasters become cloud-optimised GeoTIFFs under their own names.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window

from satfusion_assets.fusion.efast import FusionPlan, Parameters, Status
from satfusion_assets.fusion.efast.blocks import Block, blocks
from satfusion_assets.fusion.efast.compiled import available_threads
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import Hyperparameters
from satfusion_assets.own_images.folder_images import FolderImages, LeftOutFile, open_folder
from satfusion_assets.own_images.kriged import learn, learning_block, plan_block, seen_window
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method

logger = logging.getLogger(__name__)

GIGABYTE: Final = 10**9
_INTERPRETER_BYTES: Final = 350_000_000
"""Python, its libraries, GDAL and compiled code."""
_GDAL_CACHE_MB: Final = 128

Progress = Callable[[int, int], None]
"""Called with the number of finished blocks and of all blocks."""


@dataclass(frozen=True)
class FuseFolder:
    """What to fuse, and within which means.

    folder: holds ``s2``, ``s3`` and, afterwards, ``fusion``. days: prediction days. product: ``REFL`` or ``GCC``.
    memory_bytes: what the process may use. method: EFAST, or kriging, which takes none of the following and writes the
    standard deviation of every day beside it. Others: ``Parameters``.
    """

    folder: Path
    days: tuple[date, ...]
    product: str = "REFL"
    method: Method = Method.EFAST
    sigma: float = 20.0
    max_days: float = 30
    cloud_distance_limit: float = 15.0
    minimum_acquisition_importance: float = 0.0
    memory_bytes: int = 2 * GIGABYTE
    threads: int = field(default_factory=available_threads)


@dataclass(frozen=True)
class FolderFused:
    """What was made. paths: (p,) of the fused images, after them of their deviations where there are any; status: (p,)
    one word a day; blocks: how many were computed in this run; left_out: files of the folder that took no part."""

    paths: tuple[Path, ...]
    status: tuple[Status, ...]
    blocks: int
    left_out: tuple[LeftOutFile, ...] = ()


def fuse_folder(order: FuseFolder, progress: Progress = lambda done, total: None) -> FolderFused:
    """Fuse ``order.days`` into ``fusion/{product}_{YYYYMMDD}.tif``, deviations into ``fusion/{product}_SD_...``.

    InvalidInput names files that do not fit, parameters out of range, and a memory limit too small for one row of
    coarse pixels.
    """
    images = open_folder(order.folder, order.product)
    try:
        parameters = Parameters(
            images.ratio,
            order.sigma,
            order.max_days,
            order.cloud_distance_limit,
            order.minimum_acquisition_importance,
        )
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    if not order.days:
        raise InvalidInput("No days to predict; name at least one.")
    used = _used(images, order)
    height, width = images.composites.geobox.shape
    plan = list(blocks(height, width, _rows(images, order, len(used[0])), width))
    with rasterio.Env(GDAL_CACHEMAX=_GDAL_CACHE_MB):
        partial = _Partial.open(order, images, len(plan))
        status = _fuse_blocks(order, images, parameters, used, plan, partial, progress)
        paths = partial.finish(order, images)
    return FolderFused(paths, status, len(plan) - partial.found, images.left_out)


def _fuse_blocks(
    order: FuseFolder,
    images: FolderImages,
    parameters: Parameters,
    used: tuple[list[int], list[int]],
    plan: Sequence[Block],
    partial: _Partial,
    progress: Progress,
) -> tuple[Status, ...]:
    days = np.array(order.days, "datetime64[D]")
    settings = _learned(images, used, order) if order.method is Method.KRIGING else None

    def fuse_block(index: int, block: Block) -> None:
        size = images.scenes.geobox.shape
        fine = block.fine(images.ratio) if settings is None else seen_window(block, images.ratio, size, settings)
        read = _read(images, block, fine, used, order.threads)
        if settings is None:
            top, left = block.halo
            fused = FusionPlan(read, top * images.ratio, left * images.ratio, order.threads).fuse(days, parameters)
            made = list(fused.values)
        else:
            fused = plan_block(read, fine, block, images.ratio, settings, order.threads).fuse(days)
            # One after the other: together in one array they would lie in memory twice.
            made = [*fused.values, *fused.quality.standard_deviation]
        partial.write(index, made, Window.from_slices(*block.fine(images.ratio)), fused.status)
        logger.info("Fused block %d of %d.", index + 1, len(plan))

    for index, block in enumerate(plan):
        if index not in partial.done:
            # In a function of its own, so that a block's images are gone before the next one's are read.
            fuse_block(index, block)
        progress(index + 1, len(plan))
    return partial.status(len(order.days))


def _learned(images: FolderImages, used: tuple[list[int], list[int]], order: FuseFolder) -> Hyperparameters:
    block = learning_block(*images.composites.geobox.shape)
    read = _read(images, block, block.fine(images.ratio), used, order.threads)
    return learn(read, block, images.ratio)


def _read(
    images: FolderImages,
    block: Block,
    window: tuple[slice, slice],
    used: tuple[list[int], list[int]],
    threads: int,
) -> Images:
    """The images of one block, coarse ones with their halo, fine ones of ``window``."""
    scenes, composites = used
    wide = (block.wide_rows, block.wide_columns)
    fine = images.scenes.read(*window, scenes, threads)
    distance = images.distances.read(*wide, scenes, threads)[:, 0]
    coarse = images.composites.read(*wide, composites, threads)
    fine_days = np.array([images.scenes.days[i] for i in scenes], "datetime64[D]").astype(np.int64)
    coarse_days = np.array([images.composites.days[i] for i in composites], "datetime64[D]").astype(np.int64)
    return Images(coarse, coarse_days, fine, fine_days, np.arange(len(scenes)), distance)


def _used(images: FolderImages, order: FuseFolder) -> tuple[list[int], list[int]]:
    """Positions of the scenes that any prediction day can use, and of all composites, which serve scene days too."""
    reach = math.inf if order.method is Method.KRIGING else order.max_days
    scenes = [i for i, day in enumerate(images.scenes.days) if any(abs((day - p).days) < reach for p in order.days)]
    return scenes, list(range(len(images.composites.days)))


def _rows(images: FolderImages, order: FuseFolder, scenes: int) -> int:
    """Rows of coarse pixels a block may have within the memory limit."""
    bands, ratio = len(images.scenes.band_names), images.ratio
    height, width = images.composites.geobox.shape
    # Scenes, one band's worth of reading buffers per thread, and the fused days, all float32.
    fine_row = 4 * ratio * width * ratio * (bands * (scenes + len(_names(order))) + 3 * bands * order.threads)
    coarse_row = 8 * width * (bands * (len(images.composites.days) + scenes + 2 * len(order.days)) + scenes)
    halo = 2 * coarse_row
    rows = int((order.memory_bytes - _INTERPRETER_BYTES - halo - _GDAL_CACHE_MB * 10**6) // (fine_row + coarse_row))
    if rows < 1:
        needed = (_INTERPRETER_BYTES + halo + _GDAL_CACHE_MB * 10**6 + fine_row + coarse_row) / GIGABYTE
        raise InvalidInput(f"memory_bytes is too small for one row of coarse pixels; give at least {needed:.1f} GB.")
    return min(rows, height)


def _names(order: FuseFolder) -> list[str]:
    """Files that are made: an image a day, and by kriging as many of deviations."""
    kinds = (order.product, f"{order.product}_SD") if order.method is Method.KRIGING else (order.product,)
    return [f"{kind}_{day:%Y%m%d}.tif" for kind in kinds for day in order.days]


class _Partial:
    """Unfinished rasters and the journal of the blocks that are in them."""

    def __init__(self, folder: Path, names: list[str], journal: dict[str, Any]) -> None:
        self.folder = folder
        self.names = names
        self._journal = journal
        self.found = len(self.done)

    @classmethod
    def open(cls, order: FuseFolder, images: FolderImages, count: int) -> _Partial:
        """Go on with an interrupted run of the same order on the same files, or begin anew."""
        folder = order.folder / "fusion" / ".partial"
        names = _names(order)
        fingerprint = _fingerprint(order, images, count)
        try:
            journal = json.loads((folder / "journal.json").read_text())
        except (FileNotFoundError, ValueError):
            journal = {}
        if isinstance(journal, dict) and journal.get("fingerprint") == fingerprint:
            return cls(folder, names, journal)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        box = images.scenes.geobox
        for name in names:
            profile = {
                "driver": "GTiff",
                "height": box.shape[0],
                "width": box.shape[1],
                "count": len(images.scenes.band_names),
                "dtype": "float32",
                "crs": str(box.crs),
                "transform": box.transform,
                "nodata": np.nan,
                "interleave": "band",
                "bigtiff": "if_safer",
            }
            with rasterio.open(folder / name, "w", **profile) as raster:
                raster.descriptions = images.scenes.band_names
        return cls(folder, names, {"fingerprint": fingerprint, "blocks": {}})

    @property
    def done(self) -> set[int]:
        return {int(index) for index in self._journal["blocks"]}

    def write(self, index: int, values: Sequence[np.ndarray], window: Window, status: tuple[Status, ...]) -> None:
        for name, image in zip(self.names, values, strict=True):
            with rasterio.open(self.folder / name, "r+") as raster:
                raster.write(image, window=window)
        self._journal["blocks"][str(index)] = list(status)
        new = self.folder / "journal.new"
        new.write_text(json.dumps(self._journal))
        new.replace(self.folder / "journal.json")

    def status(self, days: int) -> tuple[Status, ...]:
        """A day is as good as its best block."""
        best = (Status.OK, Status.NO_FINE, Status.NO_COARSE)
        words = [[Status(block[day]) for block in self._journal["blocks"].values()] for day in range(days)]
        return tuple(min(day, key=best.index) for day in words)

    def finish(self, order: FuseFolder, images: FolderImages) -> tuple[Path, ...]:
        """The rasters under their names, cloud-optimised."""
        target = order.folder / "fusion"
        options = {"compress": "deflate", "predictor": "yes", "level": 1, "bigtiff": "if_safer"}
        for name in self.names:
            new = self.folder / f"{name}.new"
            copy_raster(self.folder / name, new, driver="COG", num_threads=order.threads, **options)
            new.replace(target / name)
        shutil.rmtree(self.folder)
        return tuple(target / name for name in self.names)


def _fingerprint(order: FuseFolder, images: FolderImages, count: int) -> str:
    """Digest of everything that the unfinished rasters depend on."""
    files = [
        (str(path), path.stat().st_size, path.stat().st_mtime_ns)
        for rasters in (images.scenes, images.distances, images.composites)
        for path in rasters.paths
    ]
    text = json.dumps([asdict(order), count, files], default=str)
    return hashlib.sha256(text.encode()).hexdigest()
