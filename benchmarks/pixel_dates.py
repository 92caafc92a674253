"""Dates of every pixel against the sandbox's true ones: ``python -m benchmarks.pixel_dates FOLDER SEASON:SEED ...``.

Seasons (``innsbruck_2024:9``) are built below FOLDER and kept; the table goes to docs/phenology.md. A landscape with
another seed has other fields, dates, clouds and atmospheres. Several scenarios share one table, by percents chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.phenology import Rows, write_table
from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.phenology import PhenologyMaps, transition_maps
from satfusion_assets.pipeline.fused.fuse import season_days
from satfusion_assets.pipeline.fused.inputs import read_stack
from satfusion_assets.pipeline.phenology.course import LEAST_AMPLITUDE, course_maps, drawn_course
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.screening.preparation import gcc_image
from satfusion_assets.truth.dates import TrueSeason, date_rows
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import Mode, Scenario

TABLE = "pixel-dates"
PERCENTS = (10, 25, 50)
SCENARIO = "aggressive_sigma20"


def pixel_dates(season: PreparedSeason, scenarios: Sequence[Scenario], percents: Sequence[int]) -> Rows:
    """Rows of one season, for each of ``scenarios``: the fusion alone and drawn to its scenes, the latter also by the
    method's own levels.

    The truth's levels are shares between the year's extremes, the method's those of the published dates: what it makes
    of the true course, every day, tells errors from definitions.
    """
    grid, year = site_grid(season.site).fine, season.site_season.season
    view = season.landscape.view(grid.affine, (grid.height, grid.width))
    true = view.true_dates(year)
    known = TrueSeason(np.concatenate([true.rising, true.falling]), true.maximum - true.minimum)
    days = np.array(season_days(season.site_season), dtype="datetime64[D]")
    canopy = np.stack([indices.gcc(*view.canopy(day.item())[:3]) for day in days]).astype(np.float32)
    same = TrueSeason(transition_maps(days, canopy, year, least_amplitude=LEAST_AMPLITUDE).day_of_year, known.amplitude)
    for scenario in scenarios:
        alone, drawn = _fused_maps(season, days, scenario)
        for row in (
            *date_rows("fused alone", alone, known),
            *date_rows("drawn to its scenes", drawn, known, percents),
            *date_rows("drawn to its scenes, own levels", drawn, same),
        ):
            yield {"landscape": season.title, "scenario": scenario.key, **row}


def _fused_maps(season: PreparedSeason, days: np.ndarray, scenario: Scenario) -> tuple[PhenologyMaps, PhenologyMaps]:
    """Of the fusion alone, and drawn to its scenes."""
    year = season.site_season.season
    with season.store.read(PREPARED_BTI.of(season.site_season, scenario.strategy)) as bands:
        scenes = read_stack(bands, scenario.strategy, Mode.BTI)
    fused = gcc_image(scenes.fuse(scenario, days).values)[:, 0]
    course = drawn_course(days, fused, scenes, scenario)
    error = np.nan_to_num(course.deviation)
    alone = transition_maps(days, fused, year, error=error, least_amplitude=LEAST_AMPLITUDE)
    return alone, course_maps(course, year)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the seasons lie or are to be built")
    parser.add_argument("seasons", nargs="+", metavar="SEASON:SEED")
    parser.add_argument("--scenarios", nargs="+", default=[SCENARIO], help="keys, such as aggressive_kriging")
    parser.add_argument("--percents", nargs="+", type=int, default=PERCENTS, help="dates, drawn to the scenes")
    parser.add_argument("--table", default=TABLE, help="the table of docs/phenology.md that is written")
    options = parser.parse_args()
    scenarios = [Scenario.parse(key) for key in options.scenarios]
    keys = [season.rsplit(":", 1) for season in options.seasons]
    seasons = (prepared_season(key, int(seed), options.folder) for key, seed in keys)
    write_table(options.table, [row for season in seasons for row in pixel_dates(season, scenarios, options.percents)])


if __name__ == "__main__":
    main()
