"""Skill without the camera's colours: hand-computable curves and degenerate input."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from satfusion_assets.evaluation.bootstrap import Bootstrap
from satfusion_assets.evaluation.scores import Paired
from satfusion_assets.evaluation.skill import (
    CameraRegion,
    Transitions,
    best_lag,
    calibrate,
    compare_scenarios,
    compare_with_baselines,
    linear_fit,
    phase_days,
    season_blocks,
    season_skill,
    skill,
    spearman,
)
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy

DAYS = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
NUMBERS = np.arange(len(DAYS), dtype=np.float64)
SEASON = 0.35 + 0.1 * np.exp(-(((NUMBERS - 190) / 50) ** 2))
FEW = Bootstrap(draws=200)
EMPTY = DailySeries.of([], [])
TRANSITIONS = Transitions(date(2024, 4, 1), date(2024, 4, 21), date(2024, 9, 10), date(2024, 10, 10))


def series(values: np.ndarray, every: int = 1) -> DailySeries:
    return DailySeries(DAYS[::every], values[::every])


def test_bias_and_gain_of_the_camera_cost_nothing() -> None:
    camera = series(0.05 + 0.6 * SEASON)
    found = skill(series(SEASON, 3), camera, bootstrap=FEW)
    assert found is not None
    assert found["camera_bias"] == pytest.approx(0.05)
    assert found["camera_gain"] == pytest.approx(0.6)
    assert found["raw"]["nse"] < 0
    assert found["calibrated"]["rmse"] == pytest.approx(0, abs=1e-12)
    assert found["calibrated"]["nse"] == pytest.approx(1)
    assert found["spearman_r"] == pytest.approx(1)


def test_no_day_is_scored_by_a_fit_that_has_seen_it() -> None:
    """Two blocks on different lines: each is mapped by the other's line, where one fit of all would lie between."""
    x = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 2)
    y = np.concatenate([x[:5], 10 + 2 * x[:5]])
    found = calibrate(Paired(DAYS[:10], x, y), folds=2)
    np.testing.assert_allclose(found, np.concatenate([10 + 2 * x[:5], x[:5]]))


def test_blocks_are_equal_stretches_of_time_however_many_days_they_hold() -> None:
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-10"], dtype="datetime64[D]")
    assert season_blocks(days, 2).tolist() == [0, 0, 0, 1]


def test_linear_fit_of_a_known_line() -> None:
    assert linear_fit(np.array([1.0, 2.0, 3.0]), np.array([3.0, 5.0, 7.0])) == pytest.approx((1, 2))
    assert linear_fit(np.ones(3), np.arange(3.0)) is None
    assert linear_fit(np.ones(1), np.ones(1)) is None


def test_rank_correlation_of_a_bent_curve_and_of_a_constant() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(x, x**5) == pytest.approx(1)
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 3.0])) == pytest.approx(0.5)
    assert spearman(np.ones(4), x) is None


@pytest.mark.parametrize("late", [-9, 0, 12])
def test_the_lag_is_how_late_the_series_runs(late: int) -> None:
    shifted = DailySeries(DAYS + late, SEASON)
    found = best_lag(shifted, series(SEASON))
    assert found is not None
    assert found["lag_days"] == late
    assert found["pearson_r"] == pytest.approx(1)
    assert not found["at_limit"]


def test_a_lag_beyond_those_tried_is_said_to_be_at_the_limit() -> None:
    found = best_lag(DailySeries(DAYS + 50, SEASON), series(SEASON))
    assert found is not None
    assert found["at_limit"]


def test_phases_of_a_season() -> None:
    phases = phase_days(DAYS, TRANSITIONS)
    spans = {name: DAYS[inside][[0, -1]].astype(str).tolist() for name, inside in phases.items() if name != "dormancy"}
    assert spans == {
        "green_up": ["2024-04-01", "2024-05-11"],
        "peak": ["2024-05-12", "2024-08-10"],
        "green_down": ["2024-08-11", "2024-10-10"],
    }
    assert sum(inside.sum() for inside in phases.values()) == len(DAYS)


def test_a_season_that_falls_as_soon_as_it_has_risen_has_no_peak() -> None:
    phases = phase_days(DAYS, Transitions(date(2024, 5, 1), date(2024, 6, 1), date(2024, 6, 21), date(2024, 8, 1)))
    assert not phases["peak"].any()
    assert not (phases["green_up"] & phases["green_down"]).any()
    assert phases["green_up"].sum() + phases["green_down"].sum() == 93


def test_phase_scores_name_where_the_error_lies() -> None:
    inside = phase_days(DAYS, TRANSITIONS)["peak"]
    noise = np.where(inside, 0.02 * (-1) ** np.arange(len(DAYS)), 0.0)
    found = skill(series(SEASON + noise), series(SEASON), TRANSITIONS, FEW)
    assert found is not None
    phases = found["phases"]
    assert phases["peak"]["rmse"] == pytest.approx(0.02, rel=0.1)
    assert phases["dormancy"]["rmse"] < 0.005
    assert sum(phase["n_samples"] for phase in phases.values()) == len(DAYS)


def test_intervals_hold_their_estimate() -> None:
    rng = np.random.default_rng(5)
    found = skill(series(SEASON + rng.normal(0, 0.02, len(DAYS))), series(SEASON), bootstrap=FEW)
    assert found is not None
    for name in ("rmse", "mae", "nse", "pearson_r"):
        low, high = found["calibrated"][f"{name}_interval"]
        assert low <= found["calibrated"][name] <= high


