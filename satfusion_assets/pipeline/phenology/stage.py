"""Stage: when the season rises and falls, as the camera saw it and in every fused pixel."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.phenology import (
    COURSE,
    SATELLITE,
    SCENES,
    TRANSITIONS,
    Evidence,
    Label,
    Phenology,
    PhenologyMaps,
    TransitionDate,
    anchored,
    contract_dates,
    transition_maps,
    transitions,
)
from satfusion_assets.phenology.series import EPOCH
from satfusion_assets.screening.preparation import gcc_image
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.sampling.series import read_series
from satfusion_assets.vocabulary.scenarios import Mode, Scenario
from satfusion_assets.vocabulary.sites import Site, SiteSeason
from satfusion_assets.pipeline.fused.fuse import FusionInputs, fuse_inputs, prepared_inputs
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import lies_in_place, publish, refuse_out_of_place
from satfusion_assets.pipeline.metrics.score import chosen_region, gcc_series, snow_free
from satfusion_assets.store import Product, ProductStore, View
from satfusion_assets.store.layout import (
    CAMERA_DATES,
    PHENOCAM_GCC_3Y,
    PHENOCAM_PHENOLOGY,
    FusedLayout,
    PhenologyLayout,
    day_of,
)

log = logging.getLogger(__name__)

DATE_BANDS: Final = ("day of year", "lower end of the 95 % interval", "upper end of the 95 % interval")

LEAST_AMPLITUDE: Final = 0.02
"""GCC amplitude below which a pixel has no season."""


def camera_phenology(store: ProductStore, site_season: SiteSeason) -> Outcome:
    """Publish ``camera_phenology`` from three years: phenocam_phenology.json, and all dates with their intervals."""
    with store.read(Product("raw_phenocam", site_season)) as phenocam:
        series = snow_free(read_series(phenocam.read_json(PHENOCAM_GCC_3Y)), chosen_region(phenocam))
        phenology = transitions(series.days, series.values)
        dates = contract_dates(phenology, site_season.season)
        with publish(store, Product("camera_phenology", site_season), inputs=[phenocam]) as draft:
            draft.write_json(PHENOCAM_PHENOLOGY, dates)
            draft.write_json(CAMERA_DATES, {"camera": _season_record(phenology, site_season)})
    assert draft.manifest is not None
    log.info("The camera's %d days show %d seasons.", len(series), len(phenology.seasons))
    notes = {name: str(value or "none") for name, value in dates.items()}
    return Outcome(draft.manifest, numbers={"seasons": len(phenology.seasons)}, notes=notes)


def phenology_maps(store: ProductStore, site: Site, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``phenology``: 10, 25 and 50 % dates of every 10 m pixel with 95 % intervals, and the site's dates.

    The fused stack is drawn to the clear scenes it was made from, in both modes those with all bands. The stacks of the
    neighbouring seasons are joined where they have been materialised; a season across New Year without them is labelled
    truncated.
    """
    layout, grid = PhenologyLayout(scenario), site_grid(site)
    pixel = site_pixel(grid.fine, site.latitude, site.longitude)
    with ExitStack() as stack:
        fused = stack.enter_context(store.read(Product("fused", site_season, scenario.key)))
        processed = stack.enter_context(store.read(Product("processed", site_season, scenario.key)))
        bands = stack.enter_context(store.read(Product("prepared_bti", site_season, scenario.strategy)))
        refuse_out_of_place(site, fused, bands)
        neighbours = list(_neighbours(stack, store, site, site_season, scenario))
        course = joined([season_course(*views, scenario) for views in [(fused, bands), *neighbours]])
        maps = course_maps(course, site_season.season)
        deviation = course.typical_deviation(pixel)
        scenes = gcc_series(processed, scenario, "s2")
        fusion = gcc_series(processed, scenario, "fusion")
        sites_dates = {
            "fused": _season_record(transitions(fusion.days, fusion.values, SATELLITE, error=deviation), site_season),
            "s2": _season_record(transitions(scenes.days, scenes.values, SCENES), site_season),
            "fused_and_scenes": _dates_at(maps, pixel),
        }
        inputs = [fused, processed, bands, *(view for views in neighbours for view in views)]
        product = Product("phenology", site_season, scenario.key)
        with publish(store, product, site=site, inputs=inputs) as draft:
            for number, transition in enumerate(TRANSITIONS):
                values = np.stack([maps.day_of_year[number], maps.lower[number], maps.upper[number]])
                name = layout.dates(transition)
                draft.write_raster(name, values, grid.fine, nodata=np.nan, descriptions=DATE_BANDS)
            labels = np.concatenate([maps.label, maps.seasons[None]])
            draft.write_raster(layout.labels, labels, grid.fine, nodata=255, descriptions=[*TRANSITIONS, "seasons"])
            draft.write_json(layout.site, sites_dates)
    assert draft.manifest is not None
    log.info("Dated the season of %d x %d pixels from %d days of GCC.", *course.deviation.shape[1:], len(course.days))
    dated = float(np.isfinite(maps.day_of_year[TRANSITIONS.index("rising_50")]).mean())
    median = {
        f"median_{transition}": round(float(np.nanmedian(days_of_year)), 1)
        for transition, days_of_year in zip(TRANSITIONS, maps.day_of_year, strict=True)
        if np.isfinite(days_of_year).any()
    }
    return Outcome(draft.manifest, numbers={"dated_fraction": round(dated, 4)} | median)


