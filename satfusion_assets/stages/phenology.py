"""Stage: when the season rises and falls, as the camera saw it and in every fused pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.grid import site_grid
from satfusion_assets.processing.phenology import (
    SATELLITE,
    TRANSITIONS,
    Phenology,
    TransitionDate,
    contract_dates,
    transition_maps,
    transitions,
)
from satfusion_assets.processing.phenology.series import EPOCH
from satfusion_assets.processing.preparation import gcc_image
from satfusion_assets.processing.series import DailySeries
from satfusion_assets.scenarios import Mode, Scenario
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.fuse import fuse_inputs, prepared_inputs
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.stages.prepare import PREPARED
from satfusion_assets.stages.score import gcc_series
from satfusion_assets.store import Product, ProductStore, View
from satfusion_assets.store.layout import (
    CAMERA_DATES,
    PHENOCAM_GCC_3Y,
    PHENOCAM_PHENOLOGY,
    FusedLayout,
    PhenologyLayout,
    Source,
    day_of,
)

DATE_BANDS: Final = ("day of year", "lower end of the 95 % interval", "upper end of the 95 % interval")

LEAST_AMPLITUDE: Final = 0.02
"""GCC amplitude below which a pixel has no season."""


def camera_phenology(store: ProductStore, site_season: SiteSeason) -> Outcome:
    """Publish ``camera_phenology`` from three years: phenocam_phenology.json, and all dates with their intervals."""
    with store.read(Product("raw_phenocam", site_season)) as phenocam:
        records = [row for row in phenocam.read_json(PHENOCAM_GCC_3Y) if row["greenness_index"] is not None]
        days = np.array([row["date"][:10] for row in records], dtype="datetime64[D]")
        values = np.array([row["greenness_index"] for row in records], dtype=np.float64)
        phenology = transitions(days, values)
        dates = contract_dates(phenology, site_season.season)
        with store.publish(Product("camera_phenology", site_season), inputs=[phenocam]) as draft:
            draft.write_json(PHENOCAM_PHENOLOGY, dates)
            draft.write_json(CAMERA_DATES, {"camera": _season_record(phenology, site_season)})
    assert draft.manifest is not None
    notes = {name: str(value or "none") for name, value in dates.items()}
    return Outcome(draft.manifest, numbers={"seasons": len(phenology.seasons)}, notes=notes)


def phenology_maps(store: ProductStore, site: Site, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``phenology``: 10, 25 and 50 % dates of every 10 m pixel with 95 % intervals, and the site's dates.

    The fused stacks of the neighbouring seasons are joined where they have been materialised; a season across New Year
    without them is labelled truncated.
    """
    layout, grid = PhenologyLayout(scenario), site_grid(site)
    with ExitStack() as stack:
        fused = stack.enter_context(store.read(Product("fused", site_season, scenario.key)))
        processed = stack.enter_context(store.read(Product("processed", site_season, scenario.key)))
        prepared = stack.enter_context(store.read(Product(PREPARED[scenario.mode], site_season, scenario.strategy)))
        seasons = [*_neighbours(stack, store, site, site_season, scenario), fused]
        days, gcc = joined_gcc(seasons, scenario)
        error = gcc_deviation(prepared, scenario, days)
        maps = transition_maps(days, gcc, site_season.season, error=error, least_amplitude=LEAST_AMPLITUDE)
        inputs = [fused, processed, prepared]
        with store.publish(Product("phenology", site_season, scenario.key), inputs=inputs) as draft:
            for number, transition in enumerate(TRANSITIONS):
                values = np.stack([maps.day_of_year[number], maps.lower[number], maps.upper[number]])
                name = layout.dates(transition)
                draft.write_raster(name, values, grid.fine, nodata=np.nan, descriptions=DATE_BANDS)
            labels = np.concatenate([maps.label, maps.seasons[None]])
            draft.write_raster(layout.labels, labels, grid.fine, nodata=255, descriptions=[*TRANSITIONS, "seasons"])
            draft.write_json(layout.site, _site_dates(processed, scenario, site_season))
    assert draft.manifest is not None
    dated = float(np.isfinite(maps.day_of_year[TRANSITIONS.index("rising_50")]).mean())
    median = {
        f"median_{transition}": round(float(np.nanmedian(days_of_year)), 1)
        for transition, days_of_year in zip(TRANSITIONS, maps.day_of_year, strict=True)
        if np.isfinite(days_of_year).any()
    }
    return Outcome(draft.manifest, numbers={"dated_fraction": round(dated, 4)} | median)


def joined_gcc(seasons: Sequence[View], scenario: Scenario) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """Days (p,) and GCC (p, H, W) of fused seasons, in order of time."""
    days, values = [], []
    for view in sorted(seasons, key=lambda view: view.product.site_season):
        names = [name for name in view.names(f"{FusedLayout(scenario).folder}/*.tif") if "/quality/" not in name]
        stack = view.read_stack(names)
        days.append(np.array([day_of(name) for name in names], "datetime64[D]"))
        values.append(stack[:, 0] if scenario.mode is Mode.ITB else gcc_image(stack)[:, 0])
    return np.concatenate(days), np.concatenate(values)


def gcc_deviation(prepared: View, scenario: Scenario, days: NDArray[np.datetime64]) -> NDArray[np.float32]:
    """Predictive standard deviation of fused GCC (p, H, W).

    The bands' own deviations say little of it, since errors of brightness cancel in the index: GCC itself is fused,
    and its deviation stands for both modes. Zero where there is none.
    """
    inputs = prepared_inputs(prepared, scenario)
    if scenario.mode is Mode.BTI:
        inputs = replace(inputs, coarse=gcc_image(inputs.coarse), fine=gcc_image(inputs.fine))
    return np.nan_to_num(fuse_inputs(inputs, scenario, days).quality.standard_deviation[:, 0])


def _neighbours(
    stack: ExitStack, store: ProductStore, site: Site, site_season: SiteSeason, scenario: Scenario
) -> Iterator[View]:
    for year in (site_season.season - 1, site_season.season + 1):
        if year in site.seasons:
            product = Product("fused", site.season(year), scenario.key)
            if store.manifest(product) is not None:
                yield stack.enter_context(store.read(product))


def _site_dates(processed: View, scenario: Scenario, site_season: SiteSeason) -> dict[str, Any]:
    """Dates at the site from the fused series and from Sentinel-2 alone, as far as each shows a season."""
    sources: dict[str, Source] = {"fused": "fusion", "s2": "s2"}
    return {name: _dates_of(gcc_series(processed, scenario, source), site_season) for name, source in sources.items()}


def _dates_of(series: DailySeries, site_season: SiteSeason) -> dict[str, Any]:
    return _season_record(transitions(series.days, series.values, SATELLITE), site_season)


def _season_record(phenology: Phenology, site_season: SiteSeason) -> dict[str, Any]:
    season = phenology.growing_season(site_season.season)
    if season is None:
        return {"label": phenology.label.name.lower(), "rising": None, "falling": None}
    limbs = {"rising": season.rising, "falling": season.falling}
    return {"label": season.label.name.lower()} | {
        limb: {str(percent): _date_record(date) for percent, date in of.items()} for limb, of in limbs.items()
    }


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
