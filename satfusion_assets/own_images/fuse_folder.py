"""Fusing a folder of prepared images of any size, block by block, in bounded memory.

Blocks are whole rows of coarse pixels. Each is fused for all days at once and is kept below ``fusion/.partial``, or in
a bucket that several hosts share (``block_files``), so that an interrupted run goes on where it stopped, on any host.
At the end blocks become cloud-optimised GeoTIFFs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import random
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.session import DummySession
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window

from satfusion_assets.fusion.efast import FusionPlan, Parameters, Status
from satfusion_assets.fusion.efast.blocks import Block, blocks
from satfusion_assets.fusion.efast.compiled import available_threads
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import Hyperparameters
from satfusion_assets.own_images.block_files import FusedBlocks
from satfusion_assets.own_images.folder_images import (
    FolderImages,
    LeftOutFile,
    mask_beside,
    open_folder,
    statistics_beside,
)
from satfusion_assets.own_images.kriged import learn, learning_block, plan_block, seen_window
from satfusion_assets.own_images.units import refuse_two_units
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.leases import LEASE, discard_unless_in_use, exclusive, lease
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method

logger = logging.getLogger(__name__)

GIGABYTE: Final = 10**9
_INTERPRETER_BYTES: Final = 350_000_000
"""Python, its libraries, GDAL and compiled code."""
_KRIGING_BYTES: Final = 150_000_000
"""What kriging takes beside a block's images: more compiled code, and the sums of the rows it is at."""
_GDAL_CACHE_MB: Final = 128
_LOCKS: Final = ".fuse"
"""Where the lock files of the runs on a folder lie."""
_ASSEMBLED: Final = ".assembled-"
"""How the folder begins in which images are put together."""
_NO_VALUES: Final = ("folder", "memory_bytes", "threads", "blocks")
"""Fields of an order that change no value."""

Progress = Callable[[int, int], None]
"""Called with the number of finished blocks and of all blocks."""


