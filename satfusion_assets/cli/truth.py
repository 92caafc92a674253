"""``satfusion sandbox truth``: images and dates against the sandbox's truth, the only place where the two meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.cli.truth_surface import known_truth, surface_of
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.store import View
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.installation import home
from satfusion_assets.vocabulary.scenarios import BANDS, SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    from satfusion_assets.sandbox.landscape import SurfaceView as Surface

TABLES = home() / "sandbox_data" / "truth"
"""Where the report goes unless another place is asked for."""

SNOW_FREE = 0.05
"""Share of snow up to which a pixel counts as free of it."""


def truth(
    site: Annotated[str, typer.Argument(help="site name; several with commas for a population")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    seed: Annotated[int, typer.Option(help="seed of the landscape that was served")] = 1,
    landscape: Annotated[
        str, typer.Option(help="of the landscape that was served: plain, hard, or effects with commas between them")
    ] = "plain",
    folder: Annotated[Path, typer.Option(help="where all rows go as CSV and Parquet")] = TABLES,
    page: Annotated[Path | None, typer.Option(help="the report as Markdown; beside the rows unless given")] = None,
    population: Annotated[bool, typer.Option(help="make and score many landscapes; resumes where it stopped")] = False,
    seeds: Annotated[str, typer.Option(help="seeds of a population")] = "1,2,3,4",
) -> None:
    """Score every scenario, its conformance mode and every competitor against the true surface and its true dates."""
    from satfusion_assets.pipeline.fused.fuse import season_days
    from satfusion_assets.pipeline.fused.inputs import read_stack
    from satfusion_assets.truth.report import truth_page
    from satfusion_assets.truth.scoring import truth_rows, truth_table

    if population:
        _population(site.split(","), season, seeds, folder, page)
        return
    platform = Platform()
    site_season = platform.registry.site_season(site, season)
    surface = surface_of(platform, site_season, seed, landscape)
    known = known_truth(surface)
    days = np.array(season_days(site_season), dtype="datetime64[D]")
    rows = []
    for strategy in Strategy:
        with platform.store.read(PREPARED_BTI.of(site_season, strategy)) as prepared:
            rows += truth_rows(strategy, read_stack(prepared, strategy, Mode.BTI), known, days)
    folder.mkdir(parents=True, exist_ok=True)
    table = truth_table(rows)
    table.to_csv(folder / f"{site_season.key}.csv", index=False)
    table.to_parquet(folder / f"{site_season.key}.parquet", index=False)
    page = page or folder / f"{site_season.key}.md"
    dates = list(_date_rows(platform, site_season, surface, days))
    page.write_text(truth_page(site_season, seed, rows, dates), encoding="utf-8")
    Console().print(f"{len(rows)} rows below {folder}; the report is {page}.")


def _population(sites: Sequence[str], season: int, seeds: str, folder: Path, page: Path | None) -> None:
    """Score every landscape of the population that is not scored yet, and write its page."""
    from satfusion_assets.cli.truth_cases import cases, read_tables, run_cases
    from satfusion_assets.sandbox.effects import LANDSCAPES
    from satfusion_assets.truth.population_report import population_page

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError as error:
        raise InvalidInput(f"--seeds {seeds!r} are no seeds: give whole numbers with commas between them.") from error
    wanted = cases([(site, season) for site in sites], numbers, list(LANDSCAPES))
    page = page or folder / "population.md"
    command = f"satfusion sandbox truth {','.join(sites)} {season} --population --seeds {seeds}"

    def write(tables: list[Path]) -> None:
        page.write_text(population_page(read_tables(tables), command), encoding="utf-8")

    folder.mkdir(parents=True, exist_ok=True)
    run_cases(wanted, folder / "population", write)
    Console().print(f"{len(wanted)} landscapes below {folder / 'population'}; the report is {page}.")


def _date_rows(
    platform: Platform, site_season: SiteSeason, surface: Surface, days: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Dates of every materialised scenario, alone and drawn to its scenes, and what the truth itself would give.

    One season by itself, without its neighbours.
    """
    from satfusion_assets.phenology import SCENES, transition_maps
    from satfusion_assets.pipeline.fused.inputs import read_stack
    from satfusion_assets.pipeline.phenology.course import LEAST_AMPLITUDE, course_maps, fused_gcc, season_course
    from satfusion_assets.truth.dates import TrueSeason, date_rows

    year = site_season.season
    true = surface.true_dates(year)
    known = TrueSeason(np.concatenate([true.rising, true.falling]), true.maximum - true.minimum)
    canopy = np.stack([indices.gcc(*surface.canopy(day.item())[:3]) for day in days]).astype(np.float32)
    maps = transition_maps(days, canopy, year, least_amplitude=LEAST_AMPLITUDE)
    yield from date_rows("the truth, every day", maps, known)
    for scenario, view in _fused(platform, site_season):
        product = PREPARED_BTI.of(site_season, scenario.strategy)
        with view as fused, platform.store.read(product) as bands:
            course, alone = season_course(fused, bands, scenario), fused_gcc(fused, scenario)[1]
            scenes = read_stack(bands, scenario.strategy, Mode.BTI) if scenario.mode is Mode.BTI else None
        if scenes is not None and scenario.sigma == SCENARIOS[0].sigma:
            within = np.isin(scenes.fine_days, days)
            seen = np.where(np.isfinite(scenes.fine[within, 0]), canopy[np.isin(days, scenes.fine_days)], np.nan)
            maps = transition_maps(scenes.fine_days[within], seen, year, SCENES, least_amplitude=LEAST_AMPLITUDE)
            yield from date_rows(f"the truth on the clear days, {scenario.strategy}", maps, known)
        error = np.nan_to_num(course.deviation)
        maps = transition_maps(course.days, alone, year, error=error, least_amplitude=LEAST_AMPLITUDE)
        yield from date_rows(f"{scenario.key} alone", maps, known)
        yield from date_rows(f"{scenario.key} with its scenes", course_maps(course, year), known)


