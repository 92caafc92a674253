"""The prepared images of a folder: which days, on which grid, read window by window."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rasterio.windows import Window

from satfusion_assets.store.rasters import local_raster
from satfusion_assets.vocabulary.errors import InvalidInput

logger = logging.getLogger(__name__)

PRODUCTS: Final = ("REFL", "GCC")
"""What can be fused; the ending of the scenes' names."""
_DISTANCE: Final = "DIST_CLOUD"
_FULL_NAME: Final = r"T\d{6}_N\d{4}_R\d{3}_T\d{2}[A-Z]{3}_\d{8}T\d{6}(?:\.SAFE)?"
"""What follows the day in the name of a Level-2A product (Sentinel-2 Products Specification, naming convention)."""
_SCENE: Final = re.compile(
    rf"(?P<product>S2[A-D]_MSIL2A_(?P<day>\d{{8}})(?:{_FULL_NAME})?)_(?P<suffix>{'|'.join((*PRODUCTS, _DISTANCE))})"
    r"\.(?i:tiff?)",
    re.ASCII,
)
_COMPOSITE: Final = re.compile(r"composite_(?P<day>\d{8})\.(?i:tiff?)", re.ASCII)
_SAME_PLACE: Final = 0.01
"""Pixels that two corners may be apart; computed coordinates are off by less than a millionth."""
_MASK: Final = ".msk"
_STATISTICS: Final = ".aux.xml"
_BESIDE: Final = (_STATISTICS, ".ovr", _MASK)
"""What GDAL writes beside a raster."""


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
            path = self.paths[which[slot]]
            try:
                with local_raster(path) as raster:
                    stack[slot] = _reflectance(raster, window)
            except rasterio.errors.RasterioError as error:
                raise InvalidInput(f"{path} is damaged or cut off ({error}); write it again.") from error

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(read, range(len(which))))
        return stack


@dataclass(frozen=True)
class LeftOutFile:
    """A file of the folder that takes no part, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FolderImages:
    """Scenes, their cloud distances and the coarse composites of a folder in the contract's layout.

    left_out: every file of ``s2`` and ``s3`` that is none of them, but for those of other products.
    """

    scenes: Rasters
    distances: Rasters
    composites: Rasters
    ratio: int
    left_out: tuple[LeftOutFile, ...] = ()


@dataclass(frozen=True)
class _Named:
    """A file whose name is understood. product: what comes before the suffix, the same for scene and distance."""

    path: Path
    day: date
    product: str
    suffix: str


def mask_beside(image: Path) -> Path:
    """Where GDAL keeps the mask of an image that has none inside."""
    return image.with_name(image.name + _MASK)


def statistics_beside(image: Path) -> Path:
    """Where GDAL and QGIS keep the statistics of an image."""
    return image.with_name(image.name + _STATISTICS)


def open_folder(folder: Path, product: str) -> FolderImages:
    """What ``folder`` holds for ``product`` (``REFL`` or ``GCC``); files that take no part are named in the log.

    Pairs scenes and cloud distances by product and day. InvalidInput names the file that is missing, double, or on
    another grid.
    """
    if product not in PRODUCTS:
        raise InvalidInput(f"{product!r} cannot be fused; name one of {', '.join(PRODUCTS)}.")
    named, strange = _named(folder / "s2", _SCENE)
    composites_named, strange_composites = _named(folder / "s3", _COMPOSITE)
    scenes = _one_a_day([one for one in named if one.suffix == product])
    distances = [one for one in named if one.suffix == _DISTANCE]
    composites = _one_a_day(composites_named)
    used = {day: _distance_of(one, distances) for day, one in scenes.items()}
    left_out = (*strange, *strange_composites, *_without_scene(named, distances, used))
    for one in left_out:
        logger.warning("%s takes no part: %s.", one.path, one.reason)
    for kind, place, found in (("scene", "s2", scenes), ("composite", "s3", composites)):
        if not found:
            raise InvalidInput(
                f"{folder / place} holds no {kind} for {product}; names are like S2A_MSIL2A_20240615_{product}.tif in "
                f"s2 and composite_20240615.tif in s3{_for_example(left_out)}."
            )
    fine, coarse = _rasters(_paths(scenes)), _rasters(_paths(composites))
    _refuse_pictures((*fine.paths, *coarse.paths))
    distance = _rasters(_paths(used))
    ratio = _ratio(fine, coarse)
    if distance.geobox.shape != coarse.geobox.shape or not _same_ground(distance.geobox, coarse.geobox):
        raise InvalidInput(
            f"{distance.paths[0]} must have the {tuple(coarse.geobox.shape)} pixels of {coarse.paths[0]}, "
            f"at their place."
        )
    return FolderImages(fine, distance, coarse, ratio, left_out)


def _named(folder: Path, pattern: re.Pattern[str]) -> tuple[list[_Named], list[LeftOutFile]]:
    """The files of ``folder`` whose names are understood, and the others; hidden ones and GDAL's own are neither."""
    named: list[_Named] = []
    strange: list[LeftOutFile] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith(_BESIDE):
            continue
        found = pattern.fullmatch(path.name)
        if found is None:
            strange.append(LeftOutFile(path, "its name is not understood"))
            continue
        parts = found.groupdict()
        named.append(_Named(path, _day(parts["day"]), parts.get("product", ""), parts.get("suffix", "")))
    return named, strange