@dataclass(frozen=True)
class FuseFolder:
    """What to fuse, and within which means.

    folder: holds ``s2``, ``s3`` and, afterwards, ``fusion``. days: prediction days. product: ``REFL`` or ``GCC``.
    memory_bytes: what the process may use. blocks: where finished blocks are kept, ``s3://bucket/prefix`` or a folder,
    for hosts that have the same images and fuse them together; by default in ``folder`` until all is done. method:
    EFAST, or kriging, which takes none of the following and writes the standard deviation of every day beside it.
    Others: ``Parameters``.
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
    blocks: str | None = None


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
    refuse_two_units(images, order.threads)
    height, width = images.composites.geobox.shape
    own = order.folder / "fusion" / ".partial"
    digest = _fingerprint(order, images)
    rows = _rows(images, order, len(used[0]))
    with _leased(own / digest, order.folder / _LOCKS / "blocks"):
        finished = FusedBlocks(Blobs(order.blocks or str(own)), digest)
        plan = list(blocks(height, width, finished.rows(rows), width))
        with rasterio.Env(DummySession(), GDAL_CACHEMAX=_GDAL_CACHE_MB, COG_TMP_COMPRESSION="NONE"):
            made = _fuse_blocks(order, images, parameters, used, plan, finished, progress)
            # Alone: of two orders that write the same names, the images and deviations of one are there at the end.
            with exclusive(order.folder / _LOCKS / "images"):
                paths = _assemble(order, images, plan, finished)
        status = _best(finished, len(plan), len(order.days))
    return FolderFused(paths, status, made, images.left_out)


def _fuse_blocks(
    order: FuseFolder,
    images: FolderImages,
    parameters: Parameters,
    used: tuple[list[int], list[int]],
    plan: Sequence[Block],
    finished: FusedBlocks,
    progress: Progress,
) -> int:
    """Fuse what is not finished; how many blocks that were."""
    days = np.array(order.days, "datetime64[D]")
    settings = _learned(images, used, order) if order.method is Method.KRIGING else None

    def fuse_block(index: int, block: Block) -> None:
        size = images.scenes.geobox.shape
        fine = block.fine(images.ratio) if settings is None else seen_window(block, images.ratio, size, settings)
        read = _read(images, block, fine, used, order.threads)
        if settings is None:
            top, left = block.halo
            fused = FusionPlan(read, top * images.ratio, left * images.ratio, order.threads).fuse(days, parameters)
            values, status, made = fused.values, fused.status, list(fused.values)
        else:
            planned = plan_block(read, fine, block, images.ratio, settings, order.threads)
            numbers = days.astype(np.int64)
            surface = planned.surface(numbers)
            # One after the other: together in one array they would lie in memory twice.
            values, status, made = surface.values, planned.status(numbers), [*surface.values, *surface.deviation]
        status = _of_values(status, values, read)
        finished.add(index, dict(zip(_names(order), made, strict=True)), status)
        logger.info("Fused block %d of %d.", index + 1, len(plan))

    choice = random.Random(uuid.uuid4().int)
    count = 0
    progress(len(finished.done()), len(plan))
    while missing := sorted(set(range(len(plan))) - finished.done()):
        # Alone in their order; hosts that go the same way would make the same blocks side by side.
        index = choice.choice(missing) if order.blocks else missing[0]
        # In a function of its own, so that a block's images are gone before the next one's are read.
        fuse_block(index, plan[index])
        count += 1
        progress(len(plan) - len(missing) + 1, len(plan))
    return count


def _of_values(status: Sequence[Status], values: NDArray[np.floating[Any]], read: Images) -> tuple[Status, ...]:
    """The words (p,) of the days of a block, in which a day without any value is not fused, as where one composite
    alone says nothing of a change. values: (p, b, H, W)."""
    why = Status.NO_COARSE if any(np.isfinite(image).any() for image in read.fine) else Status.NO_FINE
    known = [bool(np.isfinite(image).any()) for image in values]
    return tuple(why if word is Status.OK and not some else word for word, some in zip(status, known, strict=True))


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
    for image in (*fine, *coarse):  # One by one, for the memory. A distance may be infinite: no cloud at all.
        image[np.isinf(image)] = np.nan
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
    beside = _INTERPRETER_BYTES + _GDAL_CACHE_MB * 10**6 + 2 * coarse_row
    beside += _KRIGING_BYTES if order.method is Method.KRIGING else 0
    rows = int((order.memory_bytes - beside) // (fine_row + coarse_row))
    if rows < 1:
        needed = (beside + fine_row + coarse_row) / GIGABYTE
        raise InvalidInput(f"memory_bytes is too small for one row of coarse pixels; give at least {needed:.1f} GB.")
    return min(rows, height)


def _names(order: FuseFolder) -> list[str]:
    """Files that are made: an image a day, and by kriging as many of deviations."""
    kinds = (order.product, f"{order.product}_SD") if order.method is Method.KRIGING else (order.product,)
    return [f"{kind}_{day:%Y%m%d}.tif" for kind in kinds for day in order.days]


def _best(finished: FusedBlocks, count: int, days: int) -> tuple[Status, ...]:
    """A day is as good as its best block."""
    best = (Status.OK, Status.NO_FINE, Status.NO_COARSE)
    words = [finished.status(block) for block in range(count)]
    return tuple(min((block[day] for block in words), key=best.index) for day in range(days))


def _assemble(
    order: FuseFolder, images: FolderImages, plan: Sequence[Block], finished: FusedBlocks
) -> tuple[Path, ...]:
    """The rasters of all blocks under their names, cloud-optimised; one at a time, which lies on the disk twice."""
    target, box, bands = order.folder / "fusion", images.scenes.geobox, images.scenes.band_names
    profile = {
        "driver": "GTiff",
        "height": box.shape[0],
        "width": box.shape[1],
        "count": len(bands),
        "dtype": "float32",
        "crs": None if box.crs is None else str(box.crs),
        "transform": box.transform,
        "nodata": np.nan,
        "interleave": "band",
        "bigtiff": "if_safer",
    }
    options = {
        "compress": "zstd",
        "predictor": "yes",
        "level": 1,
        "overview_resampling": "average",
        "bigtiff": "if_safer",
    }
    for left in target.glob(f"{_ASSEMBLED}*"):  # of one that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_ASSEMBLED, dir=target) as folder:
        for name in _names(order):
            plain, new = Path(folder) / name, Path(folder) / f"{name}.new"
            with rasterio.open(plain, "w", **profile) as raster:
                raster.descriptions = bands
                raster.update_tags(METHOD=order.method.value)
                for index, block in enumerate(plan):
                    window = Window.from_slices(*block.fine(images.ratio))
                    raster.write(finished.values(index, name, (len(bands), window.height, window.width)), window=window)
            copy_raster(plain, new, driver="COG", num_threads=order.threads, **options)
            new.replace(target / name)
            statistics_beside(target / name).unlink(missing_ok=True)
            plain.unlink()
    for name in set(_names(replace(order, method=Method.KRIGING))) - set(_names(order)):
        (target / name).unlink(missing_ok=True)  # An image's deviation is of the image that was there before.
    return tuple(target / name for name in _names(order))


@contextmanager
def _leased(folder: Path, lock: Path) -> Iterator[None]:
    """A block with ``folder`` for an order's finished blocks, which nobody takes away meanwhile.

    Whoever has it last deletes it behind the block, unless that ends with an error. What lies beside it of runs that
    are not at work any more, of another order or on other files, goes as well. InvalidInput where the disk refuses.
    """
    try:
        with exclusive(lock):
            for left in folder.parent.glob("*"):
                if left.name != folder.name:
                    discard_unless_in_use(left) if left.is_dir() else left.unlink()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / LEASE).touch()
            held = lease(folder)
    except OSError as error:
        raise InvalidInput(f"{error.filename} cannot be written ({error.strerror}); make it writable.") from error
    with held:
        yield
    with exclusive(lock):
        discard_unless_in_use(folder)
        with suppress(OSError):  # another order's blocks are still in it
            folder.parent.rmdir()


def _fingerprint(order: FuseFolder, images: FolderImages) -> str:
    """Digest of everything that a block's values depend on, the same on hosts that have the same files."""
    files = [
        (str(path.relative_to(order.folder)), path.stat().st_size, path.stat().st_mtime_ns)
        for rasters in (images.scenes, images.distances, images.composites)
        for image in rasters.paths
        for path in (image, mask_beside(image))
        if path.exists()
    ]
    asked = {name: value for name, value in asdict(order).items() if name not in _NO_VALUES}
    return hashlib.sha256(json.dumps([asked, files], default=str).encode()).hexdigest()
