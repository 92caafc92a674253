"""When the season rises and falls in every fused pixel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from satfusion_assets.archives.phenocam.regions import wanted_vegetation
from satfusion_assets.export.transitions import DatedSeries, transition_csv
from satfusion_assets.phenology import (
    SATELLITE,
    SCENES,
    TRANSITIONS,
    Label,
    Phenology,
    PhenologyMaps,
    TransitionDate,
    transitions,
)
from satfusion_assets.phenology.series import EPOCH
from satfusion_assets.pipeline.camera_phenology.camera import _season_record, date_record
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.phenology.course import course_maps, joined, neighbouring_courses, season_course
from satfusion_assets.pipeline.phenology.files import PhenologyLayout
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.pipeline.provenance import publish, refuse_out_of_place
from satfusion_assets.pipeline.sources import SOURCES
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason

log = logging.getLogger(__name__)


DATE_BANDS: Final = ("day of year", "lower end of the 95 % interval", "upper end of the 95 % interval")


def phenology_maps(store: Store, site: Site, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``phenology``: 10, 25 and 50 % dates of every 10 m pixel with 95 % intervals, and the site's dates.

    The fused stack is drawn to the clear scenes it was made from, in both modes those with all bands. The stacks of the
    neighbouring seasons are joined where they have been materialised; a season across New Year without them is labelled
    truncated.
    """
    layout, grid = PhenologyLayout(scenario), site_grid(site)
    pixel = site_pixel(grid.fine, site.latitude, site.longitude)
    with ExitStack() as stack:
        fused = stack.enter_context(store.read(FUSED.of(site_season, scenario)))
        processed = stack.enter_context(store.read(PROCESSED.of(site_season, scenario)))
        bands = stack.enter_context(store.read(PREPARED_BTI.of(site_season, scenario.strategy)))
        refuse_out_of_place(site, fused, bands)
        neighbours = list(neighbouring_courses(stack, store, site, site_season, scenario))
        course = joined([season_course(*views, scenario) for views in [(fused, bands), *neighbours]])
        maps = course_maps(course, site_season.season)
        deviation = course.typical_deviation(pixel)
        scenes = gcc_series(processed, scenario, "s2")
        fusion = gcc_series(processed, scenario, "fusion")
        found = {
            "fused": transitions(fusion.days, fusion.values, SATELLITE, error=deviation),
            "s2": transitions(scenes.days, scenes.values, SCENES),
        }
        sites_dates = {
            **{name: _season_record(of, site_season) for name, of in found.items()},
            "fused_and_scenes": _dates_at(maps, pixel),
        }
        inputs = [fused, processed, bands, *(view for views in neighbours for view in views)]
        product = PHENOLOGY.of(site_season, scenario)
        with publish(store, product, site=site, inputs=inputs) as draft:
            for number, transition in enumerate(TRANSITIONS):
                values = np.stack([maps.day_of_year[number], maps.lower[number], maps.upper[number]])
                name = layout.dates(transition)
                draft.write_raster(name, values, grid.fine, nodata=np.nan, descriptions=DATE_BANDS)
            labels = np.concatenate([maps.label, maps.seasons[None]])
            draft.write_raster(layout.labels, labels, grid.fine, nodata=255, descriptions=[*TRANSITIONS, "seasons"])
            draft.write_json(layout.site, sites_dates)
            draft.write_bytes(layout.transitions, _table(site, scenario, found, fused).encode())
    assert draft.manifest is not None
    log.info("Dated the season of %d x %d pixels from %d days of GCC.", *course.deviation.shape[1:], len(course.days))
    dated = float(np.isfinite(maps.day_of_year[TRANSITIONS.index("rising_50")]).mean())
    median = {
        f"median_{transition}": round(float(np.nanmedian(days_of_year)), 1)
        for transition, days_of_year in zip(TRANSITIONS, maps.day_of_year, strict=True)
        if np.isfinite(days_of_year).any()
    }
    return Outcome(draft.manifest, numbers={"dated_fraction": round(dated, 4)} | median)


def _table(site: Site, scenario: Scenario, dated: Mapping[str, Phenology], fused: View) -> str:
    """All growing seasons of the site's series, fused and of Sentinel-2 alone, as PhenoCam writes a camera's."""
    code = wanted_vegetation(site) or ""
    series = [
        DatedSeries(site.name, code, scenario.key, f"gcc_{name}", found.growing_seasons)
        for name, found in dated.items()
    ]
    return transition_csv(series, fused.manifest.parameters.get(SOURCES, []))


def _dates_at(maps: PhenologyMaps, pixel: tuple[int, int] | None) -> dict[str, Any]:
    """The maps' dates in one pixel, in the form of a series' dates."""
    if pixel is None:
        return {"label": Label.NO_DATA.name.lower(), "rising": None, "falling": None}
    start = (np.datetime64(f"{maps.year}-01-01") - np.datetime64(EPOCH)).astype(int) - 1.0
    limbs: dict[str, dict[str, Any]] = {"rising": {}, "falling": {}}
    worst = Label.NO_DATA
    for number, transition in enumerate(TRANSITIONS):
        limb, percent = transition.split("_")
        day, lower, upper = (
            float(layer[(number, *pixel)]) + start for layer in (maps.day_of_year, maps.lower, maps.upper)
        )
        point = TransitionDate(day, lower, upper, Label(int(maps.label[(number, *pixel)])))
        limbs[limb][percent] = date_record(point)
        worst = max(worst, point.label) if percent == "50" else worst
    return {"label": worst.name.lower()} | limbs
