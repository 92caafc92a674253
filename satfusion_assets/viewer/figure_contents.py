"""What a figure of one day shows, read from the store: the nearest image of every source, the curves, the camera."""

from __future__ import annotations

import re
import textwrap
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from PIL import Image
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject

from satfusion_assets.viewer import layout
from satfusion_assets.viewer.answers import SiteSeriesAnswer
from satfusion_assets.viewer.figure import Contents, DrawnCurve, Panel
from satfusion_assets.viewer.figure_order import STYLES, Order
from satfusion_assets.viewer.files import Fence
from satfusion_assets.viewer.rasters import index_of, physical, read_frame, read_tags
from satfusion_assets.viewer.series import site_series
from satfusion_assets.vocabulary.errors import InvalidInput, ProductCorrupt, ProductMissing
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.links import Stage
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site

_SHOWN: Final[dict[layout.Source, tuple[str, str, str]]] = {
    "fused": ("Fused", "-", "#0072b2"),
    "s2": ("Sentinel-2", "o", "#d55e00"),
    "s3": ("Sentinel-3", "+", "#999999"),
}
"""Name, mark and colour of a source's curve; colours of Okabe and Ito (2008), told apart with every colour vision."""
_PANELS: Final[tuple[layout.Source, ...]] = ("s2", "fused", "s3")
_CAMERA: Final = ("Camera gcc_90", "-", "#009e73")
_SCL_NOTHING: Final = 0
"""Class "no data" of Sentinel-2's scene classification: the sensor did not look."""
_LETTERS_PER_MM: Final = 0.95
"""Of the notes' 5.5 pt, in the mean of the font."""


def contents_of(fence: Fence, site: Site, season: int, scenario: Scenario, stage: Stage, order: Order) -> Contents:
    """All that the order's figure shows; ProductMissing where the stage has no image at all."""
    folder = fence.season(site.name, season)
    grid = site_grid(site)
    bounds = grid.fine.extent.boundingbox
    found = {source: _nearest(fence, folder, layout.folder(stage, source, scenario), order.day) for source in _SHOWN}
    there = {source: file for source, file in found.items() if file is not None}
    if not there:
        raise ProductMissing(
            f"There is no image of {site.name} {season} at stage {stage}; materialise it, then reload."
        )
    panels = [_panel(fence, folder, source, *there[source], order) for source in _PANELS if source in there]
    said = [text for _, path in there.values() for text in read_tags(path).get("SOURCES", "").split(" | ") if text]
    return Contents(
        title=f"{site.name} {season}, {order.day.isoformat()}: {STYLES[order.style].label}",
        panels=panels,
        box=(bounds.left, bounds.right, bounds.bottom, bounds.top),
        curves=_curves(site_series(fence, site, season, scenario, stage), "ndvi" if order.style == "ndvi" else "gcc"),
        quantity="NDVI at the site" if order.style == "ndvi" else "GCC at the site",
        season=season,
        photo=_photo(fence, folder, order.day),
        notes=_notes(
            f"Scenario {scenario.key}, stage {stage}, EPSG:{grid.epsg}, days are UTC.",
            " | ".join(dict.fromkeys(said)),
            order.width_mm,
        ),
    )


def _nearest(fence: Fence, folder: Path, product: layout.Folder | None, day: date) -> tuple[date, Path] | None:
    if product is None:
        return None
    here = folder / product.path
    days = sorted((_day(found["day"]), name) for name in fence.listed(here) if (found := product.names.fullmatch(name)))
    if not days:
        return None
    nearest, name = min(days, key=lambda item: (abs(item[0] - day), item[0]))
    fence.bring([here / name])
    return nearest, fence.real(here / name)


def _day(compact: str) -> date:
    return date(int(compact[:4]), int(compact[4:6]), int(compact[6:8]))


