"""What good means for scores: enough to score against, and some skill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.pipeline.judge.verdict import Criterion, Judged, Verdict, rounded, verdict
from satfusion_assets.store.layout import METRICS as METRICS_FILE
from satfusion_assets.store.layout import ProcessedLayout, TableLayout

if TYPE_CHECKING:
    import pandas as pd

LEAST_CORRELATION: Final = 0.5
LEAST_SKILL: Final = 0.0
"""Nash-Sutcliffe efficiency 0: the mean of the camera's series would do as well."""
FEWEST_SAMPLES: Final = 30


def skill_floor(judged: Judged) -> Verdict:
    scores = judged.view.read_json(ProcessedLayout(judged.scenario).scores)["temporal"]
    if scores is None:
        return Verdict(False, "There is no score: fused series and camera have fewer than two common days.")
    r, samples = _number(scores["pearson_r"]), scores["n_samples"]
    says = f"r = {r:.2f} over {samples} days (wanted: at least {LEAST_CORRELATION} over {FEWEST_SAMPLES})."
    return Verdict(r >= LEAST_CORRELATION and samples >= FEWEST_SAMPLES, says, {"pearson_r": r, "n_samples": samples})


def best_skill(judged: Judged) -> Verdict:
    temporal = judged.view.read_json(METRICS_FILE)["temporal"]
    skills = {key: _number(scores["nse"]) for key, scores in temporal.items() if scores}
    best = max(skills, key=lambda key: skills[key], default=None)
    if best is None:
        return Verdict(False, "No scenario is scored.")
    says = f"The best scenario, {best}, reaches NSE {skills[best]:.2f} (above {LEAST_SKILL:g} beats the camera's mean)."
    return Verdict(skills[best] > LEAST_SKILL, says, {"best_nse": rounded(skills[best])})


def all_scenarios(judged: Judged) -> Verdict:
    temporal = judged.view.read_json(METRICS_FILE)["temporal"]
    missing = sorted(key for key, scores in temporal.items() if scores is None)
    says = f"{len(temporal) - len(missing)} of {len(temporal)} scenarios are scored."
    return Verdict(not missing, says, {"scored": len(temporal) - len(missing)}, [{"scenario": key} for key in missing])


def series_once(judged: Judged) -> Verdict:
    """Each series of each region of each site-season is one row, and no site-season with scores is missing."""
    frame = _scores(judged)
    keys = ["site", "season", "region", "series"]
    twice = frame.loc[frame.duplicated(keys), keys].to_dict("records")
    there = {f"{site}_{season}" for site, season in zip(frame["site"], frame["season"], strict=True)}
    gathered = {reference.partition("/")[0] for reference in judged.view.manifest.inputs}
    bad = [{str(name): value for name, value in row.items()} for row in twice]
    bad += [{"site_season": key} for key in sorted(gathered ^ there)]
    return verdict(bad, len(frame), "rows", {"rows": len(frame), "site_seasons": len(there)})


def scored_series(judged: Judged) -> Verdict:
    own = _scores(judged).query("own_region")
    bad = [
        {"site": row.site, "season": row.season, "series": row.series} for row in own[own["nse_pc"].isna()].itertuples()
    ]
    return verdict(bad, len(own), "series", {"scored": len(own) - len(bad)})


def _scores(judged: Judged) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(judged.view.path(TableLayout.scores("parquet")))


def _number(value: Any) -> float:
    return float("-inf") if value is None else float(value)


SCENARIO_METRICS: Final = (
    Criterion("skill", "The fused greenness follows the camera's over enough days.", skill_floor, False),
)
METRICS: Final = (
    Criterion("all_scenarios", "All eight scenarios are scored.", all_scenarios, False),
    Criterion("skill", "At least one scenario is better than the camera's mean.", best_skill, False),
)
SCORE_TABLE: Final = (
    Criterion("rows", "Every series of every site-season with metrics is there once.", series_once, True),
    Criterion("scored", "Every series has a score against the camera.", scored_series, False),
)
