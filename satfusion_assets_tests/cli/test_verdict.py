"""The verdict's words follow its numbers: nothing is better than what cannot be told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.cli.verdict import evaluation_sentence, sentences
from satfusion_assets.pipeline import provenance
from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.metrics.verdict import Comparison, SeasonVerdict, Turn, turns_of
from satfusion_assets.pipeline.phenology.product import PHENOLOGY
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.store import Product
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, SCENARIOS
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import SiteSeason

MAY = (date(2024, 4, 20), date(2024, 5, 10))
VERDICT = SeasonVerdict(
    scenario=RECOMMENDED,
    nse=0.9,
    nse_interval=(0.8, 0.95),
    against_s2=Comparison(221, 0.010, 0.018, (-0.012, -0.003), True),
    turns={"green-up": Turn(date(2024, 5, 3), date(2024, 5, 1), MAY), "green-down": Turn(None, date(2024, 9, 1), None)},
    best="aggressive_itb_sigma20",
    against_best=Comparison(321, 0.010, 0.009, (0.0001, 0.002), False),
    season_days=366,
    days_without=0,
    longest_hole=None,
    last_image=date(2025, 2, 14),
    last_day=date(2024, 12, 31),
)


def said(verdict: SeasonVerdict) -> str:
    return "\n".join(sentences(verdict))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((-0.012, -0.003), "closer to the camera than"),
        ((0.001, 0.003), "farther from the camera than"),
        ((-0.001, 0.003), "not told apart from"),
        (None, "not told apart from"),
    ],
)
def test_better_and_worse_need_an_interval_without_zero(interval: tuple[float, float] | None, words: str) -> None:
    assert words in said(replace(VERDICT, against_s2=Comparison(221, 0.01, 0.018, interval, True)))


def test_errors_that_are_compared_say_on_which_days_for_the_season_s_own_error_is_of_others() -> None:
    assert "On the 221 days that both have it is closer" in said(VERDICT)


@pytest.mark.parametrize(
    ("day", "words"),
    [(3, "2 days after the camera"), (2, "1 day after"), (1, "the camera's day"), (30, "1 day before")],
)
def test_dates_are_told_in_days_off_the_camera(day: int, words: str) -> None:
    found = date(2024, 4 if day == 30 else 5, day)
    assert words in said(replace(VERDICT, turns={"green-up": Turn(found, date(2024, 5, 1), MAY)}))


def test_a_date_that_is_missing_is_said() -> None:
    assert "Green-down: fusion has no 50 % date." in said(VERDICT)
    assert "the camera has no 50 % date" in said(replace(VERDICT, turns={"green-up": Turn(MAY[0], None, None)}))


def test_days_that_no_image_reaches_are_told_as_predicted() -> None:
    unfinished = said(replace(VERDICT, last_image=date(2024, 11, 29)))
    assert "No satellite image is later than 29 Nov 2024: what the last 32 days have is predicted" in unfinished
    assert "No satellite image" not in said(VERDICT)


NOTHING = DailySeries(np.array([], "datetime64[D]"), np.array([]))


@pytest.mark.parametrize("side", [None, {"50": None}, {"50": {"date": None, "lower": None, "upper": None}}])
def test_a_camera_that_saw_no_season_has_no_dates(side: dict[str, object] | None) -> None:
    turns = turns_of(NOTHING, {"rising": side, "falling": side}, 2023)
    assert turns == {name: Turn(None, None, None) for name in ("green-up", "green-down")}


def test_a_deviation_of_the_values_takes_part_in_their_dates() -> None:
    """What the deviation could make is no season."""
    days = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
    day = np.arange(len(days))
    series = DailySeries(days, 0.34 + 0.08 / (1 + np.exp(-(day - 120) / 8)) - 0.08 / (1 + np.exp(-(day - 270) / 20)))
    seen = {"rising": None, "falling": None}
    assert turns_of(series, seen, 2024, 0.001)["green-up"].fusion == date(2024, 4, 30)
    assert turns_of(series, seen, 2024, 0.03)["green-up"].fusion is None


def test_the_best_of_all_is_named_with_the_correction_for_having_chosen() -> None:
    assert "aggressive_itb_sigma20, not told apart from the recommended one" in said(VERDICT)
    better = replace(VERDICT, against_best=Comparison(321, 0.010, 0.009, (0.0001, 0.002), True))
    assert "also after the correction" in said(better)
    assert "The best number of all" not in said(replace(VERDICT, best=None, against_best=None))


def test_holes_are_said() -> None:
    hole = replace(VERDICT, days_without=9, longest_hole=(date(2024, 1, 1), date(2024, 1, 8)))
    assert "9 of 366 days have no value at the site; the longest hole is 1 Jan 2024 to 8 Jan 2024." in said(hole)
    assert "Every one of the season's 366 days" in said(VERDICT)


def test_a_season_without_a_score_says_so() -> None:
    assert "Too few days" in said(replace(VERDICT, nse=None, nse_interval=None, against_s2=None))


SEASON = SiteSeason("innsbruck", 2024)
EVALUATED = [*(PHENOLOGY.of(SEASON, scenario) for scenario in SCENARIOS), GAP_BENCHMARK.of(SEASON)]


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(Settings(_env_file=None, data_root=tmp_path / "data"))


def made(platform: Platform, product: Product) -> None:
    with provenance.publish(platform.store, product, site=platform.site(SEASON)) as draft:
        draft.write_json(f"{product.slug}.json", {})


def test_date_maps_and_gap_benchmark_come_next_until_all_of_them_are_there(platform: Platform) -> None:
    command = "come next: 'satfusion materialize innsbruck 2024 --until evaluation' adds them."
    for product in EVALUATED:
        assert evaluation_sentence(platform, SEASON, SCENARIOS).endswith(command)
        made(platform, product)
    assert evaluation_sentence(platform, SEASON, SCENARIOS).endswith("are on the viewer's last two pages.")


def test_date_maps_of_before_a_change_are_told_from_current_ones(platform: Platform) -> None:
    for product in EVALUATED:
        made(platform, product)
    with platform.store.publish(GAP_BENCHMARK.of(SEASON), code_version=GAP_BENCHMARK.code_version - 1) as draft:
        draft.write_json("gap_benchmark.json", {})
    assert "of an earlier state of the season" in evaluation_sentence(platform, SEASON, SCENARIOS)


def test_scenarios_that_a_season_cannot_have_are_not_waited_for(platform: Platform) -> None:
    made(platform, PHENOLOGY.of(SEASON, RECOMMENDED))
    made(platform, GAP_BENCHMARK.of(SEASON))
    assert "come next" not in evaluation_sentence(platform, SEASON, [RECOMMENDED])
