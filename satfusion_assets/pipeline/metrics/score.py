"""Stage: scores of one scenario against the camera, and the roll-up of a site-season to metrics.json."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from satfusion_assets.vocabulary.errors import ProductMissing
from satfusion_assets.evaluation.scores import SeasonSeries, baselines, derived, phenocam_stats, series_scores
from satfusion_assets.phenology.season_dates import phase_transitions, season_dates
from satfusion_assets.sampling.series import DailySeries, read_series
from satfusion_assets.evaluation.skill import CameraRegion, season_skill
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.store import Product, ProductStore, View
from satfusion_assets.store.layout import (
    METRICS,
    PHENOCAM_GCC,
    PHENOCAM_REGIONS,
    SKILL,
    ProcessedLayout,
    Source,
    preselection,
)

log = logging.getLogger(__name__)

HEADLINES = ("pearson_r", "nse", "rmse", "mae", "nrmse", "n_samples")
"""Scores shown wherever there is room for one line."""


def score_scenario(store: ProductStore, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``scenario_metrics``: the fused GCC of one scenario against gcc_90 on common days."""
    layout = ProcessedLayout(scenario)
    product = Product("scenario_metrics", site_season, scenario.key)
    with (
        store.read(Product("processed", site_season, scenario.key)) as processed,
        store.read(Product("raw_phenocam", site_season)) as phenocam,
    ):
        scores = series_scores(gcc_series(processed, scenario, "fusion"), camera_series(phenocam))
        source = inherited(processed)
        with publish(store, product, parameters=source, inputs=[processed, phenocam]) as draft:
            draft.write_json(layout.scores, {"scenario": scenario.key, **source, "temporal": scores})
    assert draft.manifest is not None
    if scores is None:
        return Outcome(
            draft.manifest, notes=source | {"scores": "fused series and camera have fewer than two common days"}
        )
    said = ", ".join(f"{name} {scores[name]:.3f}" for name in ("nse", "pearson_r", "rmse") if scores[name] is not None)
    log.info("Scored %s against the camera on %d common days: %s.", scenario.key, scores["n_samples"], said)
    notes = source | {"first_day": scores["date_range"]["start"], "last_day": scores["date_range"]["end"]}
    row = {"scenario": scenario.key} | source | {name: scores[name] for name in HEADLINES}
    return Outcome(draft.manifest, {name: scores[name] for name in HEADLINES}, notes, {"scores": [row]})


def roll_up(store: ProductStore, site_season: SiteSeason) -> Outcome:
    """Publish ``metrics``: metrics.json of a site-season from its scenarios, its baselines and the camera, and
    skill.json, what is left of each scenario's scores without the camera's own colours (docs/metrics.md).

    A scenario that has not been materialised is null in ``temporal``; ProductMissing when none has.
    """
    with ExitStack() as stack:
        phenocam = stack.enter_context(store.read(Product("raw_phenocam", site_season)))
        screened = stack.enter_context(store.read(Product("preselected", site_season)))
        scored = _available(stack, store, "scenario_metrics", site_season)
        processed = _available(stack, store, "processed", site_season)
        scenes = screened.read_json(preselection("s2", "json"))
        season = SeasonSeries(
            camera=camera_series(phenocam),
            fused={scenario: gcc_series(view, scenario, "fusion") for scenario, view in processed.items()},
            s2_all=read_series(scenes).between(site_season.start, site_season.end),
            s2_cloudfree={strategy: kept_series(scenes, strategy) for strategy in Strategy},
            s2_masked=_by_strategy(processed, "s2"),
            s3=_by_strategy(processed, "s3"),
        )
        temporal = {item.score_key: _scores(scored[item], item) if item in scored else None for item in SCENARIOS}
        metrics = {
            "phenocam_stats": phenocam_stats(season.camera),
            "temporal": temporal,
            "baseline": baselines(season),
            "derived": derived(temporal),
            "scenario_keys": {item.score_key: item.key for item in SCENARIOS},
        }
        regions = camera_regions(phenocam, site_season)
        inputs = [phenocam, screened, *scored.values(), *processed.values()]
        rests_on = inherited(*scored.values(), *processed.values())
        with publish(store, Product("metrics", site_season), parameters=rests_on, inputs=inputs) as draft:
            draft.write_json(METRICS, metrics | rests_on)
            draft.write_json(SKILL, season_skill(season.fused, season.baselines, regions) | rests_on)
    assert draft.manifest is not None
    table = score_table(metrics)
    best = max((row for row in table if row["nse"] is not None), key=lambda row: row["nse"], default=None)
    log.info(
        "Rolled up %d scenarios of %s; best: %s.", len(scored), site_season.key, best["scenario"] if best else "none"
    )
    numbers: dict[str, int | float | None] = {"camera_days": len(season.camera), "scenarios": len(scored)}
    notes = dict(rests_on)
    if best is not None:
        numbers["best_nse"] = best["nse"]
        notes["best_scenario"] = best["scenario"]
    return Outcome(draft.manifest, numbers=numbers, notes=notes, tables={"scores": table})


