"""The six transition dates of a year's main growing season, by name, as the evaluation uses them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from satfusion_assets.evaluation.skill import Transitions
from satfusion_assets.phenology import transitions
from satfusion_assets.sampling.series import DailySeries

DATE_NAMES: Final = ("rising_10", "rising_25", "rising_50", "falling_50", "falling_25", "falling_10")


def season_dates(series: DailySeries, year: int) -> dict[str, date | None]:
    """Dates on which ``series`` crosses 10, 25 and 50 % of its amplitude in ``year``; None = no such date."""
    season = transitions(series.days, series.values).growing_season(year) if len(series) else None
    if season is None:
        return dict.fromkeys(DATE_NAMES)
    crossings = {"rising": season.rising, "falling": season.falling}
    parts = {name: name.split("_") for name in DATE_NAMES}
    return {name: crossings[side][int(percent)].date for name, (side, percent) in parts.items()}


def phase_transitions(dates: Mapping[str, date | None]) -> Transitions | None:
    """The dates that bound the season's phases; None unless all four are known and in order."""
    bounds = [dates.get(name) for name in ("rising_10", "rising_50", "falling_50", "falling_10")]
    known = [day for day in bounds if day is not None]
    if len(known) < len(bounds) or known != sorted(known):
        return None
    return Transitions(*known)
