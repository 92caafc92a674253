"""Which days a gap takes."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from satfusion_assets.evaluation.gaps.windows import (
    Gap,
    MidpointRule,
    Transition,
    calendar_gaps,
    gap_window,
    midpoints,
    natural_gap,
)
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.conftest import GOLDENS

HERE = SiteSeason("innsbruck", 2024)
with np.load(GOLDENS / "gap" / "case01.npz") as case:
    WINDOWS = json.loads(str(case["params"]))["windows"]


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: f"{window['mid']}-{window['gap_days']}")
def test_windows_of_the_reference(window: dict[str, str]) -> None:
    season = SiteSeason("innsbruck", int(window["season"]))
    start, end = gap_window(date.fromisoformat(window["mid"]), int(window["gap_days"]), season)
    assert (start.isoformat(), end.isoformat()) == (window["start"], window["end"])


def test_centres_come_from_the_camera() -> None:
    centres = midpoints(HERE, date(2024, 5, 1), date(2024, 9, 28))
    assert centres == {
        Transition.GREEN_UP: (date(2024, 5, 1), MidpointRule.CAMERA_GREEN_UP),
        Transition.PEAK: (date(2024, 7, 15), MidpointRule.CAMERA_PEAK),
        Transition.GREEN_DOWN: (date(2024, 9, 28), MidpointRule.CAMERA_GREEN_DOWN),
    }


def test_without_dates_the_gap_stands_on_1_july_and_only_once() -> None:
    assert midpoints(HERE, None, None) == {Transition.GREEN_UP: (date(2024, 7, 1), MidpointRule.CALENDAR)}


def test_a_southern_rise_of_the_year_before_has_no_gap_in_this_year() -> None:
    """Green from October 2023 to April 2024: peak and fall lie in 2024, the rise does not."""
    found = midpoints(HERE, date(2023, 10, 5), date(2024, 4, 20))
    assert found == {
        Transition.PEAK: (date(2024, 1, 12), MidpointRule.CAMERA_PEAK),
        Transition.GREEN_DOWN: (date(2024, 4, 20), MidpointRule.CAMERA_GREEN_DOWN),
    }
    centres = midpoints(HERE, None, date(2024, 9, 28))
    assert list(centres) == [Transition.GREEN_UP, Transition.GREEN_DOWN]


def test_every_length_at_every_centre_and_its_name() -> None:
    gaps = calendar_gaps(HERE, midpoints(HERE, date(2024, 5, 1), date(2024, 9, 28)))
    assert len(gaps) == 12
    assert gaps[1].key == "30_green_up"
    assert natural_gap(HERE, 2023).key == "natural_2023"


def test_both_ends_of_the_gap_are_withheld() -> None:
    gap = Gap(Transition.PEAK, 3, date(2024, 7, 2), MidpointRule.CALENDAR, date(2024, 7, 1), date(2024, 7, 3))
    days = np.arange("2024-06-30", "2024-07-05", dtype="datetime64[D]")
    assert gap.holds(days).tolist() == [False, True, True, True, False]
