"""A population's judgement: pairs on what both estimate, wins counted by landscape, sentences with their counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from satfusion_assets.truth.pairs import calibration_rows, pair_rows
from satfusion_assets.truth.population import sentence, standings
from satfusion_assets.truth.scoring import Truth
from satfusion_assets.truth.season import ScoredSeason
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.evaluation.gaps.builders import days, stack
from satfusion_assets_tests.truth.test_truth import COVER, SEASON, Offset, no_snow, true_reflectance


def judged(*methods: Offset, snow: Any = no_snow) -> ScoredSeason:
    truth = Truth(true_reflectance, COVER, {1: "grass", 2: "water"}, snow)
    return ScoredSeason.of(Strategy.AGGRESSIVE, stack(days(100, 120), np.ones(2)), truth, SEASON, methods)


def pairs(*methods: Offset) -> list[dict[str, Any]]:
    return list(pair_rows(judged(*methods)))


def whole(rows: list[dict[str, Any]], a: str, b: str) -> dict[str, Any]:
    (found,) = [r for r in rows if (r["a"], r["b"], r["quantity"], r["stratum"]) == (a, b, "nir", "snow_free")]
    return found


def test_a_method_that_estimates_little_does_not_take_pixels_from_another_pair() -> None:
    rows = pairs(Offset("ours", 0.01), Offset("shy", 0.02, shy=True), Offset("third", 0.03))
    beside_shy, without = whole(rows, "ours", "shy"), whole(rows, "ours", "third")
    assert beside_shy["share"] == pytest.approx(0.5)
    assert without["share"] == pytest.approx(1.0)
    assert without["n"] == 2 * beside_shy["n"]
    assert (without["rmse_a"], without["rmse_b"]) == pytest.approx((0.01, 0.03), rel=1e-4)


def test_a_method_with_itself_has_its_own_pixels() -> None:
    rows = pairs(Offset("ours", 0.01), Offset("shy", 0.02, shy=True))
    assert whole(rows, "shy", "shy")["share"] == pytest.approx(0.5)
    assert whole(rows, "ours", "ours")["share"] == pytest.approx(1.0)


def test_strata_add_up_and_snow_is_in_none() -> None:
    def snow(when: Any) -> Any:
        return np.broadcast_to((when < SEASON[10])[:, None, None], (len(when), 12, 12)).astype(np.float32)

    rows = list(pair_rows(judged(Offset("ours", 0.01), Offset("other", 0.02), snow=snow)))
    of = {
        (row["stratum_kind"], row["stratum"]): row["n"]
        for row in rows
        if (row["a"], row["b"], row["quantity"]) == ("ours", "other", "nir")
    }
    everything = (len(SEASON) - 10) * COVER.size
    for kind in ("ground", "land_cover", "days_to_clear"):
        assert sum(n for (of_kind, _), n in of.items() if of_kind == kind) == everything


def test_calibration_is_of_methods_that_state_a_deviation() -> None:
    rows = list(calibration_rows(judged(Offset("sure", 0.02, sd=0.015), Offset("silent", 0.01))))
    assert {row["method"] for row in rows} == {"sure"}
    (nir,) = [row for row in rows if (row["quantity"], row["stratum"]) == ("nir", "snow_free")]
    assert (nir["coverage_68"], nir["coverage_95"]) == (0, 1)


def population(rmse_a: list[float], rmse_b: list[float]) -> pd.DataFrame:
    """A table as a run leaves it, one landscape a pair of RMSE."""
    fixed = {"site": "innsbruck", "season": 2024, "landscape": "hard", "strategy": "aggressive"}
    fixed |= {"a": "aggressive_sigma20", "b": "linear", "quantity": "gcc", "stratum_kind": "ground"}
    fixed |= {"stratum": "snow_free", "n": 10, "share": 0.9}
    return pd.DataFrame(
        [fixed | {"seed": n, "rmse_a": a, "rmse_b": b} for n, (a, b) in enumerate(zip(rmse_a, rmse_b, strict=True), 1)]
    )


def test_wins_ties_and_the_spread_are_counted_by_landscape() -> None:
    (row,) = standings(population([0.8, 0.9, 1.2, 1.005], [1.0] * 4))
    assert (row["landscapes"], row["a_wins"], row["ties"], row["b_wins"]) == (4, 2, 1, 1)
    assert row["mean_difference"] == pytest.approx((-0.2 - 0.1 + 0.2 + 0.005) / 4)
    assert row["spread"] == pytest.approx(np.std([-0.2, -0.1, 0.2, 0.005], ddof=1))


def test_a_sentence_names_the_winner_by_count_whichever_side_it_stands_on() -> None:
    (lost,) = standings(population([1.1] * 11 + [0.9], [1.0] * 12))
    assert sentence(lost).startswith(
        "linear is nearer to the truth than aggressive_sigma20 in 11 of 12 hard landscapes"
    )
    (won,) = standings(population([0.9] * 11 + [1.1], [1.0] * 12))
    assert sentence(won).startswith("aggressive_sigma20 is nearer to the truth than linear in 11 of 12 hard")


def test_one_landscape_has_no_spread() -> None:
    (row,) = standings(population([0.9], [1.0]))
    assert row["spread"] is None
