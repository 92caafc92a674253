"""Scores against the camera: the reference's numbers, hand-computed ones, and degenerate input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from satfusion_assets.evaluation import scores
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets_tests.conftest import GOLDENS
from satfusion_assets_tests.evaluation.seasons import metrics_of

CASES = sorted((GOLDENS / "metrics").glob("case*.json"))


def series(values: dict[str, float | None]) -> DailySeries:
    return DailySeries.of(values, values.values())


def expected(metrics: dict[str, Any]) -> dict[str, Any]:
    """The reference's scores, where a constant truth leaves undefined what it reports as nan and -8e29."""
    if metrics["pearson_r"] == "nan":
        return metrics | dict.fromkeys(("pearson_r", "r_squared", "nse_pc", "nse"))
    return metrics


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_scores_of_the_reference(path: Path) -> None:
    case = json.loads(path.read_text())
    found = scores.temporal_scores(series(case["fusion"]), series(case["phenocam"]))
    if case["metrics"] is None:
        assert found is None
        return
    assert found is not None
    wanted = expected(case["metrics"])
    residual = wanted.pop("residual_vs_phenocam")
    assert found.pop("residual_vs_phenocam") == pytest.approx(residual, abs=1e-12)
    assert found.pop("date_range") == wanted.pop("date_range")
    assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_camera_statistics_of_the_reference(path: Path) -> None:
    case = json.loads(path.read_text())
    assert scores.phenocam_stats(series(case["phenocam"])) == pytest.approx(case["phenocam_stats"], abs=1e-12)


def test_derived_comparisons_of_the_reference() -> None:
    case = json.loads((GOLDENS / "metrics" / "derived01.json").read_text())
    found = scores.derived(case["temporal"])
    wanted = case["derived"]
    for mode, by_strategy in wanted["delta_nse_pc_sigma20_minus_sigma30"].items():
        assert found["delta_nse_pc_sigma20_minus_sigma30"][mode] == pytest.approx(by_strategy, abs=1e-12)
    assert found["bti_vs_itb_mean_residual"] == wanted["bti_vs_itb_mean_residual"]


def test_a_perfect_series_and_the_mean_of_the_camera() -> None:
    y = np.array([0.3, 0.4, 0.5])
    assert scores.nse(y, y) == 1
    assert scores.nse(np.full(3, 0.4), y) == pytest.approx(0)
    assert scores.pearson(np.full(3, 0.4), y) is None
    assert scores.pearson(-y, y) == pytest.approx(-1)


def test_r_squared_of_the_contract_is_nse_and_the_square_of_r_has_a_key() -> None:
    """A biased series that follows the camera perfectly explains all its variance and is no better than its mean."""
    days = np.arange("2024-05-01", "2024-06-01", dtype="datetime64[D]")
    camera = DailySeries(days, 0.4 + 0.05 * np.sin(np.arange(len(days)) / 5))
    biased = DailySeries(days, 0.5 * camera.values + 0.3)
    found = scores.series_scores(biased, camera)
    assert found is not None
    assert found["r_squared"] == found["nse"] < 0
    assert found["pearson_r2"] == pytest.approx(1)
    constant = scores.series_scores(DailySeries(days, np.full(len(days), 0.4)), camera)
    assert constant is not None
    assert constant["pearson_r2"] is None


def test_masked_and_unmasked_scenes_have_keys_of_their_own() -> None:
    days = np.arange("2023-12-01", "2024-03-01", dtype="datetime64[D]")
    camera = DailySeries(days[31:], np.linspace(0.3, 0.4, len(days) - 31))
    kept = DailySeries(days[::5], np.linspace(0.3, 0.4, len(days[::5])))
    season = scores.SeasonSeries(
        camera=camera,
        fused={},
        s2_all=kept,
        s2_cloudfree={Strategy.AGGRESSIVE: kept},
        s3={},
        s2_masked={Strategy.AGGRESSIVE: DailySeries(kept.days[8:12], kept.values[8:12])},
    )
    found = scores.baselines(season)
    counts = {key: of["aggressive"]["n_samples"] for key, of in found.items() if key not in ("s2", "s3")}
    assert counts == {
        "s2_cloudfree": 12,
        "s2_whittaker_lambda400": 60,
        "s2_masked": 4,
        "s2_masked_whittaker_lambda400": 16,
    }


def test_nothing_at_all_scores_null() -> None:
    empty = DailySeries.of([], [])
    nothing = scores.SeasonSeries(
        camera=empty,
        fused=dict.fromkeys(SCENARIOS, empty),
        s2_all=empty,
        s2_cloudfree=dict.fromkeys(Strategy, empty),
        s3=dict.fromkeys(Strategy, empty),
    )
    metrics = metrics_of(nothing)
    assert metrics["phenocam_stats"] is None
    assert set(metrics["temporal"].values()) == {None}
    assert metrics["derived"]["bti_vs_itb_mean_residual"][0]["mean_residual_bti"] is None
    json.dumps(metrics, allow_nan=False)


def test_the_roll_up_has_every_scenario_and_baseline() -> None:
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    wave = DailySeries(days, 0.4 + 0.1 * np.sin(np.arange(len(days)) / 9))
    sparse = DailySeries(days[::7], wave.values[::7])
    season = scores.SeasonSeries(
        camera=wave,
        fused=dict.fromkeys(SCENARIOS, wave),
        s2_all=sparse,
        s2_cloudfree=dict.fromkeys(Strategy, sparse),
        s3=dict.fromkeys(Strategy, wave),
    )
    metrics = metrics_of(season)
    assert sorted(metrics["temporal"]) == sorted(scenario.score_key for scenario in SCENARIOS)
    assert metrics["temporal"]["aggressive_sigma20_itb"]["nse_pc"] == 1
    baseline = metrics["baseline"]
    assert baseline["s2"]["n_samples"] == 9
    assert baseline["s2_whittaker_lambda400"]["aggressive"]["n_samples"] == 57
    assert baseline["s3"]["nonaggressive"]["rmse"] == 0
    assert metrics["derived"]["delta_nse_pc_sigma20_minus_sigma30"]["bti"]["aggressive"] == 0