@dataclass(frozen=True)
class Course:
    """GCC of every pixel through a season or several.

    days: (p,) ascending. evidence: each (p, H, W), the fusion drawn to its clear scenes; deviation: (p, H, W), the
    predictive standard deviation of the fusion alone.
    """

    days: NDArray[np.datetime64]
    evidence: Evidence
    deviation: NDArray[np.float32]

    def typical_deviation(self, pixel: tuple[int, int] | None) -> float:
        """Root mean square of the deviation at ``pixel``; 0 where none is known."""
        if pixel is None:
            return 0.0
        squared = np.square(self.deviation[:, *pixel])
        known = squared[np.isfinite(squared)]
        return float(np.sqrt(known.mean())) if known.size else 0.0


def course_maps(course: Course, year: int) -> PhenologyMaps:
    """Dates of every pixel of a course."""
    values, error, information = course.evidence
    return transition_maps(
        course.days, values, year, COURSE, error=error, information=information, least_amplitude=LEAST_AMPLITUDE
    )


def joined(seasons: list[Course]) -> Course:
    """Seasons one after another, in order of time."""
    ordered = sorted((season for season in seasons if season.days.size), key=lambda season: season.days[0])
    parts = ordered or seasons[:1]
    return Course(
        np.concatenate([part.days for part in parts]),
        Evidence(*(np.concatenate(layers) for layers in zip(*(part.evidence for part in parts), strict=True))),
        np.concatenate([part.deviation for part in parts]),
    )


def fused_gcc(fused: View, scenario: Scenario) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """Days (p,) and GCC (p, H, W) of a fused season."""
    names = [name for name in fused.names(f"{FusedLayout(scenario).folder}/*.tif") if "/quality/" not in name]
    images = fused.read_stack(names)
    gcc = images if scenario.mode is Mode.ITB else gcc_image(images)
    return np.array([day_of(name) for name in names], "datetime64[D]"), gcc[:, 0]


def season_course(fused: View, bands: View, scenario: Scenario) -> Course:
    """One season's fused GCC, drawn to the scenes of ``bands`` (prepared_bti)."""
    days, gcc = fused_gcc(fused, scenario)
    return drawn_course(days, gcc, prepared_inputs(bands, replace(scenario, mode=Mode.BTI)), scenario)


def drawn_course(
    days: NDArray[np.datetime64], gcc: NDArray[np.float32], scenes: FusionInputs, scenario: Scenario
) -> Course:
    """Fused ``gcc`` (p, H, W) of ``days``, drawn to ``scenes`` with all bands.

    The bands' own deviations say little of GCC, since errors of brightness cancel in the index: GCC itself is fused for
    its predictive standard deviation, and this stands for both modes.
    """
    index = replace(scenes, coarse=gcc_image(scenes.coarse), fine=gcc_image(scenes.fine))
    deviation = fuse_inputs(index, scenario, days).quality.standard_deviation[:, 0]
    evidence = anchored(days, gcc, deviation, scenes.fine_days, scenes.fine, float(scenario.sigma))
    return Course(days, evidence, deviation)


def _neighbours(
    stack: ExitStack, store: ProductStore, site: Site, site_season: SiteSeason, scenario: Scenario
) -> Iterator[tuple[View, View]]:
    """Fused images and scenes of the seasons before and after that have both where the site is now."""
    for year in (site_season.season - 1, site_season.season + 1):
        if year not in site.seasons:
            continue
        season = site.season(year)
        products = (
            Product("fused", season, scenario.key),
            Product("prepared_bti", season, scenario.strategy),
        )
        if all(store.manifest(product) is not None for product in products):
            fused, bands = (stack.enter_context(store.read(product)) for product in products)
            if lies_in_place(fused, site) and lies_in_place(bands, site):  # else from before the site was moved
                yield fused, bands


def _season_record(phenology: Phenology, site_season: SiteSeason) -> dict[str, Any]:
    """Dates of the year's main growing season; only the label where there is none."""
    season = phenology.growing_season(site_season.season)
    if season is None:
        return {"label": phenology.label.name.lower(), "rising": None, "falling": None}
    limbs = {"rising": season.rising, "falling": season.falling}
    return {"label": season.label.name.lower()} | {
        limb: {str(percent): _date_record(point) for percent, point in of.items()} for limb, of in limbs.items()
    }


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
        limbs[limb][percent] = _date_record(point)
        worst = max(worst, point.label) if percent == "50" else worst
    return {"label": worst.name.lower()} | limbs


def _date_record(transition: TransitionDate) -> dict[str, Any]:
    bounds = [
        EPOCH + timedelta(days=round(day)) if np.isfinite(day) else None for day in (transition.lower, transition.upper)
    ]
    return {
        "date": transition.date.isoformat() if transition.date else None,
        "lower": bounds[0].isoformat() if bounds[0] else None,
        "upper": bounds[1].isoformat() if bounds[1] else None,
        "label": transition.label.name.lower(),
    }
