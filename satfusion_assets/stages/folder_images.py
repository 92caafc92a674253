"""The prepared images of a folder: which days, on which grid, read window by window."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from satfusion_assets.errors import InvalidInput

_SCENE: Final = re.compile(r"S2A_MSIL2A_(\d{8})_(\w+)\.tif")
_COMPOSITE: Final = re.compile(r"composite_(\d{8})\.tif")


@dataclass(frozen=True)
class Rasters:
    """Rasters of one grid and band count, one a day, ascending."""

    paths: tuple[Path, ...]
    days: tuple[date, ...]
    geobox: GeoBox
    band_names: tuple[str, ...]

    def read(self, rows: slice, columns: slice, which: Sequence[int], threads: int) -> NDArray[np.float32]:
        """Pixels (k, b, rows, columns) of the rasters at positions ``which``; what a file calls nodata is NaN."""
        window = Window.from_slices(rows, columns)
        shape = (len(which), len(self.band_names), rows.stop - rows.start, columns.stop - columns.start)
        stack = np.empty(shape, np.float32)

        def read(slot: int) -> None:
            with rasterio.open(self.paths[which[slot]]) as raster:
                stack[slot] = _reflectance(raster, window)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(read, range(len(which))))
        return stack


@dataclass(frozen=True)
class FolderImages:
    """Scenes, their cloud distances and the coarse composites of a folder in the contract's layout."""

    scenes: Rasters
    distances: Rasters
    composites: Rasters
    ratio: int


def open_folder(folder: Path, product: str) -> FolderImages:
    """What ``folder`` holds for ``product`` (``REFL`` or ``GCC``).

    Pairs scenes and cloud distances by day. InvalidInput names the file that is missing, double, or on another grid.
    """
    scenes = _scenes(folder / "s2", product)
    distances = _scenes(folder / "s2", "DIST_CLOUD")
    for day, path in scenes.items():
        if day not in distances:
            raise InvalidInput(
                f"{path} has no {_scene_name(day, 'DIST_CLOUD')} beside it; write one or remove the scene."
            )
    composites = {
        _day(match[1]): path
        for path in sorted((folder / "s3").glob("*.tif"))
        if (match := _COMPOSITE.fullmatch(path.name))
    }
    for kind, place, found in (("scene", "s2", scenes), ("composite", "s3", composites)):
        if not found:
            raise InvalidInput(f"{folder / place} holds no {kind} for {product}; expected names are in the manual.")
    fine, coarse = _rasters(scenes), _rasters(composites)
    distance = _rasters({day: distances[day] for day in scenes})
    ratio = _ratio(fine, coarse)
    if distance.geobox.shape != coarse.geobox.shape:
        raise InvalidInput(
            f"{distance.paths[0]} must have the {tuple(coarse.geobox.shape)} pixels of {coarse.paths[0]}."
        )
    return FolderImages(fine, distance, coarse, ratio)


def _scenes(folder: Path, suffix: str) -> dict[date, Path]:
    found: dict[date, Path] = {}
    for path in sorted(folder.glob(f"*_{suffix}.tif")):
        match = _SCENE.fullmatch(path.name)
        if match and match[2] == suffix:
            found[_day(match[1])] = path
    return found


def _scene_name(day: date, suffix: str) -> str:
    return f"S2A_MSIL2A_{day:%Y%m%d}_{suffix}.tif"


def _day(text: str) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise InvalidInput(f"{text} in a file name is not a day; write it as YYYYMMDD.") from None


def _rasters(paths: Mapping[date, Path]) -> Rasters:
    days = tuple(sorted(paths))
    geobox, names = _grid(paths[days[0]])
    for day in days[1:]:
        other, other_names = _grid(paths[day])
        if other != geobox or len(other_names) != len(names):
            raise InvalidInput(f"{paths[day]} and {paths[days[0]]} differ in grid or bands; bring them onto one grid.")
    return Rasters(tuple(paths[day] for day in days), days, geobox, names)


def _grid(path: Path) -> tuple[GeoBox, tuple[str, ...]]:
    try:
        with rasterio.open(path) as raster:
            names = tuple(
                name or f"band {band}" for band, name in zip(raster.indexes, raster.descriptions, strict=True)
            )
            return GeoBox.from_rio(raster), names
    except rasterio.errors.RasterioIOError as error:
        raise InvalidInput(f"{path} cannot be read as a raster ({error}); write it again.") from error


def _ratio(fine: Rasters, coarse: Rasters) -> int:
    """Fine pixels per coarse pixel; both grids must begin at one corner and end at the other."""
    ratio = fine.geobox.shape[0] // coarse.geobox.shape[0]
    (height, width), (a, b) = coarse.geobox.shape, (box.affine for box in (coarse.geobox, fine.geobox))
    nested = (
        np.allclose(np.array(a[:6]) / [ratio, ratio, 1, ratio, ratio, 1], b[:6], rtol=0, atol=0.01) if ratio else False
    )
    if not nested or fine.geobox.shape != (height * ratio, width * ratio) or fine.geobox.crs != coarse.geobox.crs:
        raise InvalidInput(
            f"The grids of {fine.paths[0]} and {coarse.paths[0]} do not nest corner on corner by a whole ratio; "
            "resample the coarse images."
        )
    if len(fine.band_names) != len(coarse.band_names):
        raise InvalidInput(f"{fine.paths[0]} and {coarse.paths[0]} must have the same bands in the same order.")
    return ratio


def _reflectance(raster: rasterio.DatasetReader, window: Window) -> NDArray[np.float32]:
    values = raster.read(window=window)
    missing = values == raster.nodata if raster.nodata is not None else np.zeros(values.shape, bool)
    if values.dtype == np.uint16:
        missing |= values == np.iinfo(np.uint16).max  # saturated, as Level-2A products say it
    physical = values.astype(np.float32)
    if any(scale != 1 for scale in raster.scales) or any(raster.offsets):
        scales, offsets = (np.array(v, np.float32)[:, None, None] for v in (raster.scales, raster.offsets))
        physical = physical * scales + offsets
    physical[missing] = np.nan
    return physical
