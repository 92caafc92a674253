"""What good means for a scenario's scores: enough to score against, and some skill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict
from satfusion_assets.pipeline.metrics.files import METRICS_FILE as METRICS_FILE
from satfusion_assets.pipeline.processed.files import ProcessedLayout

if TYPE_CHECKING:
    pass


LEAST_CORRELATION: Final = 0.5


LEAST_SKILL: Final = 0.0
"""Nash-Sutcliffe efficiency 0: the mean of the camera's series would do as well."""


FEWEST_SAMPLES: Final = 30


def skill_floor(checked: CheckedProduct) -> Verdict:
    scores = checked.view.read_json(ProcessedLayout(checked.scenario).scores)["temporal"]
    if scores is None:
        return Verdict(False, "There is no score: fused series and camera have fewer than two common days.")
    r, samples = number(scores["pearson_r"]), scores["n_samples"]
    says = f"r = {r:.2f} over {samples} days (wanted: at least {LEAST_CORRELATION} over {FEWEST_SAMPLES})."
    return Verdict(r >= LEAST_CORRELATION and samples >= FEWEST_SAMPLES, says, {"pearson_r": r, "n_samples": samples})


def number(value: Any) -> float:
    return float("-inf") if value is None else float(value)


CRITERIA: Final = (
    Criterion("skill", "The fused greenness follows the camera's over enough days.", skill_floor, False),
)
