"""The contract's JSON of the gap benchmark, as plain dictionaries (null where there is no value).

``gap_manifest.json`` says what was withheld, ``gap_withheld_images.json`` describes it, ``gap_validation_summary.json``
compares one scenario with and without the gap and with the Whittaker smoother, ``gap_metrics.json`` holds every
method in every tier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES, GapOutcome, SceneScores, StrategyOutcome
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, WHITTAKER
from satfusion_assets.evaluation.gaps.crossover import crossover
from satfusion_assets.evaluation.gaps.windows import Gap, Transition
from satfusion_assets.evaluation.moments import Moments
from satfusion_assets.evaluation.scores import Scores, temporal_scores
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

DateFinder = Callable[[DailySeries], Mapping[str, date | None]]
"""Transition dates of a GCC series by name (``rising_50`` ...); None = no such date."""

WHITTAKER_DEFINITION: Final = (
    "per pixel and band, lambda 400 d^2, second-order differences, on the clear observations left outside the gap"
)
MOSTLY: Final = 0.5
"""A method that estimates less than this share of the withheld pixels is mostly silent."""
METRIC: Final = "nse_s2 of GCC over the withheld pixels that every method estimates"


@dataclass(frozen=True)
class ReportContext:
    """What the reports say about the site-season itself.

    filename: the contract's name of a day's prepared scene. period: its months (``season_dates.season_period``).
    """

    site_season: SiteSeason
    latitude: float
    longitude: float
    filename: Callable[[np.datetime64], str]
    period: Mapping[str, Any]

    @property
    def head(self) -> dict[str, Any]:
        return {"site_name": self.site_season.site, "season": self.site_season.season, "period": self.period}


def main_scene(outcome: GapOutcome) -> SceneScores | None:
    """The scene that stands for a gap: of those with withheld pixels the nearest to its midpoint, ties the earlier."""
    midpoint = np.datetime64(outcome.gap.midpoint, "D")
    candidates = [scene for scene in outcome.scenes if scene.hidden]
    return min(candidates, key=lambda scene: abs(scene.day - midpoint), default=None)


def gap_manifest(context: ReportContext, strategy: Strategy, outcomes: Sequence[GapOutcome]) -> dict[str, Any]:
    """gap_manifest.json: every gap and every scene that it withholds."""
    return {
        **context.head,
        "site_position_lat_lon": [context.latitude, context.longitude],
        "s2_calendar_strategy": str(strategy),
        "entries": [_manifest_entry(context, outcome) for outcome in outcomes],
    }


def _manifest_entry(context: ReportContext, outcome: GapOutcome) -> dict[str, Any]:
    scene = main_scene(outcome)
    return {
        **_gap_head(outcome.gap),
        "midpoint_rule": str(outcome.gap.midpoint_rule),
        "midpoint_date": outcome.gap.midpoint.isoformat(),
        "window_start": outcome.gap.start.isoformat(),
        "window_end": outcome.gap.end.isoformat(),
        "prediction_date": None if scene is None else str(scene.day),
        "withheld_s2_date": None if scene is None else str(scene.day),
        "withheld_s2_filename": None if scene is None else context.filename(scene.day),
        "withheld": [{"date": str(s.day), "filename": context.filename(s.day)} for s in outcome.scenes],
    }


def withheld_images(context: ReportContext, outcomes: Sequence[GapOutcome]) -> dict[str, Any]:
    """gap_withheld_images.json: each withheld scene of each gap, its pixels, and every method's GCC score on it."""
    return {
        **context.head,
        "gaps": [
            {
                **_gap_head(outcome.gap),
                "strategy": str(outcome.strategy),
                "scenes": [
                    {
                        "date": str(scene.day),
                        "filename": context.filename(scene.day),
                        "n_withheld_pixels": scene.hidden,
                        "gcc": {method: of["gcc"].scores() for method, of in scene.common.items()},
                    }
                    for scene in outcome.scenes
                ],
            }
            for outcome in outcomes
        ],
    }