@dataclass
class SquaredError:
    """Running sum of squared differences per channel, over the pixels that both sides have."""

    total: np.ndarray
    count: np.ndarray

    def add(self, difference: np.ndarray) -> None:
        """difference: (channels, H, W), NaN = not to be counted."""
        self.total += np.nansum(np.square(difference, dtype=np.float64), axis=(1, 2))
        self.count += np.isfinite(difference).sum(axis=(1, 2))

    @property
    def rmse(self) -> np.ndarray:
        return np.sqrt(np.divide(self.total, self.count, out=np.full(len(self.total), np.nan), where=self.count > 0))


def truth_table(platform: Platform, site_season: SiteSeason, seed: int = 1) -> Table:
    """RMSE of every materialised scenario against the true surface, all days and snow-free pixels pooled.

    Snow comes and goes between clear scenes, which mask it: no fusion of them can know it.
    """
    from satfusion_assets.screening.preparation import gcc_image

    surface = surface_of(platform, site_season, seed)
    title = f"{site_season.key}: RMSE of the fused images against the truth (snow-free)"
    table = narrow_table("scenario", *BANDS, "gcc", title=title)
    for scenario, view in _fused(platform, site_season):
        with view as fused:
            errors = SquaredError(np.zeros(5), np.zeros(5))
            names = [name for name in fused.names(f"{FusedLayout(scenario).folder}/*.tif") if "/quality/" not in name]
            for name in names:
                truth = surface.reflectance(day_of(name))
                truth[:, surface.snow(day_of(name)) > SNOW_FREE] = np.nan
                errors.add(_channels(fused, name, scenario) - np.concatenate([truth, gcc_image(truth)]))
        table.add_row(scenario.key, *(f"{value:.4f}" if np.isfinite(value) else "-" for value in errors.rmse))
    return table


def _fused(platform: Platform, site_season: SiteSeason) -> Iterator[tuple[Scenario, AbstractContextManager[View]]]:
    for scenario in SCENARIOS:
        product = FUSED.of(site_season, scenario)
        if platform.store.manifest(product) is not None:
            yield scenario, platform.store.read(product)


def _channels(fused: View, name: str, scenario: Scenario) -> np.ndarray:
    """(5, H, W): four bands and GCC; Index-then-Blend has no bands."""
    values = fused.read_raster(name).masked()
    if scenario.mode is Mode.ITB:
        return np.concatenate([np.full((4, *values.shape[1:]), np.nan), values])
    return np.concatenate([values, indices.gcc(*values[:3])[None]])
