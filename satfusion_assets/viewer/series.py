"""Curves: the site's series as published, and the season of any pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from pyproj import Transformer

from satfusion_assets.errors import InvalidInput
from satfusion_assets.grid import site_grid
from satfusion_assets.scenarios import SERIES_BANDS, Scenario
from satfusion_assets.sites import Site
from satfusion_assets.viewer import layout
from satfusion_assets.viewer.files import Fence, read_json_if_there
from satfusion_assets.viewer.links import Stage
from satfusion_assets.viewer.pack import PixelLayer, read_pixel
from satfusion_assets.viewer.rasters import index_of, read_window

SITE_WINDOW: Final = 3
"""Side in pixels of the window at the site from which the series of the contract are sampled."""
_READERS: Final = 4
_VALUES: Final = ("ndvi", "gcc", *SERIES_BANDS)
_SOURCES: Final[tuple[layout.Source, ...]] = ("s2", "fused", "s3")

Series = dict[str, list[Any]]
"""Columns ``date``, ``ndvi``, ``gcc``, ``b02`` ... of one source, None where missing."""


def site_series(fence: Fence, site: Site, season: int, scenario: Scenario, stage: Stage) -> dict[str, Any]:
    """Series of all sources at the site for ``stage``, and the camera's.

    Processed series are those published; the others are sampled from the rasters in the same 3x3 window.
    """
    folder = fence.season(site.name, season)
    if stage == "processed":
        sources: dict[str, Series] = {str(source): _published(fence, folder, scenario, source) for source in _SOURCES}
        origin = "published series"
    else:
        sources = _sampled(fence, folder, scenario, stage, _marker(site), SITE_WINDOW)
        origin = "3x3 pixels of the rasters"
    return {"sources": sources, "origin": origin, **_camera(fence, folder)}


def pixel_season(
    fence: Fence, site: Site, season: int, scenario: Scenario, stage: Stage, east: float, north: float
) -> dict[str, Any]:
    """The season of the pixel at (east, north): from the pack for processed products, else from the rasters."""
    folder = fence.season(site.name, season)
    pack = folder / layout.PACK.format(scenario=scenario.key)
    origin = "GeoTIFFs"
    layers: dict[str, PixelLayer] | None = None
    if stage in {"processed", "fusion"} and pack.is_dir():
        layers = read_pixel(pack, fence.relative(pack), east, north, 1)
        origin = "pack"
    sources: dict[str, Series]
    if layers is not None:
        sources = {str(name): _columns(layers[name].days, layers[name].values) for name in _SOURCES if name in layers}
        for name in layers.keys() - set(_SOURCES):
            _attach(sources.get("fused"), name, layers[name])
    else:
        sources = _sampled(fence, folder, scenario, stage, (east, north), 1)
    to_degrees = Transformer.from_crs(site_grid(site).epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(east, north)
    if not any(sources.get(name, {}).get("date") for name in _SOURCES):
        raise InvalidInput(f"The point ({east:.0f}, {north:.0f}) lies outside every raster of this stage.")
    return {"sources": sources, "origin": origin, "longitude": longitude, "latitude": latitude}


def _marker(site: Site) -> tuple[float, float]:
    epsg = site_grid(site).epsg
    east, north = Transformer.from_crs(4326, epsg, always_xy=True).transform(site.longitude, site.latitude)
    return east, north


def _published(fence: Fence, folder: Path, scenario: Scenario, source: layout.Source) -> Series:
    rows: dict[str, dict[str, Any]] = {}
    for name in layout.series_files(scenario, source):
        for row in read_json_if_there(folder / name, fence.relative(folder / name)) or []:
            merged = rows.setdefault(str(row["date"])[:10], {})
            merged.update({"gcc": row["greenness_index"]} if "greenness_index" in row else row)
    days = sorted(rows)
    return {"date": days, **{key: [rows[day].get(key) for day in days] for key in _VALUES}}


def _sampled(
    fence: Fence, folder: Path, scenario: Scenario, stage: Stage, place: tuple[float, float], side: int
) -> dict[str, Series]:
    products = {source: layout.folder(stage, source, scenario) for source in _SOURCES}
    with ThreadPoolExecutor(_READERS) as pool:
        found: dict[str, list[tuple[str, np.ndarray | None]]] = {
            str(source): list(pool.map(lambda item: (item[0], read_window(item[1], item[1].name, *place, side)), files))
            for source, product in products.items()
            if product is not None and (files := list(_daily(folder, product)))
        }
    return {source: _stack(rows) for source, rows in found.items()}


def _daily(folder: Path, product: layout.Folder) -> Iterable[tuple[str, Path]]:
    here = folder / product.path
    names = sorted(path.name for path in here.iterdir()) if here.is_dir() else []
    for name in names:
        if found := product.names.fullmatch(name):
            day = found["day"]
            yield f"{day[:4]}-{day[4:6]}-{day[6:]}", here / name


def _stack(rows: list[tuple[str, np.ndarray | None]]) -> Series:
    inside = [(day, values) for day, values in rows if values is not None]
    if not inside:
        return {"date": []}
    return _columns([day for day, _ in inside], np.stack([values for _, values in inside]))


def _columns(days: list[str], values: np.ndarray) -> Series:
    """Bands (t, b) as columns with the indices; one band is GCC."""
    columns = {"gcc": index_of(values.T, "gcc")}
    if values.shape[1] >= 4:
        columns["ndvi"] = index_of(values.T, "ndvi")
        columns |= dict(zip(SERIES_BANDS, values.T, strict=False))
    return {"date": days, **{key: rounded(column) for key, column in columns.items()}}


def _attach(fused: Series | None, name: str, layer: PixelLayer) -> None:
    """Put a quality layer beside the fused series, day by day; a layer of several bands gets a column each."""
    if fused is None:
        return
    for number, band in enumerate(layer.bands):
        column = dict(zip(layer.days, rounded(layer.values[:, number]), strict=True))
        key = name if len(layer.bands) == 1 else f"{name}_{band}"
        fused[key] = [column.get(day) for day in fused["date"]]


def _camera(fence: Fence, folder: Path) -> dict[str, Any]:
    photos = folder / layout.PHOTOS
    years = read_json_if_there(photos / "phenocam_gcc_3y.json", fence.relative(photos / "phenocam_gcc_3y.json"))
    season = read_json_if_there(photos / "phenocam_gcc.json", fence.relative(photos / "phenocam_gcc.json"))
    rows = sorted((str(row["date"])[:10], row.get("greenness_index")) for row in season or years or [])
    transitions = photos / "phenocam_phenology.json"
    return {
        "camera": {"date": [day for day, _ in rows], "gcc": [value for _, value in rows]},
        "transitions": read_json_if_there(transitions, fence.relative(transitions)),
    }


def rounded(column: np.ndarray) -> list[float | None]:
    """Six digits after the point are more than any sensor has; None for missing."""
    return [round(float(value), 6) if math.isfinite(value) else None for value in column]
