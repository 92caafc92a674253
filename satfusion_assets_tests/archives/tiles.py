"""Tiles, scenes and the bucket that holds them, like the archive's."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

import httpx
import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

from satfusion_assets.archives.earth_search import Scene, scene_from_item
from satfusion_assets.archives.earth_search.cog import Layer
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES, item

METADATA = gzip.decompress((FIXTURES / "S2A_12RWT_20240106_0_L2A.granule_metadata.xml.gz").read_bytes())
SITE = Site(name="innsbruck", latitude=47.116171, longitude=11.320308)
GRID: SiteGrid = site_grid(SITE)
TEN_M = Layer("uint16", 10)
TILE_CORNER = (660_000, 5_240_040)
"""Upper left corner of the part of tile 32TPT that the tests have."""
HERE = Affine(10, 0, 670_000, 0, -10, 5_225_000)


def cog(values: np.ndarray, pixel: int, corner: tuple[int, int] = TILE_CORNER, crs: str = "EPSG:32632") -> bytes:
    """A COG like the archive's: tiled, compressed, header first."""
    with MemoryFile() as memory:
        with memory.open(
            driver="COG", count=1, height=values.shape[0], width=values.shape[1], dtype=values.dtype, crs=crs,
            transform=Affine(pixel, 0, corner[0], 0, -pixel, corner[1]), nodata=0, blocksize=512, compress="deflate",
        ) as dataset:  # fmt: skip
            dataset.write(values, 1)
        return bytes(memory.read())


class Bucket:
    """Files by name with Range, as object stores answer; remembers what was asked."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name not in self.files:
            return httpx.Response(404)
        body = self.files[name]
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if span is None:
            return httpx.Response(200, content=body, headers={"ETag": '"v1"'})
        if int(span[1]) >= len(body):
            return httpx.Response(416, headers={"Content-Range": f"bytes */{len(body)}"})
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}", "ETag": '"v1"'}
        return httpx.Response(206, content=body[first : last + 1], headers=headers)


def tile(pixel: int, size: int = 40_000) -> np.ndarray:
    """A tile whose every pixel says where it is: 1 + (column + 7 * row) modulo 5000, in units of ``pixel``."""
    row, column = np.indices((size // pixel, size // pixel))
    return ((column + 7 * row) % 5000 + 1).astype(np.uint16)


def scene(**properties: object) -> Scene:
    raw = item("S2A_32TMS_20221207_0_L2A")
    raw["properties"] |= properties
    return scene_from_item(raw)


def files(dn: int = 300, scl: int = 4) -> dict[str, bytes]:
    """A scene of even colour over the site's surroundings, B02 .. B8A = dn, 2 dn, 3 dn, 4 dn."""
    corner = (660_000, 5_235_000)
    bands = {"B02": dn, "B03": 2 * dn, "B04": 3 * dn}
    made = {f"{name}.tif": cog(np.full((3000, 3000), value, np.uint16), 10, corner) for name, value in bands.items()}
    made["B8A.tif"] = cog(np.full((1500, 1500), 4 * dn, np.uint16), 20, corner)
    made["SCL.tif"] = cog(np.full((1500, 1500), scl, np.uint8), 20, corner)
    made["granule_metadata.xml"] = b"<cut off"
    return made


def georeferenced(values: np.ndarray, transform: Affine, crs: str = "EPSG:32632", **options: object) -> bytes:
    """A tiled GeoTIFF that may be what no COG of the archive is."""
    with MemoryFile() as memory:
        profile = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate"}
        count, (height, width) = (1, values.shape) if values.ndim == 2 else (len(values), values.shape[1:])
        with memory.open(
            **profile | options,
            count=count,
            height=height,
            width=width,
            dtype=values.dtype,
            crs=crs,
            transform=transform,
        ) as dataset:
            dataset.write(values, None if values.ndim == 3 else 1)
        return bytes(memory.read())
