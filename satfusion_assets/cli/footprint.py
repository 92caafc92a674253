"""``satfusion footprint``: series read through the camera's field of view, beside the contract's pixels at the mast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import typer
from rich.console import Console

from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Scenario

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.sparse import csr_matrix

    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.sampling.series import DailySeries
    from satfusion_assets.vocabulary.sites import Site, SiteSeason

PLACES: Final = ("footprint", "window")


def footprint(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    scenario: Annotated[str, typer.Option(help="scenario key")] = SCENARIOS[0].key,
    table: Annotated[Path | None, typer.Option(help="also write every day's readings as CSV")] = None,
) -> None:
    """Read Sentinel-3, Sentinel-2 filled by every method, and the fused images in the camera's footprint; score them.

    Each series is mapped to the camera's scale first, and read in the contract's 3x3 window as well. Needs fused
    images ('satfusion materialize SITE SEASON --until fused').
    """
    from satfusion_assets.evaluation.footprints import calibrated_errors, compare
    from satfusion_assets.pipeline.platform import Platform

    platform, chosen = Platform(), Scenario.parse(scenario)
    site_season = platform.registry.site_season(site, season)
    read = _read(platform, platform.site(site_season), site_season, chosen)
    target = np.repeat(read.camera.on(read.days)[:, None], len(PLACES), axis=1)
    errors = {name: calibrated_errors(read.days, values, target) for name, values in read.sources.items()}
    title = f"{site_season.key}: RMSE of GCC against the camera, on its scale; fused: {chosen.key} against the series"
    columns = ("days", "footprint", "window", "fused", "p")
    shown = narrow_table("series", *columns, title=title)
    for name, error in errors.items():
        known = np.isfinite(error[:, 0])
        rmse = [f"{np.sqrt(np.nanmean(of**2)):.4f}" if np.isfinite(of).any() else "-" for of in error.T]
        beside = compare(read.days, errors[chosen.key][:, 0], error[:, 0]) if name != chosen.key else None
        p = "-" if beside is None or beside.p is None else f"{beside.p:.3f}"
        shown.add_row(name, str(known.sum()), *rmse, "-" if beside is None else f"{beside.difference:+.0%}", p)
    console = Console()
    console.print(shown)
    if table is not None:
        _write(table, read)
        console.print(f"Readings of every day: {table}", soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class _Read:
    """days: (p,). sources: (p, 2) GCC in ``PLACES`` by name. camera: gcc_90 of the season."""

    days: npt.NDArray[np.datetime64]
    sources: dict[str, npt.NDArray[np.float64]]
    camera: DailySeries


def _read(platform: Platform, site: Site, site_season: SiteSeason, scenario: Scenario) -> _Read:
    from satfusion_assets.evaluation.footprints import readings
    from satfusion_assets.evaluation.gaps.benchmark import quantities
    from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
    from satfusion_assets.pipeline.fused.inputs import read_stack
    from satfusion_assets.pipeline.fused.product import FUSED
    from satfusion_assets.pipeline.phenology.course import fused_gcc
    from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
    from satfusion_assets.pipeline.raw_phenocam.files import PHENOCAM_ROIS
    from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
    from satfusion_assets.pipeline.raw_phenocam.series import camera_series

    with (
        platform.store.read(FUSED.of(site_season, scenario)) as fused,
        platform.store.read(PREPARED_BTI.of(site_season, scenario.strategy)) as prepared,
        platform.store.read(RAW_PHENOCAM.of(site_season)) as phenocam,
    ):
        days, gcc = fused_gcc(fused, scenario)
        stack = read_stack(prepared, scenario.strategy, Mode.BTI)
        record, camera = phenocam.read_json(PHENOCAM_ROIS), camera_series(phenocam)
    images = {method.name: quantities(method.predict(stack, days))["gcc"] for method in PIXEL_METHODS}
    sources = readings(stack, images | {scenario.key: gcc}, days, _weights(site, record))
    return _Read(days, sources, camera)


def _weights(site: Site, record: Mapping[str, Any]) -> csr_matrix:
    """The camera's footprint, and the contract's window of nine pixels at the mast."""
    from pyproj import Transformer
    from scipy.sparse import csr_matrix, vstack

    from satfusion_assets.sampling.footprint import camera_view
    from satfusion_assets.sampling.window import site_pixel, window
    from satfusion_assets.vocabulary.grid import site_grid

    grid = site_grid(site)
    shape = (grid.fine.height, grid.fine.width)
    mast = Transformer.from_crs(4326, grid.epsg, always_xy=True).transform(site.longitude, site.latitude)
    pixel = site_pixel(grid.fine, site.latitude, site.longitude)
    nine = np.zeros(shape)
    if pixel is not None:
        nine[window(shape, *pixel)] = 1
    vegetation = next((of["vegetation"] for of in record["regions"] if of["name"] == record["chosen"]), site.vegetation)
    view = camera_view(mast, site.latitude, record.get("orientation"), vegetation)
    seen = view.weights(grid.fine.affine, shape)
    return vstack([seen, csr_matrix(nine.reshape(1, -1) / max(nine.sum(), 1))]).tocsr()


def _write(path: Path, read: _Read) -> None:
    import pandas as pd

    columns = {"date": read.days.astype(str), "camera": read.camera.on(read.days)}
    for name, values in read.sources.items():
        columns |= {f"{name}_{place}": values[:, n] for n, place in enumerate(PLACES)}
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path, index=False)
