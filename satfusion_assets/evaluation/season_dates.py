"""The six transition dates of a year's main growing season, by name, as the evaluation uses them, and its months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from satfusion_assets.evaluation.skill import Transitions
from satfusion_assets.phenology import transitions
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.sites import SiteSeason

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


def season_period(site_season: SiteSeason, dates: Mapping[str, date | None]) -> dict[str, Any]:
    """Which months a report is about: the days that are scored, the camera's growing season, and what of it lies
    outside of them, as the rise of a southern season does.

    dates: the camera's, by name. Both ends of ``scored`` are included.
    """
    known = {name: day for name in DATE_NAMES if (day := dates.get(name)) is not None}
    outside = [name for name, day in known.items() if not site_season.start <= day <= site_season.end]
    return {
        "scored": {"start": site_season.start.isoformat(), "end": site_season.end.isoformat()},
        "growing_season": {name: known[name].isoformat() if name in known else None for name in DATE_NAMES},
        "outside": outside,
        "says": f"Scores are of {_months(site_season.start, site_season.end)}. {_season_words(known, outside)}",
    }


def _season_words(known: Mapping[str, date], outside: list[str]) -> str:
    if not known:
        return "The camera shows no growing season that ends in them."
    months = _months(min(known.values()), max(known.values()))
    if not outside:
        return f"The camera's growing season is {months}."
    return (
        f"The camera's growing season is {months}: scores do not hold all of it ({', '.join(outside)} lie outside), no "
        f"gap is centred there, and they hold days of another season."
    )


def _months(first: date, last: date) -> str:
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%B}{year} to {last:%B} {last.year}"
