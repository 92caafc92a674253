"""Skill of a series against a camera whose colours are its own: what is left once bias and gain are taken away.

A camera sees GCC through its own colour balance, so NSE on raw numbers mixes the camera's bias and gain with the
series' skill. Here the series is first mapped to the camera's scale by ``y = bias + gain * x``, fitted by least squares
on the other blocks of the season (blocked cross-validation, Roberts et al. 2017, Ecography 40, 913), so that no day is
scored by a fit that has seen it. Definitions of every number: docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from satfusion_assets.evaluation.bootstrap import Bootstrap, holm, interval, two_sided_p, weighted_rmse, weighted_scores
from satfusion_assets.evaluation.scores import Paired, Scores, nse, pair, pearson, rmse
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import Scenario

FloatArray = npt.NDArray[np.float64]

FOLDS: Final = 5
"""Blocks of the season; each is scored by the fit of the others."""
MIN_SAMPLES: Final = 10
"""Common days below which nothing scale-free is said."""
MAX_LAG_DAYS: Final = 30
SIGNIFICANCE: Final = 0.05


def season_blocks(days: npt.NDArray[np.datetime64], folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """Block number of each day (n,), ascending: the span of ``days`` cut into ``folds`` equal stretches of time."""
    offset = (days - days.min()).astype(np.int64)
    return offset * folds // (offset.max() + 1)


def calibrate(common: Paired, folds: int = FOLDS) -> FloatArray | None:
    """The series on the camera's scale (n,), each block mapped by the fit of the others.

    None when there are fewer than ``MIN_SAMPLES`` common days or a fit is undetermined (constant series).
    """
    if len(common) < MIN_SAMPLES:
        return None
    block = season_blocks(common.days, folds)
    calibrated = np.empty(len(common))
    for number in np.unique(block):
        scored = block == number
        fit = linear_fit(common.predicted[~scored], common.reference[~scored])
        if fit is None:
            return None
        bias, gain = fit
        calibrated[scored] = bias + gain * common.predicted[scored]
    return calibrated


def linear_fit(x: FloatArray, y: FloatArray) -> tuple[float, float] | None:
    """Least-squares bias and gain of ``y = bias + gain * x``; None for fewer than two values or constant x."""
    if x.size < 2 or np.ptp(x) == 0:
        return None
    centred = x - x.mean()
    gain = float(centred @ (y - y.mean()) / (centred @ centred))
    return float(y.mean() - gain * x.mean()), gain


def spearman(x: FloatArray, y: FloatArray) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None when either side is constant."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, ties at their mean. By pandas, which every command has loaded; scipy.stats takes half a second."""
    return np.asarray(pd.Series(values).rank(), np.float64)


