"""What fusing adds for a camera: where a coarse cell hides the footprint, and what the paired test makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from satfusion_assets.evaluation.footprints import COARSE
from satfusion_assets.evaluation.gaps.competitors import Prediction
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.truth.benefit import Cameras, benefit_rows, true_series
from satfusion_assets.truth.paired import LEAST_TESTED, benefit
from satfusion_assets.truth.scoring import Truth
from satfusion_assets.truth.season import ScoredSeason
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.evaluation.gaps.builders import days, stack

SEASON = days(*range(60, 300, 3))
SIZE = 12
COVER = np.ones((SIZE, SIZE), dtype=int)


def season(when: Days, middle: float) -> np.ndarray:
    """GCC of a growing season whose rise lies at ``middle``."""
    day = (when - days(0)[0]).astype(float)
    return 0.33 + 0.12 / (1 + np.exp(-(day - middle) / 8))


def reflectance(when: Days) -> np.ndarray:
    """The left half of every cell rises forty days before the right."""
    gcc = np.stack([season(when, 120), season(when, 160)], axis=1)
    columns = (np.arange(SIZE) % 6 >= 3).astype(int)
    green = np.broadcast_to(gcc[:, columns][:, None, :], (len(when), SIZE, SIZE))
    bands = np.stack([(1 - green) / 2, green, (1 - green) / 2, np.full_like(green, 0.3)], axis=1)
    return bands.astype(np.float32)


class Known:
    """A fusion that knows everything, with colours of its own."""

    name, reach = "aggressive_sigma20", 0

    def predict(self, stack: SeasonStack, when: Days) -> Prediction:
        truth = reflectance(when)
        truth[:, 1] *= 1.1
        return Prediction(truth)


class Coarse:
    """One that knows no more than its cell."""

    name, reach = "linear", 0

    def predict(self, stack: SeasonStack, when: Days) -> Prediction:
        truth = reflectance(when).reshape(len(when), 4, 2, 6, 2, 6).mean(axis=(3, 5))
        return Prediction(np.repeat(np.repeat(truth, 6, axis=2), 6, axis=3))


def judged(known: SeasonStack) -> ScoredSeason:
    def no_snow(when: Days) -> np.ndarray:
        return np.zeros((len(when), SIZE, SIZE))

    truth = Truth(reflectance, COVER, {1: "grass"}, no_snow)
    return ScoredSeason.of(Strategy.AGGRESSIVE, known, truth, SEASON, [Known(), Coarse()])


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    coarse = stack(days(60, 300), np.ones(2))
    values = reflectance(coarse.coarse_days).reshape(len(coarse.coarse_days), 4, 2, 6, 2, 6).mean(axis=(3, 5))
    known = judged(replace(coarse, coarse=values.astype(np.float32)))
    pixel = np.zeros((2, SIZE * SIZE))
    pixel[0, 0] = pixel[1, 4] = 1
    weights = csr_matrix(pixel)
    return list(benefit_rows(known, Cameras("place", weights, ("grass", "grass"), true_series(known, weights))))


def rmse(rows: list[dict[str, Any]], other: str, stratum: str, side: str) -> float:
    chosen = [row for row in rows if (row["b"], row["stratum"]) == (other, stratum)]
    return float(np.sqrt(sum(row[f"sse_{side}"] for row in chosen) / sum(row["n"] for row in chosen)))


def test_who_knows_the_pixel_beats_the_cell_where_fine_structure_matters(rows: list[dict[str, Any]]) -> None:
    for other in (COARSE[0], "linear"):
        assert rmse(rows, other, "fine", "a") < 0.1 * rmse(rows, other, "fine", "b")
    assert rmse(rows, COARSE[0], "fine", "b") >= 0.01


def test_strata_divide_all_days_and_places(rows: list[dict[str, Any]]) -> None:
    count = {
        stratum: sum(row["n"] for row in rows if (row["b"], row["stratum"]) == ("linear", stratum))
        for stratum in ("all", "fine", "coarse", "grass")
    }
    assert count["fine"] + count["coarse"] == count["all"] == count["grass"] == 2 * len(SEASON)
    assert 0 < count["fine"] < count["all"]


def population(gain: float, landscapes: int, noise: float = 0.3) -> pd.DataFrame:
    """Landscapes on which the first series' squared error is ``gain`` times the second's, give or take."""

    def lines() -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(3)
        for seed in range(1, landscapes + 1):
            for day in SEASON:
                other = float(rng.uniform(0.5, 1.5))
                yield {
                    **{"site": "innsbruck", "season": 2024, "seed": seed, "landscape": "hard", "target": "place"},
                    **{"strategy": "aggressive", "stratum": "all", "a": "ours", "b": "linear", "day": str(day), "n": 5},
                    **{"sse_a": other * gain * float(np.exp(rng.normal(-(noise**2) / 2, noise))), "sse_b": other},
                }

    return pd.DataFrame(lines())


def test_a_gain_on_every_landscape_is_found_with_its_size() -> None:
    (row,) = benefit(population(0.64, 6, 0.1)).to_dict("records")
    assert row["difference"] == pytest.approx(-0.2, abs=0.02)
    assert row["low"] < -0.2 < row["high"] < -0.1
    assert (row["a_wins"], row["landscapes"], row["n"]) == (6, 6, 6 * 5 * len(SEASON))
    assert row["adjusted"] < 0.05


def test_one_landscape_where_the_other_is_nearly_without_error_settles_nothing() -> None:
    table = population(0.25, 12, 0.0)
    table.loc[table.seed == 12, "sse_a"] = 1e6 * table.sse_b
    (row,) = benefit(table).to_dict("records")
    assert row["a_wins"] == 11
    assert row["difference"] == pytest.approx((0.5**11 * 1000) ** (1 / 12) - 1, abs=0.01)
    assert row["low"] < row["difference"] < 0 < row["high"]


def test_no_gain_is_not_called_one() -> None:
    (row,) = benefit(population(1.0, 6)).to_dict("records")
    assert row["adjusted"] > 0.05
    assert row["low"] < 0 < row["high"]


def test_few_landscapes_test_nothing() -> None:
    few = LEAST_TESTED - 1
    (row,) = benefit(population(0.5, few)).to_dict("records")
    assert row["a_wins"] == few
    assert (row["p"], row["low"]) == (None, None)


def test_what_is_not_tested_has_no_say_in_what_is() -> None:
    many = population(0.64, 6, 0.1)
    beside = population(1.0, 2).assign(b="whittaker")
    rows = {row["b"]: row for row in benefit(pd.concat([many, beside])).to_dict("records")}
    assert [rows["whittaker"][name] for name in ("low", "high", "p", "adjusted")] == [None] * 4
    assert rows["linear"]["adjusted"] == rows["linear"]["p"], "one test needs no adjustment"
