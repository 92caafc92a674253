"""The roll-up of a site-season to metrics.json and skill.json."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

from threadpoolctl import threadpool_limits

from satfusion_assets.evaluation.scores import SeasonSeries, season_metrics
from satfusion_assets.evaluation.skill import season_skill
from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.metrics.files import METRICS_FILE, SKILL_FILE
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.preselected.files import preselection
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_phenocam.series import camera_period, camera_regions, camera_series
from satfusion_assets.pipeline.records import ProductRecord
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.sampling.series import DailySeries, read_series
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.errors import ProductMissing
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.vocabulary.sources import Source

log = logging.getLogger(__name__)


HEADLINES = ("pearson_r", "nse", "rmse", "mae", "nrmse", "n_samples")
"""Scores shown wherever there is room for one line."""


def roll_up(store: Store, site_season: SiteSeason) -> Outcome:
    """Publish ``metrics``: metrics.json of a site-season from its scenarios, its baselines and the camera, and
    skill.json, what is left of each scenario's scores without the camera's own colours (docs/metrics.md).

    A scenario that has not been materialised is null in ``temporal``; ProductMissing when none has.
    """
    with ExitStack() as stack:
        phenocam = stack.enter_context(store.read(RAW_PHENOCAM.of(site_season)))
        screened = stack.enter_context(store.read(PRESELECTED.of(site_season)))
        scored = _available(stack, store, SCENARIO_METRICS, site_season)
        processed = _available(stack, store, PROCESSED, site_season)
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
        metrics = season_metrics(season, temporal)
        metrics["scenario_keys"] = {item.score_key: item.key for item in SCENARIOS}
        regions = camera_regions(phenocam, site_season)
        inputs = [phenocam, screened, *scored.values(), *processed.values()]
        rests_on = inherited(*scored.values(), *processed.values())
        period = camera_period(phenocam, site_season)
        said = rests_on | {"period": period}
        with publish(store, METRICS.of(site_season), parameters=rests_on, inputs=inputs) as draft:
            draft.write_json(METRICS_FILE, metrics | said)
            with threadpool_limits(limits=1, user_api="blas"):  # More threads mostly wait for so small products.
                skill = season_skill(season.fused, season.baselines, regions)
            draft.write_json(SKILL_FILE, skill | said)
    assert draft.manifest is not None
    table = score_table(metrics)
    best = max((row for row in table if row["nse"] is not None), key=lambda row: row["nse"], default=None)
    log.info(
        "Rolled up %d scenarios of %s; best: %s.", len(scored), site_season.key, best["scenario"] if best else "none"
    )
    numbers: dict[str, int | float | None] = {"camera_days": len(season.camera), "scenarios": len(scored)}
    notes = rests_on | {"months": period["says"]}
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


def kept_series(scenes: list[dict[str, Any]], strategy: Strategy) -> DailySeries:
    """GCC of the raw scenes that ``strategy`` kept, margins of the season included: rows of s2_preselection.json."""
    return read_series(row for row in scenes if not row[f"excluded_{strategy}"])


def _available(stack: ExitStack, store: Store, record: ProductRecord, site_season: SiteSeason) -> dict[Scenario, View]:
    """Every scenario's product of ``record`` that exists, leased in ``stack``; ProductMissing when none does."""
    products = {scenario: record.of(site_season, scenario) for scenario in SCENARIOS}
    there = {scenario: product for scenario, product in products.items() if store.manifest(product) is not None}
    if not there:
        raise ProductMissing(
            f"No scenario of {record.name} of {site_season.key} has been materialised; materialise one first."
        )
    return {scenario: stack.enter_context(store.read(product)) for scenario, product in there.items()}


def _by_strategy(processed: dict[Scenario, View], source: Source) -> dict[Strategy, DailySeries]:
    """A sensor's own GCC series per strategy; both sigmas hold the same one, and BtI the one from reflectance."""
    chosen = {scenario.strategy: scenario for scenario in processed if scenario.mode is Mode.BTI}
    return {strategy: gcc_series(processed[scenario], scenario, source) for strategy, scenario in chosen.items()}


def _scores(view: View, scenario: Scenario) -> Any:
    return view.read_json(ProcessedLayout(scenario).scores)["temporal"]