def best_lag(predicted: DailySeries, camera: DailySeries, max_days: int = MAX_LAG_DAYS) -> Scores | None:
    """By how many days the series runs behind the camera: the shift of highest correlation.

    ``lag_days`` > 0: the series is late. Shifts count that keep at least half of the common days; of equal
    correlations the smallest shift is taken. ``at_limit``: the best shift is the largest tried, so the true one may
    lie beyond. None when no shift has a correlation.
    """
    zero = pair(predicted, camera)
    needed = max(MIN_SAMPLES, len(zero) // 2)
    found: dict[int, float] = {}
    for lag in sorted(range(-max_days, max_days + 1), key=abs):
        shifted = pair(DailySeries(predicted.days - lag, predicted.values), camera)
        r = pearson(shifted.predicted, shifted.reference) if len(shifted) >= needed else None
        if r is not None:
            found[lag] = r
    if not found:
        return None
    lag = max(found, key=lambda shift: found[shift])
    return {
        "lag_days": lag,
        "pearson_r": found[lag],
        "pearson_r_unshifted": found.get(0),
        "at_limit": abs(lag) == max_days,
    }


@dataclass(frozen=True)
class Transitions:
    """Dates on which the camera's series crosses 10 and 50 % of its amplitude, rising and falling."""

    rising_10: date
    rising_50: date
    falling_50: date
    falling_10: date


def phase_days(days: npt.NDArray[np.datetime64], transitions: Transitions) -> dict[str, npt.NDArray[np.bool_]]:
    """Which of ``days`` lie in green-up, peak, green-down and dormancy.

    Green-up runs from the 10 % date to as long after the 50 % date as that lies before it (where a symmetric rise
    reaches 90 %); green-down is its mirror image; peak lies between them and dormancy outside.
    """
    rise = (transitions.rising_10, transitions.rising_50 + (transitions.rising_50 - transitions.rising_10))
    fall = (transitions.falling_50 - (transitions.falling_10 - transitions.falling_50), transitions.falling_10)
    # A short season may rise and fall at once: it then has no peak, and the phases meet in the middle.
    middle = transitions.rising_50 + (transitions.falling_50 - transitions.rising_50) / 2
    rise_end, fall_start = min(rise[1], middle), max(fall[0], middle + timedelta(days=1))
    start, top, down, end = (np.datetime64(day, "D") for day in (rise[0], rise_end, fall_start, fall[1]))
    green_up = (days >= start) & (days <= top)
    green_down = (days >= down) & (days <= end)
    peak = (days > top) & (days < down)
    return {"green_up": green_up, "peak": peak, "green_down": green_down, "dormancy": ~(green_up | peak | green_down)}


def skill(
    predicted: DailySeries,
    camera: DailySeries,
    transitions: Transitions | None = None,
    bootstrap: Bootstrap | None = None,
) -> Scores | None:
    """Scale-free skill of one series with intervals; None when it has fewer than ``MIN_SAMPLES`` common days.

    ``raw`` scores the numbers as they are, ``calibrated`` after removing bias and gain (null where that is
    undetermined), ``phases`` the calibrated residuals by phase (null without transitions).
    """
    common = pair(predicted, camera)
    if len(common) < MIN_SAMPLES:
        return None
    weights = (bootstrap or Bootstrap()).weights(common.days)
    calibrated = calibrate(common)
    fit = linear_fit(common.predicted, common.reference)
    ranks = Paired(common.days, _ranks(common.predicted), _ranks(common.reference))
    rank_draws = weighted_scores(ranks.predicted, ranks.reference, weights)["pearson_r"]
    return {
        "n_samples": len(common),
        "camera_bias": fit[0] if fit else None,
        "camera_gain": fit[1] if fit else None,
        "raw": _with_intervals(common.predicted, common.reference, weights),
        "calibrated": None if calibrated is None else _with_intervals(calibrated, common.reference, weights),
        "spearman_r": spearman(common.predicted, common.reference),
        "spearman_r_interval": interval(rank_draws),
        "lag": best_lag(predicted, camera),
        "phases": None if transitions is None else _phase_scores(common, calibrated, transitions),
    }


def compare_scenarios(
    fused: Mapping[Scenario, DailySeries], camera: DailySeries, bootstrap: Bootstrap | None = None
) -> list[Scores]:
    """Every pair of scenarios; see ``compare``."""
    named = {scenario.key: series for scenario, series in fused.items()}
    return compare(list(combinations(named, 2)), named, camera, bootstrap)


def compare_with_baselines(
    fused: Mapping[Scenario, DailySeries],
    baselines: Mapping[str, DailySeries],
    camera: DailySeries,
    bootstrap: Bootstrap | None = None,
) -> list[Scores]:
    """Every scenario with what its strategy's scenes and composites reach without fusion; see ``compare``."""
    named = {scenario.key: series for scenario, series in fused.items()}
    pairs = [(scenario.key, name) for scenario in fused for name in baselines if name.endswith(f"_{scenario.strategy}")]
    return compare(pairs, {**named, **baselines}, camera, bootstrap)


def compare(
    pairs: Sequence[tuple[str, str]],
    series: Mapping[str, DailySeries],
    camera: DailySeries,
    bootstrap: Bootstrap | None = None,
) -> list[Scores]:
    """Each pair on the days that both and the camera have, calibrated, with the same resampled days.

    ``rmse_difference`` is first minus second: negative when the first is better. ``p_holm`` is adjusted over all
    pairs; ``different`` says whether it is below 0.05. Pairs without enough common days have nulls.
    """
    rule = bootstrap or Bootstrap()
    rows: list[Scores] = [
        {"first": a, "second": b, **_comparison(series[a], series[b], camera, rule)} for a, b in pairs
    ]
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        row["different"] = None if p is None else p < SIGNIFICANCE
    return rows


def _comparison(first: DailySeries, second: DailySeries, camera: DailySeries, bootstrap: Bootstrap) -> Scores:
    row: Scores = {"n_samples": 0}
    row |= dict.fromkeys(("rmse_first", "rmse_second", "rmse_difference", "interval", "p"))
    both = np.intersect1d(first.days, second.days, assume_unique=True)
    pairs = [pair(DailySeries(both, series.on(both)), camera) for series in (first, second)]
    row["n_samples"] = len(pairs[0])
    one, other = (calibrate(common) for common in pairs)
    if one is None or other is None:
        return row
    truth, weights = pairs[0].reference, bootstrap.weights(pairs[0].days)
    row["rmse_first"], row["rmse_second"] = rmse(one - truth), rmse(other - truth)
    row["rmse_difference"] = row["rmse_first"] - row["rmse_second"]
    draws = weighted_rmse(one - truth, weights) - weighted_rmse(other - truth, weights)
    row["interval"], row["p"] = interval(draws), two_sided_p(draws)
    return row


def _with_intervals(predicted: FloatArray, reference: FloatArray, weights: FloatArray) -> Scores:
    draws = weighted_scores(predicted, reference, weights)
    residual = predicted - reference
    values: dict[str, Any] = {
        "rmse": rmse(residual),
        "mae": float(np.abs(residual).mean()),
        "bias": float(residual.mean()),
        "nse": nse(predicted, reference),
        "pearson_r": pearson(predicted, reference),
    }
    bounds = {f"{name}_interval": None if value is None else interval(draws[name]) for name, value in values.items()}
    return values | bounds


def _phase_scores(common: Paired, calibrated: FloatArray | None, transitions: Transitions) -> Scores:
    """Errors within each phase; no NSE, since a phase hardly varies and the mean of it is no rival."""
    scores: Scores = {}
    for phase, inside in phase_days(common.days, transitions).items():
        if calibrated is None or not inside.any():
            scores[phase] = {"n_samples": int(inside.sum()), "rmse": None, "bias": None, "pearson_r": None}
            continue
        residual = calibrated[inside] - common.reference[inside]
        scores[phase] = {
            "n_samples": int(inside.sum()),
            "rmse": rmse(residual),
            "bias": float(residual.mean()),
            "pearson_r": pearson(calibrated[inside], common.reference[inside]),
        }
    return scores


@dataclass(frozen=True)
class CameraRegion:
    """One region of interest of the camera in the season: its gcc_90, what grows there, and when it turns."""

    camera: DailySeries
    vegetation: str | None = None
    transitions: Transitions | None = None


def season_skill(
    fused: Mapping[Scenario, DailySeries],
    baselines: Mapping[str, DailySeries],
    regions: Mapping[str, CameraRegion],
    bootstrap: Bootstrap | None = None,
) -> Scores:
    """skill.json of one site-season.

    baselines: the series without fusion by name. regions: the camera's regions by name (``innsbruck_GR_1000``), the
    site's own first; both comparisons use that one.
    """
    rule = bootstrap or Bootstrap()
    own = next(iter(regions.values()), CameraRegion(DailySeries.of([], [])))
    return {
        "parameters": {
            "folds": FOLDS,
            "block_days": rule.block_days,
            "draws": rule.draws,
            "max_lag_days": MAX_LAG_DAYS,
            "interval": 0.95,
        },
        "regions": {name: _region_skill(fused, baselines, region, rule) for name, region in regions.items()},
        "comparisons": compare_scenarios(fused, own.camera, rule),
        "against_baselines": compare_with_baselines(fused, baselines, own.camera, rule),
    }


def _region_skill(
    fused: Mapping[Scenario, DailySeries],
    baselines: Mapping[str, DailySeries],
    region: CameraRegion,
    bootstrap: Bootstrap,
) -> Scores:
    def of(series: DailySeries) -> Scores | None:
        return skill(series, region.camera, region.transitions, bootstrap)

    return {
        "vegetation": region.vegetation,
        "camera_days": len(region.camera),
        "scenarios": {scenario.key: of(series) for scenario, series in fused.items()},
        "baselines": {name: of(series) for name, series in baselines.items()},
    }
