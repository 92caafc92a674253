"""Which days a gap takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.vocabulary.transitions import Transition as Transition

GAP_DAYS: Final = (15, 30, 60, 90)


class MidpointRule(StrEnum):
    """How a gap's centre came about."""

    CAMERA_GREEN_UP = "phenocam_green_up_50pct"
    CAMERA_GREEN_DOWN = "phenocam_green_down_50pct"
    CAMERA_PEAK = "midway_between_phenocam_50pct_dates"
    CALENDAR = "no_phenocam_date_1_july"
    GIVEN = "given_day"
    CLOUDS = "cloud_pattern_of_another_year"


@dataclass(frozen=True)
class Gap:
    """One gap of one site-season.

    days: length. start, end: first and last day of it, both withheld. A natural gap spans the whole season, has
    no length of its own (``days`` = 0) and withholds pixels, not scenes; ``pattern_season`` says whose clouds they are.
    """

    transition: Transition
    days: int
    midpoint: date
    midpoint_rule: MidpointRule
    start: date
    end: date
    pattern_season: int | None = None

    @property
    def key(self) -> str:
        """Name of the gap in paths and tables: ``30_green_up``, ``natural_2023``."""
        if self.transition is Transition.NATURAL:
            return f"natural_{self.pattern_season}"
        return f"{self.days}_{self.transition}"

    def holds(self, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
        """Which of ``days`` lie in the gap."""
        return (days >= np.datetime64(self.start, "D")) & (days <= np.datetime64(self.end, "D"))


def gap_window(midpoint: date, gap_days: int, site_season: SiteSeason) -> tuple[date, date]:
    """First and last day of a gap centred on ``midpoint``, moved inside the season at its ends.

    An even length has its extra day before the midpoint. A gap longer than the season is the season.
    """
    first = midpoint - timedelta(days=gap_days // 2)
    first = min(first, site_season.end - timedelta(days=gap_days - 1))
    first = max(first, site_season.start)
    return first, min(first + timedelta(days=gap_days - 1), site_season.end)


def midpoints(
    site_season: SiteSeason, green_up: date | None, green_down: date | None
) -> dict[Transition, tuple[date, MidpointRule]]:
    """Centres of the gaps from the camera's 50 % dates.

    A transition without a date takes 1 July, as the contract says; transitions that would share a centre are kept
    once, since two equal gaps say nothing new. A centre outside the calendar year (the rise of a southern season, which
    ends in this year and began in the last) has no gap here: its window, moved inside, would be another phase.
    """
    summer = (date(site_season.season, 7, 1), MidpointRule.CALENDAR)
    centres = {Transition.GREEN_UP: summer, Transition.PEAK: summer, Transition.GREEN_DOWN: summer}
    if green_up is not None:
        centres[Transition.GREEN_UP] = (green_up, MidpointRule.CAMERA_GREEN_UP)
    if green_down is not None:
        centres[Transition.GREEN_DOWN] = (green_down, MidpointRule.CAMERA_GREEN_DOWN)
    if green_up is not None and green_down is not None and green_up < green_down:
        centres[Transition.PEAK] = (green_up + (green_down - green_up) / 2, MidpointRule.CAMERA_PEAK)
    inside = site_season.start, site_season.end
    centres = {name: centre for name, centre in centres.items() if inside[0] <= centre[0] <= inside[1]}
    first_of_each = {centre[0]: transition for transition, centre in reversed(centres.items())}
    return {transition: centre for transition, centre in centres.items() if first_of_each[centre[0]] is transition}


def calendar_gaps(
    site_season: SiteSeason,
    centres: Mapping[Transition, tuple[date, MidpointRule]],
    lengths: tuple[int, ...] = GAP_DAYS,
) -> list[Gap]:
    """Every length at every centre."""
    return [
        Gap(transition, length, midpoint, rule, *gap_window(midpoint, length, site_season))
        for transition, (midpoint, rule) in centres.items()
        for length in lengths
    ]


def natural_gap(site_season: SiteSeason, pattern_season: int) -> Gap:
    """The gaps that another year's clouds would have made in this season."""
    middle = site_season.start + (site_season.end - site_season.start) / 2
    return Gap(Transition.NATURAL, 0, middle, MidpointRule.CLOUDS, site_season.start, site_season.end, pattern_season)
