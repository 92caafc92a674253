"""The truth report's page and its dates, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from satfusion_assets.phenology import TRANSITIONS, Label, PhenologyMaps
from satfusion_assets.truth.dates import TrueSeason, date_rows
from satfusion_assets.truth.report import markdown_table, truth_page
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.truth.test_truth import Offset, rows_of


def page(*methods: Offset) -> str:
    return truth_page(SiteSeason("innsbruck", 2024), 1, rows_of(*methods), [])


def test_the_page_says_where_fusion_loses_and_by_how_much() -> None:
    text = page(Offset("aggressive_sigma20", 0.02, sd=0.02), Offset("linear", 0.01))
    assert "| aggressive_sigma20 | 0.0200 | 0.0200 | 0.0200 | 0.0200 |" in text
    assert "| linear | 0.0100 | 0.0100 | 0.0100 | 0.0100 |" in text
    assert "linear | 0.0100 | +100% |" in text
    assert "it loses GCC on 30 of 30 (aggressive)" in text
    assert "loses to linear by 100%" in text
    assert "Over all snow-free days and pixels, aggressive: it loses " in text
    assert "blue to linear by 100%" in text
    assert "satfusion sandbox truth innsbruck 2024 --seed 1" in text


def test_where_fusion_wins_everywhere_the_page_says_so() -> None:
    text = page(Offset("aggressive_sigma20", 0.01, sd=0.02), Offset("linear", 0.02))
    assert "in 0 of " in text
    assert "it loses GCC on 0 of 30 (aggressive)" in text
    assert "loses to" not in text
    assert "aggressive: it loses nothing; it does not lose blue, green" in text
    assert "nonaggressive: it" not in text
    assert "| aggressive_sigma20 | blue | 100.0% | 100.0% |" in text


def test_a_table_of_nothing_and_of_missing_numbers() -> None:
    assert markdown_table([]) == "(nothing to show)"
    rows = [{"a": None, "b": float("nan"), "c": 0.5}]
    assert markdown_table(rows).splitlines()[-1] == "| - | - | 0.5000 |"


def maps_of(day: np.ndarray, half_width: float) -> PhenologyMaps:
    layers = np.broadcast_to(day, (len(TRANSITIONS), *day.shape)).astype(np.float32)
    labels = np.full(layers.shape, Label.OK, np.uint8)
    return PhenologyMaps(2024, layers, layers - half_width, layers + half_width, labels, np.ones(day.shape, np.uint8))


def test_errors_of_dates_are_found_minus_true() -> None:
    found = np.array([[102.0, 104.0, 116.0, np.nan, 110.0]])
    truth = TrueSeason(np.full((6, 1, 5), 100.0), np.array([[0.1, 0.1, 0.1, 0.1, 0.01]]))
    rising, falling = date_rows("some", maps_of(found, 3.0), truth)
    assert rising == {
        "series": "some",
        "date": "rising 50 %",
        "median abs. error [d]": 4.0,
        "bias [d]": 4.0,
        "more than 15 d off": "33%",
        "dated": "75%",
        "invented": "100%",
        "true date in the 95 % interval": "33%",
        "median width [d]": 6.0,
    }
    assert falling["date"] == "falling 50 %"


def test_dates_without_any_pixel_are_rows_without_numbers() -> None:
    nothing = np.full((1, 2), np.nan)
    truth = TrueSeason(np.full((6, 1, 2), np.nan), np.array([[0.03, 0.03]]))
    rising, _ = date_rows("none", maps_of(nothing, 1.0), truth)
    assert rising["median abs. error [d]"] is None
    assert rising["more than 15 d off"] is None
    assert rising["dated"] is None
    assert rising["invented"] is None
