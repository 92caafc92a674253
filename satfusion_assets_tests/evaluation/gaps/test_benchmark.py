"""The benchmark of one site-season on a landscape whose outcome is known, and its reports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from satfusion_assets.evaluation.gaps.benchmark import Benchmark, GapOutcome, SceneScores, StrategyOutcome
from satfusion_assets.evaluation.gaps.competitors import WHITTAKER, GapMethod
from satfusion_assets.evaluation.gaps.crossover import crossover
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.gaps.stack import CloudPattern
from satfusion_assets.evaluation.gaps.windows import Transition, calendar_gaps, midpoints
from satfusion_assets.evaluation.moments import Moments
from satfusion_assets.evaluation.season_dates import season_period
from satfusion_assets.export.gap_reports import (
    ReportContext,
    date_offsets,
    gap_manifest,
    gap_metrics,
    main_scene,
    validation_summary,
    withheld_images,
)
from satfusion_assets.export.gap_tables import gap_summary, gap_table
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.sampling.window import window_gcc
from satfusion_assets.vocabulary.scenarios import EFAST_SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.conftest import GOLDENS
from satfusion_assets_tests.evaluation.gaps.builders import days, gap, stack

HERE = SiteSeason("innsbruck", 2024)
PERIOD = season_period(HERE, {"rising_50": date(2024, 5, 2), "falling_50": date(2024, 9, 13)})
CONTEXT = ReportContext(HERE, 47.1, 11.3, lambda day: f"{str(day).replace('-', '')}_REFL.tif", PERIOD)
BEST = Scenario.parse("aggressive_sigma20")
PULSE = 190
"""Day of year on which the landscape flushes green for a fortnight, between two scenes that see nothing of it."""


def flush(day: np.ndarray) -> np.ndarray:
    return 1 + 0.5 * np.exp(-(((day - PULSE) / 10.0) ** 2))


def season() -> SeasonStack:
    """Scenes every 8 days; Sentinel-3 sees the flush as it is. Texture keeps NSE defined."""
    numbers = np.arange(2, 364, 8)
    whole = stack(days(*numbers), flush(numbers))
    daily = flush((whole.coarse_days - days(0)[0]).astype(int)).astype(np.float32)
    texture = 1 + 0.05 * np.random.default_rng(0).standard_normal((1, 4, 12, 12)).astype(np.float32)
    coarse = whole.coarse[:1] * daily[:, None, None, None]
    return SeasonStack(whole.fine * texture, whole.fine_days, whole.cloud_distance, coarse, whole.coarse_days, 6)


def camera() -> DailySeries:
    every = days(*range(366))
    return DailySeries(every, 0.35 + 0.1 * flush(np.arange(366)))


@pytest.fixture(scope="module")
def outcomes() -> list[StrategyOutcome]:
    centres = midpoints(HERE, date(2024, 6, 1), date(2024, 8, 14))
    pattern = CloudPattern(
        2023, days(*range(0, 150, 8)) - 365, np.ones((19, 12, 12), dtype=bool), np.full((19, 2, 2), 20, np.float32)
    )
    benchmark = Benchmark(
        HERE,
        row=6,
        col=6,
        gaps=calendar_gaps(HERE, centres, lengths=(15, 30)),
        patterns={Strategy.AGGRESSIVE: pattern},
        starfm=True,
        scenarios=EFAST_SCENARIOS,
    )
    return benchmark.run({Strategy.AGGRESSIVE: season()})


@pytest.fixture(scope="module")
def report(outcomes: list[StrategyOutcome]) -> dict[str, Any]:
    return gap_metrics(
        CONTEXT, outcomes, camera(), find_dates=lambda series: {"rising_50": date(2024, 6, 28), "none": None}
    )


def by_key(outcomes: list[StrategyOutcome], key: str) -> GapOutcome:
    return next(outcome for outcome in outcomes[0].gaps if outcome.gap.key == key)


def test_fusion_sees_the_flush_that_scenes_alone_missed(outcomes: list[StrategyOutcome]) -> None:
    outcome = by_key(outcomes, "30_peak")
    rmse = {name: outcome.pooled(name, "nir").scores()["rmse"] for name in (BEST.key, "linear", "whittaker", "nearest")}
    assert all(rmse[BEST.key] < 0.2 * rmse[name] for name in rmse if name != BEST.key)


def test_all_methods_are_scored_on_the_same_pixels(outcomes: list[StrategyOutcome]) -> None:
    for outcome in outcomes[0].gaps:
        counts = {outcome.pooled(method, "gcc").n for method in outcome.scenes[0].common}
        assert len(counts) == 1
        assert "starfm" in outcome.scenes[0].common
        assert "starfm" not in outcome.series, "spatial tier only"


def test_longer_gaps_withhold_more(outcomes: list[StrategyOutcome]) -> None:
    assert len(by_key(outcomes, "15_green_up").scenes) < len(by_key(outcomes, "30_green_up").scenes)
    held = by_key(outcomes, "natural_2023")
    assert min(str(scene.day) for scene in held.scenes) > "2024-05-25", "only days that 2023 saw nothing of"


@pytest.mark.parametrize("pixel", [(14, 15), (17, 12), (0, 29)], ids=["inside", "across cells", "corner"])
@pytest.mark.parametrize(
    "method",
    [
        Fusion(BEST),
        Fusion(Scenario.parse("aggressive_itb_sigma30")),
        pytest.param(Fusion(Scenario.parse("aggressive_kriging")), marks=pytest.mark.slow),
        pytest.param(Fusion(Scenario.parse("aggressive_itb_kriging")), marks=pytest.mark.slow),
        WHITTAKER,
    ],
)
def test_the_series_of_a_part_is_the_series_of_the_whole(method: GapMethod, pixel: tuple[int, int]) -> None:
    """The temporal tier predicts only around the site, and nothing is lost by it."""
    rng = np.random.default_rng(4)
    whole = stack(days(*range(80, 200, 12)), rng.uniform(0.8, 1.2, 10), size=5)
    fine = whole.fine * rng.uniform(0.9, 1.1, whole.fine.shape).astype(np.float32)
    fine[rng.random((10, 5, 5)).repeat(6, axis=1).repeat(6, axis=2)[:, None].repeat(4, axis=1) < 0.3] = np.nan
    coarse = whole.coarse * rng.uniform(0.9, 1.1, whole.coarse.shape).astype(np.float32)
    distance = rng.uniform(0, 20, whole.cloud_distance.shape).astype(np.float32)
    whole = replace(whole, fine=fine, coarse=coarse, cloud_distance=distance)
    part, row, col = whole.around(*pixel, method.reach)
    wanted = days(*range(80, 200, 7))
    of_part = window_gcc(method.predict(part, wanted).values, row, col)
    assert np.isfinite(of_part).any()
    np.testing.assert_array_equal(of_part, window_gcc(method.predict(whole, wanted).values, *pixel))


def test_the_temporal_tier_has_every_method_but_starfm(outcomes: list[StrategyOutcome]) -> None:
    series = outcomes[0].no_gap_series
    assert set(series) == {
        "aggressive_sigma20", "aggressive_sigma30", "aggressive_itb_sigma20", "aggressive_itb_sigma30",
        "nearest", "linear", "whittaker", "harmonic",
    }  # fmt: skip
    assert len(series[BEST.key]) == 366


@pytest.mark.parametrize("key", ["aggressive_kriging", pytest.param("aggressive_itb_kriging", marks=pytest.mark.slow)])
def test_kriging_takes_part_in_every_tier_and_in_the_report(key: str) -> None:
    """It learns anew from what each gap leaves, so one gap has to do."""
    gaps = calendar_gaps(HERE, midpoints(HERE, date(2024, 6, 1), date(2024, 8, 14)), lengths=(15,))[:1]
    outcomes = Benchmark(HERE, row=6, col=6, gaps=gaps, scenarios=[Scenario.parse(key)]).run(
        {Strategy.AGGRESSIVE: season()}
    )
    (outcome,) = outcomes[0].gaps
    assert {key, "linear"} <= set(outcome.scenes[0].common)
    assert {key, "linear"} <= set(outcome.series) & set(outcomes[0].no_gap_series)
    (row,) = gap_metrics(CONTEXT, outcomes, camera())["strategies"]["aggressive"]["gaps"]
    assert row["spatial"][key]["gcc"]["n_pixels"] == row["n_withheld_pixels"]
    assert row["temporal"][key]["n_samples"] > 300


def test_reports_are_valid_json_with_the_contracts_keys(
    outcomes: list[StrategyOutcome], report: dict[str, Any]
) -> None:
    calendar = [outcome for outcome in outcomes[0].gaps if outcome.gap.transition is not Transition.NATURAL]
    manifest = gap_manifest(CONTEXT, Strategy.AGGRESSIVE, calendar)
    summary = validation_summary(CONTEXT, BEST, calendar, {"15_peak": {"fused_gap": "a.tif"}})
    images = withheld_images(CONTEXT, calendar)
    json.dumps([manifest, summary, images, report], allow_nan=False)
    assert all(one["period"] == PERIOD for one in (manifest, summary, images, report))
    entry = next(row for row in manifest["entries"] if (row["gap_days"], row["transition"]) == (15, "peak"))
    assert entry["midpoint_date"] == "2024-07-08"
    assert entry["prediction_date"] == entry["withheld_s2_date"] == "2024-07-05"
    assert entry["withheld_s2_filename"] == "20240705_REFL.tif"
    assert [row["date"] for row in entry["withheld"]] == ["2024-07-05", "2024-07-13"]
    result = next(row for row in summary["results"] if (row["gap_days"], row["transition"]) == (15, "peak"))
    assert result["scenario"] == {"strategy": "aggressive", "sigma": 20, "mode": "bti"}
    assert result["paths"] == {"fused_gap": "a.tif", "fused_no_gap": None, "withheld_s2_refl": None}
    assert set(result["spatial"]) == {"gap", "no_gap", "delta_rmse", "delta_nse", "whittaker"}
    assert result["spatial"]["gap"]["n_pixels"] == 144
    assert list(summary["whittaker_crossover"]) == [BEST.key]
    assert len(images["gaps"]) == 6


def test_every_tier_is_reported(report: dict[str, Any]) -> None:
    gaps = report["strategies"]["aggressive"]["gaps"]
    assert [row["key"] for row in gaps][-1] == "natural_2023"
    scores = gaps[0]["spatial"]["linear"]["gcc"]
    assert scores["n_pixels"] == scores["own"]["n_pixels"] == gaps[0]["n_withheld_pixels"]
    assert scores["estimated_share"] == 1
    assert "nir" not in gaps[0]["spatial"]["aggressive_itb_sigma20"]
    assert gaps[0]["temporal"][BEST.key]["n_samples"] == 366
    assert gaps[0]["phenology"]["whittaker"] == {"rising_50": 0, "none": None}
    by_gap = report["crossover"][BEST.key]["linear"]["peak"]["by_gap"]
    assert [(row["share_fusion"], row["share_competitor"]) for row in by_gap] == [(1, 1), (1, 1)]
    assert report["crossover"][BEST.key]["linear"]["peak"]["first_gap_days_fusion_mostly_silent"] is None
    assert report["strategies"]["aggressive"]["natural_pattern_season"] == 2023
    assert set(report["crossover"][BEST.key]) == {"nearest", "linear", "whittaker", "harmonic", "starfm"}


def test_a_season_without_camera_has_no_temporal_scores(outcomes: list[StrategyOutcome]) -> None:
    found = gap_metrics(CONTEXT, outcomes, DailySeries.of([], []))
    gaps = found["strategies"]["aggressive"]["gaps"]
    assert set(gaps[0]["temporal"].values()) == {None}
    assert gaps[0]["phenology"] is None


def test_a_gap_without_scenes_is_reported_empty() -> None:
    outcome = GapOutcome(gap(date(2024, 7, 1), date(2024, 7, 30)), Strategy.AGGRESSIVE, (), {}, {})
    assert gap_manifest(CONTEXT, Strategy.AGGRESSIVE, [outcome])["entries"][0]["withheld_s2_date"] is None
    summary = validation_summary(CONTEXT, BEST, [outcome], {})
    assert summary["results"][0]["spatial"]["gap"]["n_pixels"] == 0
    assert summary["results"][0]["spatial"]["delta_rmse"] is None


def test_the_main_scene_is_the_one_nearest_to_the_midpoint() -> None:
    with np.load(GOLDENS / "gap" / "case01.npz") as case:
        params = json.loads(str(case["params"]))
    scenes = tuple(SceneScores(np.datetime64(day), 1, {}, {}, {}) for day in params["s2_days"])
    for row in params["nearest"]:
        day = date.fromisoformat(row["prediction"])
        found = main_scene(GapOutcome(gap(day, day), Strategy.AGGRESSIVE, scenes, {}, {}))
        assert found is not None
        assert str(found.day) == row["nearest"]


def test_crossover_of_the_reference() -> None:
    with np.load(GOLDENS / "gap" / "case01.npz") as case:
        params = json.loads(str(case["params"]))
    rows = params["crossover_rows"]
    found = crossover(*([row[name] for row in rows] for name in ("gap_days", "f", "w")))
    assert found["first_gap_days_fusion_nse_below"] == params["crossover"] == 60
    assert found["first_gap_days_fusion_nse_above"] == 15
    assert [row["gap_days"] for row in found["by_gap"]] == [7, 15, 30, 60, 90]
    assert crossover([], [], [])["first_gap_days_fusion_nse_below"] is None


def test_offsets_of_dates() -> None:
    truth = {"rising_50": date(2024, 5, 1), "falling_50": date(2024, 9, 1), "rising_10": None}
    found = {"rising_50": date(2024, 5, 4), "falling_50": None, "rising_10": date(2024, 4, 1)}
    assert date_offsets(found, truth) == {"rising_50": 3, "falling_50": None, "rising_10": None}


def test_the_table_over_sites_and_its_summary(report: dict[str, Any]) -> None:
    other = report | {"site_name": "forthgr"}
    table = gap_table([report, other])
    assert set(table["site"]) == {"innsbruck", "forthgr"}
    summary = gap_summary(table).set_index(["method", "quantity", "gap_days"])
    assert summary.loc[("linear", "nir", 30), "n_gaps"] == 6
    assert summary["fusion_wins"].loc[("linear", "nir", 30)] > 0
    assert np.isnan(summary["fusion_wins"].loc[(BEST.key, "nir", 30)])
    assert len(gap_table([])) == len(gap_summary(gap_table([]))) == 0


def test_no_pixels_pool_to_nothing() -> None:
    assert (Moments() + Moments()).scores()["n_pixels"] == 0


def test_a_gap_that_takes_every_scene_leaves_nothing_to_score() -> None:
    only = gap(date(2024, 7, 1), date(2024, 7, 30))
    (outcome,) = Benchmark(HERE, 6, 6, [only]).run({Strategy.AGGRESSIVE: stack(days(185, 195), np.array([0.9, 1.1]))})
    (found,) = outcome.gaps
    assert len(found.scenes) == 2
    assert found.pooled("linear", "gcc").n == 0
    assert {len(series) for series in found.series.values()} == {0}
    assert len(outcome.no_gap_series[BEST.key]) > 0


def test_a_gap_beyond_the_reach_of_fusion_is_said_to_be_silent() -> None:
    """Scenes on days 20 and 270 alone frame the gap: EFAST, which reaches 30 days, says nothing in the middle."""
    whole = stack(days(20, 140, 145, 150, 270), np.ones(5))
    inside = gap(date(2024, 3, 1), date(2024, 7, 1))
    (outcome,) = Benchmark(HERE, 6, 6, [inside]).run({Strategy.AGGRESSIVE: whole})
    report = gap_metrics(CONTEXT, [outcome], camera())
    found = report["crossover"][BEST.key]["linear"][str(inside.transition)]
    assert found["first_gap_days_fusion_mostly_silent"] == inside.days
    assert found["by_gap"][0]["share_fusion"] == 0
    assert found["by_gap"][0]["share_competitor"] == 1
    assert report["strategies"]["aggressive"]["natural_pattern_season"] is None


def test_a_season_without_scenes_runs_through() -> None:
    empty = stack(days(185), np.ones(1)).scenes(np.array([False]))
    (outcome,) = Benchmark(HERE, 6, 6, [gap(date(2024, 7, 1), date(2024, 7, 30))]).run({Strategy.AGGRESSIVE: empty})
    assert outcome.gaps[0].scenes == ()
    json.dumps(gap_metrics(CONTEXT, [outcome], camera()), allow_nan=False)