def validation_summary(
    context: ReportContext,
    scenario: Scenario,
    outcomes: Sequence[GapOutcome],
    paths: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """gap_validation_summary.json of one scenario: one day per gap against its withheld scene.

    outcomes: of the scenario's strategy, calendar gaps. paths: by gap key, ``fused_gap``, ``fused_no_gap`` and
    ``withheld_s2_refl``.
    """
    lengths = [outcome.gap.days for outcome in outcomes]
    nse = {name: [_main_nse(outcome, name) for outcome in outcomes] for name in (scenario.key, WHITTAKER.name)}
    found = crossover(lengths, nse[scenario.key], nse[WHITTAKER.name])
    return {
        **context.head,
        "scenario": scenario.key,
        "manifest": "gap_manifest.json",
        "results": [_summary_row(context, scenario, outcome, paths.get(outcome.gap.key, {})) for outcome in outcomes],
        "whittaker_crossover": {
            scenario.key: {
                "metric": METRIC,
                "whittaker_definition": WHITTAKER_DEFINITION,
                "first_gap_days_fusion_nse_below_whittaker": found["first_gap_days_fusion_nse_below"],
                "by_gap": [
                    {
                        "gap_days": row["gap_days"],
                        "nse_s2_fusion": row["nse_fusion"],
                        "nse_s2_whittaker": row["nse_competitor"],
                    }
                    for row in found["by_gap"]
                ],
            }
        },
    }


def _summary_row(
    context: ReportContext, scenario: Scenario, outcome: GapOutcome, paths: Mapping[str, str]
) -> dict[str, Any]:
    scene = main_scene(outcome)
    gap, whittaker, no_gap = (
        Moments().scores() if scene is None else table[method]["gcc"].scores()
        for table, method in (
            (scene.common if scene else {}, scenario.key),
            (scene.common if scene else {}, WHITTAKER.name),
            (scene.no_gap if scene else {}, scenario.key),
        )
    )
    return {
        **_gap_head(outcome.gap),
        "prediction_date": None if scene is None else str(scene.day),
        "withheld_s2_filename": None if scene is None else context.filename(scene.day),
        "scenario": {"strategy": str(scenario.strategy), "sigma": scenario.sigma, "mode": str(scenario.mode)},
        "paths": {name: paths.get(name) for name in ("fused_gap", "fused_no_gap", "withheld_s2_refl")},
        "spatial": {
            "gap": gap,
            "no_gap": no_gap,
            "delta_rmse": _difference(gap["rmse"], no_gap["rmse"]),
            "delta_nse": _difference(gap["nse_s2"], no_gap["nse_s2"]),
            "whittaker": whittaker,
        },
        "whittaker_crossover_row": {
            "gap_days": outcome.gap.days,
            "nse_s2_fusion": gap["nse_s2"],
            "nse_s2_whittaker": whittaker["nse_s2"],
        },
    }


def gap_metrics(
    context: ReportContext,
    outcomes: Sequence[StrategyOutcome],
    camera: DailySeries,
    find_dates: DateFinder | None = None,
) -> dict[str, Any]:
    """gap_metrics.json: every gap, strategy, method and tier, and where fusion and each competitor change places.

    camera: gcc_90 within the season. find_dates: reads transition dates from a series; without it the phenology tier is
    null.
    """
    truth = None if find_dates is None else find_dates(camera)
    return {
        **context.head,
        "metric_of_crossover": METRIC,
        "strategies": {
            str(outcome.strategy): {
                "natural_pattern_season": _pattern_season(outcome),
                "no_gap": _season_tiers(outcome.no_gap_series, camera, find_dates, truth),
                "gaps": [
                    {
                        **_gap_head(gap.gap),
                        "key": gap.gap.key,
                        "window_start": gap.gap.start.isoformat(),
                        "window_end": gap.gap.end.isoformat(),
                        "n_withheld_scenes": len(gap.scenes),
                        "n_withheld_pixels": sum(scene.hidden for scene in gap.scenes),
                        "spatial": _spatial_tier(gap),
                        **_season_tiers(gap.series, camera, find_dates, truth),
                        "calibration": {
                            method: {quantity: calibration.scores() for quantity, calibration in of.items()}
                            for method, of in gap.calibration.items()
                        },
                    }
                    for gap in outcome.gaps
                ],
            }
            for outcome in outcomes
        },
        "crossover": {
            scenario.key: _crossovers(scenario, outcome)
            for outcome in outcomes
            for scenario in SCENARIOS
            if scenario.key in outcome.no_gap_series
        },
    }


def _pattern_season(outcome: StrategyOutcome) -> int | None:
    """Whose clouds made the natural gap; None = no natural gap, because no other season was there."""
    return next((gap.gap.pattern_season for gap in outcome.gaps if gap.gap.pattern_season is not None), None)


def _spatial_tier(outcome: GapOutcome) -> dict[str, Any]:
    """Per method and quantity: scores on the common pixels, on the method's own, and the share it could estimate."""
    hidden = sum(scene.hidden for scene in outcome.scenes)
    methods = list(dict.fromkeys(method for scene in outcome.scenes for method in scene.common))
    tier: dict[str, Any] = {}
    for method in methods:
        tier[method] = {}
        for quantity in QUANTITIES:
            own = outcome.pooled(method, quantity, own=True)
            if not any(quantity in scene.common[method] for scene in outcome.scenes):
                continue
            tier[method][quantity] = {
                **outcome.pooled(method, quantity).scores(),
                "own": own.scores(),
                "estimated_share": own.n / hidden if hidden else None,
            }
    return tier


def _season_tiers(
    series: Mapping[str, DailySeries],
    camera: DailySeries,
    find_dates: DateFinder | None,
    truth: Mapping[str, date | None] | None,
) -> dict[str, Any]:
    temporal: dict[str, Scores | None] = {method: temporal_scores(one, camera) for method, one in series.items()}
    if find_dates is None or truth is None:
        return {"temporal": temporal, "phenology": None}
    offsets = {method: date_offsets(find_dates(one), truth) for method, one in series.items()}
    return {"temporal": temporal, "phenology": offsets}


def date_offsets(found: Mapping[str, date | None], truth: Mapping[str, date | None]) -> dict[str, int | None]:
    """Days by which each date is late (> 0) against the truth's date of that name; null where either is missing."""
    offsets: dict[str, int | None] = {}
    for name, true in truth.items():
        date_found = found.get(name)
        offsets[name] = None if true is None or date_found is None else (date_found - true).days
    return offsets


def _crossovers(scenario: Scenario, outcome: StrategyOutcome) -> dict[str, Any]:
    """By competitor and transition, on the GCC of all withheld scenes."""
    calendar = [gap for gap in outcome.gaps if gap.gap.transition is not Transition.NATURAL]
    transitions = list(dict.fromkeys(gap.gap.transition for gap in calendar))
    competitors = [method.name for method in PIXEL_METHODS]
    competitors += ["starfm"] if any("starfm" in scene.common for gap in calendar for scene in gap.scenes) else []
    return {
        competitor: {
            str(transition): _crossover_of(
                [gap for gap in calendar if gap.gap.transition is transition], scenario.key, competitor
            )
            for transition in transitions
        }
        for competitor in competitors
    }


def _crossover_of(gaps: Sequence[GapOutcome], fusion: str, competitor: str) -> dict[str, Any]:
    def nse(gap: GapOutcome, method: str) -> float | None:
        return gap.pooled(method, "gcc").scores()["nse_s2"]

    def share(gap: GapOutcome, method: str) -> float | None:
        hidden = sum(scene.hidden for scene in gap.scenes)
        return gap.pooled(method, "gcc", own=True).n / hidden if hidden else None

    ordered = sorted(gaps, key=lambda gap: gap.gap.days)
    found = crossover(
        [gap.gap.days for gap in ordered],
        [nse(gap, fusion) for gap in ordered],
        [nse(gap, competitor) for gap in ordered],
    )
    for row, gap in zip(found["by_gap"], ordered, strict=True):
        row["share_fusion"], row["share_competitor"] = share(gap, fusion), share(gap, competitor)
    silent = [row["gap_days"] for row in found["by_gap"] if (row["share_fusion"] or 0) < MOSTLY]
    return {**found, "first_gap_days_fusion_mostly_silent": next(iter(silent), None)}


def _gap_head(gap: Gap) -> dict[str, Any]:
    return {"gap_days": gap.days, "transition": str(gap.transition)}


def _main_nse(outcome: GapOutcome, method: str) -> float | None:
    scene = main_scene(outcome)
    return None if scene is None else scene.common[method]["gcc"].scores()["nse_s2"]


def _difference(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right
