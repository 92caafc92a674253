"""Curves: the site's series as published, and the season of any pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from pyproj import Transformer

from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_GCC, PHENOCAM_GCC_3Y
from satfusion_assets.store.pack_reader import PixelLayer, read_pixel
from satfusion_assets.viewer import layout
from satfusion_assets.viewer.answers import CameraAnswer, PixelSeason, ScenarioSeries, SiteSeriesAnswer
from satfusion_assets.viewer.files import Fence
from satfusion_assets.viewer.rasters import index_of, mean_of_present, read_window
from satfusion_assets.viewer.shapes import Dated
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.links import Stage
from satfusion_assets.vocabulary.scenarios import SCENARIOS, SERIES_BANDS, Mode, Scenario
from satfusion_assets.vocabulary.sites import Site

SITE_WINDOW: Final = 3
"""Side in pixels of the window at the site from which the series of the contract are sampled."""
STANDARD_DEVIATION: Final = "standard_deviation"
_READERS: Final = 4
_VALUES: Final = ("ndvi", "gcc", *SERIES_BANDS)
_SOURCES: Final[tuple[layout.Source, ...]] = ("s2", "fused", "s3")

Series = dict[str, list[Any]]
"""Columns ``date``, ``ndvi``, ``gcc``, ``b02`` ... of one source, None where missing."""


def site_series(fence: Fence, site: Site, season: int, scenario: Scenario, stage: Stage) -> SiteSeriesAnswer:
    """Series of all sources at the site for ``stage``, and the camera's.

    Processed series are those published, with the deviation of GCC from the pack; the others are sampled in the same
    3x3 window.
    """
    folder = fence.season(site.name, season)
    if stage == "processed":
        sources = {source: _published(fence, folder, scenario, source) for source in _SOURCES}
        origin = "published series"
        _attach_gcc_deviation(fence, folder, scenario, sources["fused"], _marker(site), SITE_WINDOW)
    else:
        sources, origin = _at(fence, folder, scenario, stage, _marker(site), SITE_WINDOW)
    return {"sources": sources, "origin": origin, **_camera(fence, folder)}


def pixel_season(
    fence: Fence, site: Site, season: int, scenario: Scenario, stage: Stage, east: float, north: float
) -> PixelSeason:
    """The season of the pixel at (east, north), metres in the site's zone; InvalidInput outside every raster."""
    folder = fence.season(site.name, season)
    sources, origin = _at(fence, folder, scenario, stage, (east, north), 1)
    if not any(sources.get(name, {}).get("date") for name in _SOURCES):
        raise InvalidInput(f"No raster of this stage holds the point ({east:.0f}, {north:.0f}).")
    to_degrees = Transformer.from_crs(site_grid(site).epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(east, north)
    return {"sources": sources, "origin": origin, "longitude": longitude, "latitude": latitude}


def _at(
    fence: Fence, folder: Path, scenario: Scenario, stage: Stage, place: tuple[float, float], side: int
) -> tuple[dict[layout.Source, Series], str]:
    """All sources in the window at a place, and where they were read: the pack for fused products, else the rasters."""
    layers = _pack_layers(fence, folder, scenario, place, side) if stage in {"processed", "fusion"} else None
    if layers is None:
        return _sampled(fence, folder, scenario, stage, place, side), "GeoTIFFs"
    sources = {name: _columns(layers[name].days, _mean(layers[name])) for name in _SOURCES if name in layers}
    if "fused" in layers:
        fused = sources["fused"]
        _attach_quality(fused, layers)
        _attach_gcc_deviation(fence, folder, scenario, fused, place, side)
    return sources, "pack"


def _attach_gcc_deviation(
    fence: Fence, folder: Path, scenario: Scenario, fused: Series, place: tuple[float, float], side: int
) -> None:
    """Put the standard deviation of GCC beside the fused series, where GCC itself has been fused.

    Of a window it is the mean of its pixels' deviations: their errors go together, so a mean over them cancels little.
    """
    twin = _pack_layers(fence, folder, _index_twin(scenario), place, side, (STANDARD_DEVIATION,)) or {}
    if STANDARD_DEVIATION in twin:
        fused["gcc_sd"] = rounded(_on_days(twin[STANDARD_DEVIATION], fused["date"])[:, 0])


def _index_twin(scenario: Scenario) -> Scenario:
    """The scenario that fuses GCC itself: its standard deviation stands for both modes.

    The bands' own deviations say little of an index, since errors of brightness cancel in it.
    """
    return scenario.in_mode(Mode.ITB)


def _pack_layers(
    fence: Fence, folder: Path, scenario: Scenario, place: tuple[float, float], side: int, only: tuple[str, ...] = ()
) -> dict[str, PixelLayer] | None:
    """Layers of the scenario's pack at a place; None without a pack or outside it."""
    pack = folder / pack_folder(scenario)
    real = fence.real(pack)
    return read_pixel(real, fence.relative(pack), *place, side, only) if real.is_dir() else None


def scenario_series(fence: Fence, site: Site, season: int) -> ScenarioSeries:
    """Published fused GCC at the site of every scenario that has one, and the camera's."""
    folder = fence.season(site.name, season)
    found = {scenario.key: _published(fence, folder, scenario, "fused") for scenario in SCENARIOS}
    scenarios = {key: {"date": one["date"], "gcc": one["gcc"]} for key, one in found.items() if one["date"]}
    return {"scenarios": scenarios, **_camera(fence, folder)}


def _marker(site: Site) -> tuple[float, float]:
    epsg = site_grid(site).epsg
    east, north = Transformer.from_crs(4326, epsg, always_xy=True).transform(site.longitude, site.latitude)
    return east, north


def _published(fence: Fence, folder: Path, scenario: Scenario, source: layout.Source) -> Series:
    rows: dict[str, dict[str, Any]] = {}
    for name in layout.series_files(scenario, source):
        for row in fence.checked(folder / name, list[Dated]) or []:
            values = row.model_dump(include=row.model_fields_set)
            merged = rows.setdefault(row.date[:10], {})
            merged.update({"gcc": row.greenness_index} if "greenness_index" in values else values)
    days = sorted(rows)
    return {"date": days, **{key: [rows[day].get(key) for day in days] for key in _VALUES}}


def _sampled(
    fence: Fence, folder: Path, scenario: Scenario, stage: Stage, place: tuple[float, float], side: int
) -> dict[layout.Source, Series]:
    products = {source: layout.folder(stage, source, scenario) for source in _SOURCES}
    with ThreadPoolExecutor(_READERS) as pool:
        found: dict[layout.Source, list[tuple[str, np.ndarray | None]]] = {
            source: list(pool.map(lambda item: (item[0], read_window(item[1], item[1].name, *place, side)), files))
            for source, product in products.items()
            if product is not None and (files := list(_daily(fence, folder, product)))
        }
    return {source: _stack(rows) for source, rows in found.items()}


def _daily(fence: Fence, folder: Path, product: layout.Folder) -> Iterable[tuple[str, Path]]:
    """Days and files of the version that ``fence`` reads: names of another one that is being published have no file."""
    here = folder / product.path
    names = [name for name in sorted(fence.listed(here)) if product.names.fullmatch(name)]
    fence.bring([here / name for name in names])
    for name in names:
        if found := product.names.fullmatch(name):
            day = found["day"]
            path = fence.real(here / name)
            if path.is_file():
                yield f"{day[:4]}-{day[4:6]}-{day[6:]}", path


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


def _mean(layer: PixelLayer) -> np.ndarray:
    return mean_of_present(layer.values)


def _attach_quality(fused: Series, layers: dict[str, PixelLayer]) -> None:
    """Put the quality layers beside the fused series: a column each, and one a band where they have several."""
    for name in sorted(layers.keys() - set(_SOURCES)):
        layer = layers[name]
        values = _on_days(layer, fused["date"])
        if len(layer.bands) == 1:
            fused[name] = rounded(values[:, 0])
        else:
            suffix = "sd" if name == STANDARD_DEVIATION else name
            fused.update(
                {f"{band}_{suffix}": rounded(column) for band, column in zip(SERIES_BANDS, values.T, strict=False)}
            )


def _on_days(layer: PixelLayer, days: list[str]) -> np.ndarray:
    rows = dict(zip(layer.days, _mean(layer), strict=True))
    missing = np.full(len(layer.bands), np.nan)
    return np.stack([rows.get(day, missing) for day in days]) if days else np.empty((0, len(layer.bands)))


def _camera(fence: Fence, folder: Path) -> CameraAnswer:
    """gcc_90 of the season, or of the three years where only they are there, and the transition dates."""
    season, years = folder / f"{PHENOCAM_GCC}.json", folder / PHENOCAM_GCC_3Y
    found = next((path for path in (season, years) if fence.is_file(path)), season)
    records = fence.checked(found, list[Dated]) or []
    rows = sorted(((row.date[:10], row.greenness_index) for row in records), key=lambda row: row[0])
    transitions = folder / PHENOCAM_PHENOLOGY
    return {
        "camera": {"date": [day for day, _ in rows], "gcc": [value for _, value in rows]},
        "transitions": fence.checked(transitions, dict[str, str | None]),
    }


def rounded(column: np.ndarray) -> list[float | None]:
    """Six digits after the point are more than any sensor has; None for missing."""
    return [round(float(value), 6) if math.isfinite(value) else None for value in column]
