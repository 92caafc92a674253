"""What good means for a site-season's scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from satfusion_assets.pipeline.coarse_source import scenarios_of
from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, rounded
from satfusion_assets.pipeline.metrics.files import METRICS_FILE as METRICS_FILE

if TYPE_CHECKING:
    pass
from satfusion_assets.pipeline.scenario_metrics.criteria import LEAST_SKILL, number
from satfusion_assets.vocabulary.settings import S3Product


def best_skill(checked: CheckedProduct) -> Verdict:
    temporal = checked.view.read_json(METRICS_FILE)["temporal"]
    skills = {key: number(scores["nse"]) for key, scores in temporal.items() if scores}
    best = max(skills, key=lambda key: skills[key], default=None)
    if best is None:
        return Verdict(False, "No scenario is scored.")
    says = f"The best scenario, {best}, reaches NSE {skills[best]:.2f} (above {LEAST_SKILL:g} beats the camera's mean)."
    return Verdict(skills[best] > LEAST_SKILL, says, {"best_nse": rounded(skills[best])})


def all_scenarios(checked: CheckedProduct) -> Verdict:
    temporal = checked.view.read_json(METRICS_FILE)["temporal"]
    possible = {item.score_key for item in scenarios_of(S3Product.NONE)} if checked.sentinel2_alone else {*temporal}
    missing = sorted(key for key in possible if temporal.get(key) is None)
    says = f"{len(possible) - len(missing)} of {len(possible)} scenarios are scored."
    return Verdict(not missing, says, {"scored": len(possible) - len(missing)}, [{"scenario": key} for key in missing])


CRITERIA: Final = (
    Criterion("all_scenarios", "Every scenario is scored.", all_scenarios, False),
    Criterion("skill", "At least one scenario is better than the camera's mean.", best_skill, False),
)
