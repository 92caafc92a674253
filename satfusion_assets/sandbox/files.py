"""Files of the sandbox: written beside their place and moved there whole, so that a reader never sees half of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy.typing as npt
import rasterio
from affine import Affine

from satfusion_assets.sandbox.geometry import Tile

_BLOCK: Final = 256


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when the block succeeds and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    with publish(path) as partial:
        partial.write_bytes(content)


def write_cog(path: Path, image: npt.NDArray[Any], tile: Tile, resolution: int) -> None:
    """A single-band cloud-optimised GeoTIFF: DEFLATE, tiled, with overviews, nodata 0, no scale and no offset."""
    # One overview halves a tile this small to what a screen shows; more of them cost as much as the image itself.
    overviews = {"OVERVIEW_COUNT": 1, "OVERVIEW_RESAMPLING": "NEAREST"}
    options = {"BLOCKSIZE": _BLOCK, "COMPRESS": "DEFLATE", "PREDICTOR": "YES", "LEVEL": 1, **overviews}
    with (
        publish(path) as partial,
        rasterio.open(
            partial,
            "w",
            driver="COG",
            height=image.shape[0],
            width=image.shape[1],
            count=1,
            dtype=image.dtype,
            crs=f"EPSG:{tile.epsg}",
            transform=Affine(*tile.transform(resolution)),
            nodata=0,
            **options,
        ) as target,
    ):
        target.write(image, 1)


def damage(content: bytes) -> bytes:
    """A copy whose pixel data are overwritten in the middle: the header opens, the blocks do not decode."""
    start, stop = len(content) // 4, len(content) * 19 // 20
    return content[:start] + b"\xa5" * (stop - start) + content[stop:]
