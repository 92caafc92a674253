"""Where a site's piece of the world lies: UTM zone, MGRS tile, pixel lattices and the cells of the landscape.

The world of one site is a square of about 12.6 km. Its inner part is made of 10 m cells, the rest of 60 m cells:
what lies that far out is only needed for cloud masks and wide point spreads, and blocks of equal pixels compress well.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from satfusion_assets.vocabulary.sites import Site

FloatArray = npt.NDArray[np.float32]

STEP: Final = 60
"""Tile origins are multiples of this, as in the Sentinel-2 tiling grid, so 10, 20 and 60 m pixels nest."""
OUTER: Final = 6
"""Side of an outer cell in 10 m pixels."""

_BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS: Final = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"


def zone_of(longitude: float, latitude: float) -> int:
    """UTM zone number of a point, with the exceptions of Norway and Svalbard, as Sentinel-2's tiles."""
    zone = math.floor((longitude + 180) / 6) % 60 + 1
    if 56 <= latitude < 64 and zone == 31 and longitude >= 3:
        return 32
    if latitude >= 72 and zone in (32, 34, 36):
        return zone - 1 if longitude < 6 * zone - 183 else zone + 1
    return zone


def epsg_of(zone: int, latitude: float) -> int:
    return (32600 if latitude >= 0 else 32700) + zone


@lru_cache(maxsize=64)
def transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def seed_sequence(*parts: int | str) -> np.random.SeedSequence:
    """Entropy that depends on nothing but the parts (never on Python's salted hash)."""
    return np.random.SeedSequence([zlib.crc32(p.encode()) if isinstance(p, str) else abs(int(p)) for p in parts])


def generator(*parts: int | str) -> np.random.Generator:
    return np.random.default_rng(seed_sequence(*parts))


@dataclass(frozen=True)
class Tile:
    """One square of 10 m pixels in a UTM zone, with the name of the MGRS square that its centre lies in."""

    zone: int
    latitude_band: str
    square: str
    epsg: int
    west: int
    north: int
    size: int
    """10 m pixels a side; a multiple of 6."""

    @property
    def name(self) -> str:
        """As in item ids: ``32TPT``."""
        return f"{self.zone:02d}{self.latitude_band}{self.square}"

    @property
    def south(self) -> int:
        return self.north - 10 * self.size

    @property
    def east(self) -> int:
        return self.west + 10 * self.size

    def transform(self, resolution: int) -> tuple[int, int, int, int, int, int]:
        """Affine coefficients a..f of the tile at ``resolution`` metres."""
        return (resolution, 0, self.west, 0, -resolution, self.north)

    def corners(self) -> list[tuple[float, float]]:
        """Corners in metres, counter-clockwise from the north-west."""
        return [
            (self.west, self.north),
            (self.west, self.south),
            (self.east, self.south),
            (self.east, self.north),
        ]

    def lonlat(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Points of the tile's CRS in degrees."""
        x, y = transformer(self.epsg, 4326).transform([p[0] for p in points], [p[1] for p in points])
        return list(zip(x, y, strict=True))


def tile_at(longitude: float, latitude: float, zone: int, half: int) -> Tile:
    """The tile of half-width ``half`` metres around a point, in a given zone."""
    epsg = epsg_of(zone, latitude)
    east, north = transformer(4326, epsg).transform(longitude, latitude)
    band = _BANDS[min(19, max(0, math.floor((latitude + 80) / 8)))]
    column = _COLUMNS[(zone - 1) % 3][min(7, max(0, int(east // 100_000) - 1))]
    row = _ROWS[(int(north % 2_000_000) // 100_000 + (5 if zone % 2 == 0 else 0)) % 20]
    size = 2 * math.ceil(half / STEP) * OUTER
    origin_west = round((east - 5 * size) / STEP) * STEP
    origin_north = round((north + 5 * size) / STEP) * STEP
    return Tile(zone, band, column + row, epsg, origin_west, origin_north, size)


@dataclass(frozen=True)
class Cells:
    """The cells of one site's world: 10 m in the core, 60 m around it; numbered core first, row by row."""

    tile: Tile
    core: int
    """First 10 m row and column of the core; the core is centred, so it ends at ``size - core``."""

    @classmethod
    def of(cls, site: Site) -> Cells:
        """Cells around a site: room for a cloud mask of 4.5 km around its grid, detail under its grid."""
        half = max(6300, site.extent_m // 2 + 4800)
        inner = max(1800, site.extent_m // 2 + 420)
        tile = tile_at(site.longitude, site.latitude, zone_of(site.longitude, site.latitude), half)
        return cls(tile, tile.size // 2 - math.ceil(inner / STEP) * OUTER)

    @property
    def core_size(self) -> int:
        return self.tile.size - 2 * self.core

    @cached_property
    def _outer(self) -> npt.NDArray[np.bool_]:
        """Which 60 m blocks lie outside the core."""
        blocks = np.ones((self.tile.size // OUTER,) * 2, bool)
        inner = slice(self.core // OUTER, (self.tile.size - self.core) // OUTER)
        blocks[inner, inner] = False
        return blocks

    @cached_property
    def count(self) -> int:
        return self.core_size**2 + int(self._outer.sum())

    @cached_property
    def coordinates(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Easting and northing of every cell's centre."""
        line = np.arange(self.core, self.core + self.core_size) * 10.0 + 5
        rows, columns = np.nonzero(self._outer)
        x = np.concatenate([np.tile(line, self.core_size), columns * 60.0 + 30])
        y = np.concatenate([np.repeat(line, self.core_size), rows * 60.0 + 30])
        return self.tile.west + x, self.tile.north - y

    @cached_property
    def lookup(self) -> npt.NDArray[np.int32]:
        """(size, size): the cell of every 10 m pixel of the tile."""
        return self.expand(np.arange(self.count, dtype=np.int32))

    def expand(self, values: npt.NDArray[Any], step: int = 1) -> npt.NDArray[Any]:
        """Cell values as an image of ``step`` x 10 m pixels (1 or 2; for 2 the core is averaged, labels: see sub)."""
        inner = values[: self.core_size**2].reshape(self.core_size, self.core_size)
        if step == 2:
            inner = inner.reshape(self.core_size // 2, 2, self.core_size // 2, 2).mean(axis=(1, 3))
        return self._place(inner, values[self.core_size**2 :], step)

    def coarse(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Cell values on the 20 m cells: core averaged 2 x 2, outer cells kept."""
        inner = values[: self.core_size**2].reshape(self.core_size // 2, 2, self.core_size // 2, 2)
        return np.concatenate([inner.mean(axis=(1, 3)).ravel(), values[self.core_size**2 :]])

    def first(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Labels on the 20 m cells: the north-west 10 m cell speaks for the four."""
        inner = values[: self.core_size**2].reshape(self.core_size, self.core_size)[::2, ::2]
        return np.concatenate([inner.ravel(), values[self.core_size**2 :]])

    def expand_coarse(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of 20 m cells as an image of 20 m pixels."""
        side = self.core_size // 2
        return self._place(values[: side * side].reshape(side, side), values[side * side :], 2)

    def _place(self, inner: npt.NDArray[Any], outer: npt.NDArray[Any], step: int) -> npt.NDArray[Any]:
        blocks = np.zeros(self._outer.shape, outer.dtype)
        blocks[self._outer] = outer
        image = blocks.repeat(OUTER // step, axis=0).repeat(OUTER // step, axis=1)
        window = slice(self.core // step, (self.tile.size - self.core) // step)
        image[window, window] = inner
        return image
