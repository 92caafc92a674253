"""Scores of one scenario against the camera."""

from __future__ import annotations

import logging

from satfusion_assets.evaluation.scores import series_scores
from satfusion_assets.pipeline.coarse_source import inherited
from satfusion_assets.pipeline.metrics.roll_up import HEADLINES
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_phenocam.series import camera_series
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)


def score_scenario(store: Store, site_season: SiteSeason, scenario: Scenario) -> Outcome:
    """Publish ``scenario_metrics``: the fused GCC of one scenario against gcc_90 on common days."""
    layout = ProcessedLayout(scenario)
    product = SCENARIO_METRICS.of(site_season, scenario)
    with (
        store.read(PROCESSED.of(site_season, scenario)) as processed,
        store.read(RAW_PHENOCAM.of(site_season)) as phenocam,
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