@pytest.mark.parametrize(
    ("predicted", "camera"),
    [
        (EMPTY, series(SEASON)),
        (series(SEASON), EMPTY),
        (series(SEASON, 60), series(SEASON)),
        (DailySeries(DAYS + 400, SEASON), series(SEASON)),
    ],
    ids=["no series", "no camera", "too few days", "no overlap"],
)
def test_without_common_days_there_is_no_skill(predicted: DailySeries, camera: DailySeries) -> None:
    assert skill(predicted, camera) is None
    assert best_lag(predicted, camera) is None


def test_a_constant_series_cannot_be_calibrated() -> None:
    found = skill(series(np.full(len(DAYS), 0.4)), series(SEASON), TRANSITIONS, FEW)
    assert found is not None
    assert found["calibrated"] is None
    assert found["camera_gain"] is None
    assert found["spearman_r"] is None
    assert found["lag"] is None
    assert found["phases"]["peak"]["rmse"] is None
    assert found["raw"]["rmse"] > 0


def test_a_constant_camera_leaves_nse_and_correlation_open() -> None:
    found = skill(series(SEASON), series(np.full(len(DAYS), 0.4)), bootstrap=FEW)
    assert found is not None
    assert found["calibrated"]["rmse"] == pytest.approx(0, abs=1e-12)
    assert found["calibrated"]["nse"] is None
    assert found["calibrated"]["nse_interval"] is None


def test_a_clearly_better_scenario_is_told_apart_and_twins_are_not() -> None:
    rng = np.random.default_rng(8)
    good, twin, bad = SCENARIOS[:3]
    noise = rng.normal(0, 1, (3, len(DAYS)))
    fused = {
        good: series(SEASON + 0.005 * noise[0]),
        twin: series(SEASON + 0.005 * noise[1]),
        bad: series(SEASON + 0.03 * noise[2]),
    }
    rows = {(row["first"], row["second"]): row for row in compare_scenarios(fused, series(SEASON), FEW)}
    assert len(rows) == 3
    assert rows[good.key, bad.key]["different"]
    assert rows[good.key, bad.key]["rmse_difference"] < 0
    assert rows[good.key, bad.key]["interval"][1] < 0
    assert not rows[good.key, twin.key]["different"]


def test_scenarios_without_common_days_are_compared_by_null() -> None:
    early, late = DailySeries(DAYS[:100], SEASON[:100]), DailySeries(DAYS[200:], SEASON[200:])
    (row,) = compare_scenarios({SCENARIOS[0]: early, SCENARIOS[1]: late}, series(SEASON), FEW)
    assert row["n_samples"] == 0
    assert row["rmse_difference"] is None
    assert row["different"] is None


def test_a_scenario_is_compared_with_the_baselines_of_its_own_strategy() -> None:
    rng = np.random.default_rng(8)
    scenario = next(one for one in SCENARIOS if one.strategy is Strategy.AGGRESSIVE)
    noisy = series(SEASON + rng.normal(0, 0.03, len(DAYS)))
    baselines = {"s2": noisy, "s3_aggressive": noisy, "s3_nonaggressive": noisy, "s2_cloudfree_aggressive": EMPTY}
    found = compare_with_baselines({scenario: series(SEASON)}, baselines, series(SEASON), FEW)
    assert [(row["first"], row["second"]) for row in found] == [
        (scenario.key, "s3_aggressive"),
        (scenario.key, "s2_cloudfree_aggressive"),
    ]
    assert found[0]["different"]
    assert found[0]["interval"][1] < 0, "fusion errs less"
    assert found[1]["p_holm"] is None


def test_the_whole_report_is_valid_json_for_every_region() -> None:
    fused = {SCENARIOS[0]: series(SEASON), SCENARIOS[1]: EMPTY}
    regions = {"GR_1000": CameraRegion(series(SEASON), "GR", TRANSITIONS), "EN_2000": CameraRegion(EMPTY, "EN")}
    report = season_skill(fused, {"s2": series(SEASON, 5)}, regions, FEW)
    json.dumps(report, allow_nan=False)
    grass, trees = report["regions"].values()
    assert (grass["vegetation"], trees["vegetation"]) == ("GR", "EN")
    assert grass["scenarios"][SCENARIOS[0].key]["phases"]["peak"]["n_samples"] > 0
    assert grass["baselines"]["s2"]["n_samples"] == 74
    assert trees["camera_days"] == 0
    assert trees["scenarios"][SCENARIOS[0].key] is None


def test_each_region_is_scored_against_its_own_camera_series() -> None:
    regions = {"GR": CameraRegion(series(SEASON)), "EN": CameraRegion(series(0.5 - SEASON))}
    report = season_skill({SCENARIOS[0]: series(SEASON)}, {}, regions, FEW)
    r = {name: region["scenarios"][SCENARIOS[0].key]["spearman_r"] for name, region in report["regions"].items()}
    assert r == {"GR": pytest.approx(1), "EN": pytest.approx(-1)}


def test_a_season_without_any_camera_is_an_empty_report() -> None:
    report = season_skill({SCENARIOS[0]: series(SEASON)}, {"s3_aggressive": series(SEASON)}, {}, FEW)
    assert report["regions"] == {}
    assert report["comparisons"] == []
    assert report["against_baselines"][0]["rmse_difference"] is None