def score_table(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """One row of headline scores a scenario, from metrics.json."""
    rows = []
    for scenario in SCENARIOS:
        scores = metrics["temporal"].get(scenario.score_key) or {}
        rows.append({"scenario": scenario.key} | {name: scores.get(name) for name in HEADLINES})
    return rows


def camera_series(phenocam: View) -> DailySeries:
    """The camera's gcc_90 of the season."""
    return read_series(phenocam.read_json(f"{PHENOCAM_GCC}.json"))


def camera_regions(phenocam: View, site_season: SiteSeason) -> dict[str, CameraRegion]:
    """Every region of the camera in the season, the site's own first, with the turns of its own three years."""
    regions = {}
    for name, of in phenocam.read_json(PHENOCAM_REGIONS).items():
        years = read_series(of["series"])
        regions[name] = CameraRegion(
            camera=years.between(site_season.start, site_season.end),
            vegetation=of["vegetation"],
            transitions=phase_transitions(season_dates(snow_free(years, of), site_season.season)),
        )
    return regions


def kept_series(scenes: list[dict[str, Any]], strategy: Strategy) -> DailySeries:
    """GCC of the raw scenes that ``strategy`` kept, margins of the season included: rows of s2_preselection.json."""
    return read_series(row for row in scenes if not row[f"excluded_{strategy}"])


def chosen_region(phenocam: View) -> Mapping[str, Any]:
    """What is known of the site's own region of interest; nothing where the product is older than such records."""
    if PHENOCAM_REGIONS not in phenocam.names(PHENOCAM_REGIONS):
        return {}
    return next(iter(phenocam.read_json(PHENOCAM_REGIONS).values()), {})


def snow_free(series: DailySeries, region: Mapping[str, Any]) -> DailySeries:
    """A region's greenness without the days on which its colour shows snow: dates are the canopy's."""
    white = np.array(region.get("white_days", []), dtype="datetime64[D]")
    kept = ~np.isin(series.days, white)
    return DailySeries(series.days[kept], series.values[kept])


def gcc_series(processed: View, scenario: Scenario, source: Source) -> DailySeries:
    """GCC at the site of one source of a processed scenario."""
    return read_series(processed.read_json(ProcessedLayout(scenario).series("gcc", source)))


def _available(stack: ExitStack, store: ProductStore, name: str, site_season: SiteSeason) -> dict[Scenario, View]:
    """Every scenario's product called ``name`` that exists, leased in ``stack``; ProductMissing when none does."""
    products = {scenario: Product(name, site_season, scenario.key) for scenario in SCENARIOS}
    there = {scenario: product for scenario, product in products.items() if store.manifest(product) is not None}
    if not there:
        raise ProductMissing(
            f"No scenario of {name} of {site_season.key} has been materialised; materialise one first."
        )
    return {scenario: stack.enter_context(store.read(product)) for scenario, product in there.items()}


def _by_strategy(processed: dict[Scenario, View], source: Source) -> dict[Strategy, DailySeries]:
    """A sensor's own GCC series per strategy; both sigmas hold the same one, and BtI the one from reflectance."""
    chosen = {scenario.strategy: scenario for scenario in processed if scenario.mode is Mode.BTI}
    return {strategy: gcc_series(processed[scenario], scenario, source) for strategy, scenario in chosen.items()}


def _scores(view: View, scenario: Scenario) -> Any:
    return view.read_json(ProcessedLayout(scenario).scores)["temporal"]