def _panel(fence: Fence, folder: Path, source: layout.Source, day: date, path: Path, order: Order) -> Panel:
    frame = read_frame(path, path.name)
    bands, style = physical(frame), STYLES[order.style]
    if style.bands and len(bands) < 4:
        raise InvalidInput(f"{style.label} cannot be made of an image of GCC alone; ask for style=gcc.")
    values = np.moveaxis(bands[list(style.bands)], 0, -1) if style.is_colour else None
    if values is None:
        values = bands[style.bands[0]] if style.bands else index_of(bands, order.style)
    a, _, west, _, e, north = frame.header["transform"]
    height, width = values.shape[:2]
    missing = ~(np.isfinite(values) if values.ndim == 2 else np.isfinite(values).all(axis=-1))
    masked = missing & _observed(fence, folder, day, frame.header) if source == "s2" else np.zeros_like(missing)
    extent = (west, west + a * width, north + e * height, north)
    return Panel(f"{_SHOWN[source][0]}, {day.isoformat()}", values, masked, extent)


def _observed(fence: Fence, folder: Path, day: date, header: dict[str, Any]) -> np.ndarray:
    """Where Sentinel-2 looked on ``day`` by its scene classification; nowhere without one."""
    looked = np.zeros((header["height"], header["width"]), bool)
    names = re.compile(rf"{day:%Y%m%d}_\d+\.(?:geotiff|tiff?)")
    here = folder / "raw" / "scl"
    files = [here / name for name in fence.listed(here) if names.fullmatch(name)]
    fence.bring(files)
    for file in files:
        classes = np.zeros(looked.shape, np.uint8)
        try:
            with rasterio.open(fence.real(file)) as dataset:
                reproject(
                    rasterio.band(dataset, 1),
                    classes,
                    dst_transform=rasterio.Affine(*header["transform"]),
                    dst_crs=dataset.crs,
                    resampling=Resampling.nearest,
                )
        except RasterioError as error:
            raise ProductCorrupt(f"{file.name} is not a readable raster ({error}); materialise it again.") from error
        looked |= classes != _SCL_NOTHING
    return looked


def _curves(series: SiteSeriesAnswer, key: str) -> list[DrawnCurve]:
    curves = []
    for source, (label, mark, colour) in _SHOWN.items():
        found = series["sources"].get(source) or {}
        if found.get(key) and any(value is not None for value in found[key]):
            deviation = _column(found["gcc_sd"]) if key == "gcc" and found.get("gcc_sd") else None
            name = f"{label} (90 % band)" if deviation is not None else label
            curves.append(DrawnCurve(name, _days(found["date"]), _column(found[key]), mark, colour, deviation))
    camera = series["camera"]
    if key == "gcc" and camera["date"]:
        label, mark, colour = _CAMERA
        curves.append(DrawnCurve(label, _days(camera["date"]), _column(camera["gcc"]), mark, colour))
    return curves


def _days(texts: list[str]) -> list[date]:
    return [date.fromisoformat(text[:10]) for text in texts]


def _column(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values])


def _photo(fence: Fence, folder: Path, day: date) -> tuple[str, np.ndarray] | None:
    found = _nearest(fence, folder, layout.Folder(layout.PHOTOS, layout.PHOTO), day)
    if found is None:
        return None
    try:
        with Image.open(found[1]) as picture:
            picture.thumbnail((1600, 1600))
            return f"Camera, {found[0].isoformat()}", np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise ProductCorrupt(f"{found[1].name} is not a readable picture; fetch it again.") from error


def _notes(what: str, sources: str, width_mm: float) -> list[str]:
    """Lines below the figure: what it is of, and what its archives say of their data, that it is synthetic for one."""
    synthetic = "SYNTHETIC DATA. " if "synthetic" in sources.lower() else ""
    said = f" Data: {sources}" if sources else ""
    return textwrap.wrap(f"{synthetic}{what}{said}", int(width_mm * _LETTERS_PER_MM))
