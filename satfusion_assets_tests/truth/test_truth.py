"""The truth report on landscapes whose errors can be worked out by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from satfusion_assets.evaluation.gaps.competitors import Prediction
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.truth.scoring import Truth, days_to_clear, fusion_losses, truth_rows, truth_table
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.evaluation.gaps.builders import SPECTRUM, days, stack

COVER = np.repeat([[1, 2]], 12, axis=0).repeat(6, axis=1)
"""Left half grass, right half water."""
SEASON = days(*range(100, 130))


@dataclass(frozen=True)
class Offset:
    """The truth plus a constant, silent on the right half if ``shy``; states ``sd`` where it has one."""

    name: str
    offset: float
    shy: bool = False
    sd: float | None = None
    reach: int = 0

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        values = true_reflectance(days) + np.float32(self.offset)
        if self.shy:
            values[..., 6:] = np.nan
        return Prediction(values, None if self.sd is None else np.full_like(values, self.sd))


def true_reflectance(when: Days) -> np.ndarray:
    level = np.linspace(0.8, 1.2, 12, dtype=np.float32)[None, None, :, None]
    return np.broadcast_to(SPECTRUM[None, :, None, None] * level, (len(when), 4, 12, 12)).astype(np.float32)


def no_snow(when: Days) -> np.ndarray:
    return np.zeros((len(when), 12, 12))


def rows_of(*methods: Offset) -> list[dict[str, Any]]:
    truth = Truth(true_reflectance, COVER, {1: "grass", 2: "water"}, no_snow)
    return truth_rows(Strategy.AGGRESSIVE, stack(days(100, 120), np.ones(2)), truth, SEASON, methods)


def row(
    rows: list[dict[str, Any]], method: str, quantity: str, kind: str = "all", stratum: str = "all"
) -> dict[str, Any]:
    (found,) = [
        item
        for item in rows
        if (item["method"], item["quantity"], item["stratum_kind"], item["stratum"])
        == (method, quantity, kind, stratum)
    ]
    return found


def test_a_constant_offset_is_its_rmse_and_bias_in_every_stratum() -> None:
    rows = rows_of(Offset("high", 0.02))
    for kind, stratum, pixels in (
        ("all", "all", 30 * 144),
        ("land_cover", "water", 30 * 72),
        ("day", "2024-04-11", 144),
        ("month", "04", 21 * 144),
        ("days_to_clear", "0", 2 * 144),
        ("days_to_clear", "1-3", 9 * 144),
    ):
        found = row(rows, "high", "nir", kind, stratum)
        assert found["n"] == pixels
        assert found["rmse"] == pytest.approx(0.02, rel=1e-4)
        assert found["bias"] == pytest.approx(0.02, rel=1e-4)
        assert found["r"] == pytest.approx(1)
        assert found["estimated_share"] == 1
    json.dumps(rows, allow_nan=False)


def test_snow_is_a_stratum_of_its_own_and_in_no_other() -> None:
    """The first ten days lie under snow; the method is off by 0.5 there and right elsewhere."""

    @dataclass(frozen=True)
    class Blind(Offset):
        def predict(self, stack: SeasonStack, days: Days) -> Prediction:
            white = (days < SEASON[10])[:, None, None, None] * np.float32(0.5)
            return Prediction(true_reflectance(days) + white)

    def snow(when: Days) -> np.ndarray:
        return np.broadcast_to((when < SEASON[10])[:, None, None], (len(when), 12, 12)).astype(np.float32)

    truth = Truth(true_reflectance, COVER, {1: "grass"}, snow)
    rows = truth_rows(Strategy.AGGRESSIVE, stack(days(100, 120), np.ones(2)), truth, SEASON, [Blind("blind", 0)])
    assert row(rows, "blind", "nir", "ground", "snow")["rmse"] == pytest.approx(0.5, rel=1e-4)
    assert row(rows, "blind", "nir", "ground", "snow_free")["rmse"] == pytest.approx(0, abs=1e-6)
    assert row(rows, "blind", "nir", "land_cover", "class 2")["rmse"] == pytest.approx(0, abs=1e-6)
    assert row(rows, "blind", "nir")["n"] == 30 * 144


def test_silence_is_counted_and_scores_stay_on_common_pixels() -> None:
    rows = rows_of(Offset("bold", 0.02), Offset("shy", 0.01, shy=True))
    assert row(rows, "shy", "red")["estimated_share"] == 0.5
    assert row(rows, "bold", "red")["estimated_share"] == 1
    assert row(rows, "bold", "red")["n"] == row(rows, "shy", "red")["n"] == 30 * 72
    water = row(rows, "bold", "red", "land_cover", "water")
    assert water["n"] == 0
    assert water["rmse"] is None


def test_calibration_against_the_truth() -> None:
    rows = rows_of(Offset("wide", 0.02, sd=0.03), Offset("narrow", 0.02, sd=0.005))
    assert row(rows, "wide", "blue")["coverage_68"] == 1
    assert row(rows, "narrow", "blue")["coverage_95"] == 0
    assert row(rows, "wide", "gcc")["coverage_68"] is None, "no uncertainty is stated for the index"
    assert row(rows, "wide", "blue")["crps"] < row(rows, "narrow", "blue")["crps"]


def test_where_fusion_loses_is_said_with_names_and_numbers() -> None:
    rows = rows_of(Offset("aggressive_sigma20", 0.03), Offset("aggressive_sigma30", 0.02), Offset("linear", 0.01))
    losses = fusion_losses(rows)
    nir = next(loss for loss in losses if (loss["quantity"], loss["stratum_kind"]) == ("nir", "all"))
    assert nir["scenario"] == "aggressive_sigma30"
    assert nir["competitor"] == "linear"
    assert nir["loss"] == pytest.approx(1, rel=1e-3)
    assert fusion_losses(rows_of(Offset("aggressive_sigma20", 0.01), Offset("linear", 0.02))) == []


def test_days_to_the_nearest_clear_scene_are_the_pixels_own() -> None:
    whole = stack(days(100, 120), np.ones(2))
    whole.fine[1, 0, 0, 0] = np.nan
    distance = days_to_clear(whole, days(118))
    assert distance[0, 0, 0] == 18
    assert distance[0, 5, 5] == 2
    never = whole.scenes(np.array([False, False]))
    assert (days_to_clear(never, days(118)) == 9999).all()


def test_the_engine_and_the_competitors_run_through() -> None:
    whole = stack(days(*range(60, 160, 10)), np.ones(10))
    # Kriging learns the scatter of scenes, of which there has to be some.
    scatter = np.random.default_rng(1).normal(1, 0.005, whole.fine.shape).astype(np.float32)
    whole = replace(whole, fine=whole.fine * scatter)
    flat = Truth(
        lambda when: np.broadcast_to(SPECTRUM[:, None, None], (len(when), 4, 12, 12)), COVER, {1: "grass"}, no_snow
    )
    rows = truth_rows(Strategy.AGGRESSIVE, whole, flat, days(100, 105))
    assert {item["method"] for item in rows} == {
        "aggressive_sigma20", "aggressive_sigma30", "aggressive_itb_sigma20", "aggressive_itb_sigma30",
        "aggressive_sigma20_conformance", "aggressive_itb_sigma20_conformance",
        "aggressive_kriging", "aggressive_itb_kriging", "nearest", "linear", "whittaker", "harmonic",
    }  # fmt: skip
    assert row(rows, "aggressive_sigma20", "green")["rmse"] == pytest.approx(0, abs=1e-3)
    assert row(rows, "aggressive_sigma20", "green")["nse"] is None, "a constant truth has no NSE"
    assert len(truth_table(rows)) == len(rows)


def test_a_season_nobody_saw_has_rows_without_scores() -> None:
    nothing = stack(days(10, 20), np.full(2, np.nan))
    truth = Truth(true_reflectance, COVER, {1: "grass", 2: "water"}, no_snow)
    rows = truth_rows(Strategy.AGGRESSIVE, nothing, truth, days(100))
    assert {item["rmse"] for item in rows} == {None}
    assert row(rows, "linear", "nir")["estimated_share"] == 0
    assert fusion_losses(rows) == []