def _one_a_day(named: Sequence[_Named]) -> dict[date, _Named]:
    """By day; InvalidInput names two files of one day."""
    found: dict[date, _Named] = {}
    for one in named:
        other = found.setdefault(one.day, one)
        if other is not one:
            raise InvalidInput(
                f"{other.path} and {one.path.name} are of one day; merge them into one image, or keep one of them."
            )
    return found


def _distance_of(scene: _Named, distances: Sequence[_Named]) -> _Named:
    """The cloud distance of the same product, else the only one of that day."""
    of_the_day = [one for one in distances if one.day == scene.day]
    same = [one for one in of_the_day if one.product == scene.product]
    if len(same or of_the_day) == 1:
        return (same or of_the_day)[0]
    name = f"{scene.product}_{_DISTANCE}.tif"
    if not of_the_day:
        raise InvalidInput(f"{scene.path} has no {name} beside it; write one or remove the scene.")
    others = " and ".join(one.path.name for one in same or of_the_day)
    raise InvalidInput(f"{scene.path} could have the cloud distances {others}; keep one, named {name}.")


def _without_scene(
    named: Sequence[_Named], distances: Sequence[_Named], used: Mapping[date, _Named]
) -> list[LeftOutFile]:
    """Cloud distances that belong to no scene, of this product or the other one."""
    paired = {one.product for one in named if one.suffix != _DISTANCE} | {one.product for one in used.values()}
    return [LeftOutFile(one.path, "there is no scene of its name") for one in distances if one.product not in paired]


def _paths(named: Mapping[date, _Named]) -> dict[date, Path]:
    return {day: one.path for day, one in named.items()}


def _for_example(left_out: Sequence[LeftOutFile]) -> str:
    return f" ({left_out[0].path}: {left_out[0].reason})" if left_out else ""


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
    """Grid and bands of an image."""
    try:
        with local_raster(path) as raster:
            names = tuple(
                name or f"band {band}" for band, name in zip(raster.indexes, raster.descriptions, strict=True)
            )
            return GeoBox.from_rio(raster), names
    except rasterio.errors.RasterioError as error:
        raise InvalidInput(f"{path} cannot be read as a raster ({error}); write it again.") from error


def _refuse_pictures(paths: Sequence[Path]) -> None:
    """InvalidInput names an image of 8 bits without a scale, or of complex numbers: neither is reflectance or GCC."""
    for path in paths:
        with local_raster(path) as raster:
            narrow = any(np.dtype(one).itemsize == 1 for one in raster.dtypes if not one.startswith("complex"))
            if (narrow and set(raster.scales) == {1.0}) or any(one.startswith("complex") for one in raster.dtypes):
                raise InvalidInput(
                    f"{path} holds {raster.dtypes[0]}, as pictures and class maps do; give measurements as float32, or "
                    f"as whole numbers with their scale."
                )


def _ratio(fine: Rasters, coarse: Rasters) -> int:
    """Fine pixels per coarse pixel; both grids must begin at one corner and end at the other."""
    ratio = fine.geobox.shape[0] // coarse.geobox.shape[0]
    height, width = coarse.geobox.shape
    if fine.geobox.shape != (height * ratio, width * ratio) or not _same_ground(fine.geobox, coarse.geobox):
        raise InvalidInput(
            f"The grids of {fine.paths[0]} and {coarse.paths[0]} do not nest corner on corner by a whole ratio; "
            "resample the coarse images."
        )
    if len(fine.band_names) != len(coarse.band_names):
        raise InvalidInput(f"{fine.paths[0]} and {coarse.paths[0]} must have the same bands in the same order.")
    if sorted(fine.band_names) == sorted(coarse.band_names) and fine.band_names != coarse.band_names:
        raise InvalidInput(
            f"{fine.paths[0]} has the bands {', '.join(fine.band_names)}, {coarse.paths[0]} has them in another order; "
            f"bring both into one."
        )
    return ratio


def _same_ground(one: GeoBox, other: GeoBox) -> bool:
    """Whether the corners of two grids are the same places, to a hundredth of a pixel of ``one`` whatever its unit."""
    height, width = other.shape
    corners = [~one.affine * (other.affine * corner) for corner in ((0, 0), (width, 0), (0, height))]
    expected = [(0, 0), (one.shape[1], 0), (0, one.shape[0])]
    return bool(one.crs == other.crs and np.allclose(corners, expected, rtol=0, atol=_SAME_PLACE))


def _reflectance(raster: rasterio.DatasetReader, window: Window) -> NDArray[np.float32]:
    values = raster.read(window=window)
    missing = _marked_missing(raster, values, window)
    if values.dtype == np.uint16:
        missing |= values == np.iinfo(np.uint16).max  # saturated, as Level-2A products say it
    physical = values.astype(np.float32)
    if any(scale != 1 for scale in raster.scales) or any(raster.offsets):
        scales, offsets = (np.array(v, np.float32)[:, None, None] for v in (raster.scales, raster.offsets))
        physical = physical * scales + offsets
    physical[missing] = np.nan
    return physical


def _marked_missing(raster: rasterio.DatasetReader, values: NDArray[Any], window: Window) -> NDArray[np.bool_]:
    """Where each band holds its own nodata (they differ in a virtual raster), or the file's mask says so.

    An alpha band is no mask: tools that write a fourth band as alpha do so with near infrared as well.
    """
    missing = np.zeros(values.shape, bool)
    for band, nodata in enumerate(raster.nodatavals):
        if nodata is not None:
            missing[band] = values[band] == nodata
    if any(MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in raster.mask_flag_enums):
        missing |= raster.read_masks(window=window) == 0
    return missing
