"""A population's judgement: pairs on what both estimate, wins counted by landscape, sentences with their counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from satfusion_assets.truth.population import pair_rows, sentence, standings
from satfusion_assets.truth.population_report import population_page
from satfusion_assets.truth.scoring import Truth
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.evaluation.gaps.builders import days, stack
from satfusion_assets_tests.truth.test_truth import COVER, SEASON, Offset, no_snow, true_reflectance


def pairs(*methods: Offset) -> list[dict[str, Any]]:
    truth = Truth(true_reflectance, COVER, {1: "grass", 2: "water"}, no_snow)
    return pair_rows(Strategy.AGGRESSIVE, stack(days(100, 120), np.ones(2)), truth, SEASON, methods)


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


def test_competitors_are_not_held_against_one_another() -> None:
    rows = pairs(Offset("ours", 0.01), Offset("linear", 0.02), Offset("nearest", 0.03))
    assert {(row["a"], row["b"]) for row in rows} == {("ours", "linear"), ("ours", "nearest")}


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


def test_the_page_counts_its_landscapes_and_says_when_they_are_too_few() -> None:
    few = population_page(population([0.9, 0.8], [1.0, 1.0]), "the command")
    assert "fewer than the 12" in few
    assert "in 2 of 2 hard landscapes" in few
    assert "the command" in few
    assert "What the sandbox still cannot show" in few
    assert "fewer than the 12" not in population_page(population([0.9] * 12, [1.0] * 12), "the command")
