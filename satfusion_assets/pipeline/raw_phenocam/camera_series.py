"""Which region of interest gives the site's greenness, and the days of all of them as they are used.

A region that is bad for good costs itself: the next best takes its place and the reason is recorded. One that the
archive does not give just now must not change the vegetation that everything is scored against.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from satfusion_assets.archives.phenocam import DailySummary, Region, RegionChoice, Sifted, choose_region, other_regions
from satfusion_assets.phenology.camera import flag_outliers, white_days
from satfusion_assets.pipeline.acquisition.report import SetAside
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveError, ArchiveUnavailable, NoData
from satfusion_assets.vocabulary.sites import Site, SiteSeason

FetchSummary = Callable[[Region], Sifted[DailySummary]]


@dataclass(frozen=True)
class ScreenedDay:
    """A day of the camera as it is used. outlier_by: ``archive``, ``detector`` or None when not an outlier.
    white: the file says nothing of snow on any day, and the region's colour shows it on this one.

    used: it counts in the greenness series (a value, no outlier, no snow by the file). White days count there, as the
    scores have them, and are left out where dates are read.
    """

    summary: DailySummary
    outlier_by: str | None
    white: bool

    @property
    def used(self) -> bool:
        return not math.isnan(self.summary.gcc_90) and self.outlier_by is None and self.summary.snow is not True


@dataclass(frozen=True)
class CameraSeries:
    """The region that was chosen, the days of every region (the chosen one first), and what could not be used."""

    choice: RegionChoice
    days: Mapping[Region, Sequence[ScreenedDay]]
    set_aside: tuple[SetAside, ...]


def camera_series(site: Site, season: SiteSeason, regions: Sifted[Region], fetch: FetchSummary) -> CameraSeries:
    """The days of season-1 to season+1 of all regions; ArchiveError or NoData when no region has the site's season."""
    set_aside = [
        SetAside("", bad.what, "malformed", f"Entry of the list of regions: {bad.reason}.") for bad in regions.left_out
    ]
    fetched = _Noted(fetch, set_aside)
    choice, days = _best(site, season, regions, fetched)
    series = {choice.region: days}
    for region in other_regions(choice, season.start, season.end):
        if region in fetched.failed:
            continue
        try:
            series[region] = screen(fetched(region), season)
        except (ArchiveAnswerInvalid, ArchiveUnavailable):
            continue  # noted; the chosen region came
    return CameraSeries(choice, series, tuple(set_aside))


class _Noted:
    """Fetches summaries and notes what cannot be used of them."""

    def __init__(self, fetch: FetchSummary, set_aside: list[SetAside]) -> None:
        self._fetch = fetch
        self._set_aside = set_aside
        self.failed: dict[Region, ArchiveError] = {}

    def __call__(self, region: Region) -> Sifted[DailySummary]:
        try:
            summary = self._fetch(region)
        except (ArchiveAnswerInvalid, ArchiveUnavailable) as error:
            self.failed[region] = error
            self._set_aside.append(SetAside("", region.name, "unreadable", str(error)))
            raise
        self._set_aside.extend(
            SetAside("", f"{region.name}, {bad.what}", "malformed", f"Left out: {bad.reason}.")
            for bad in summary.left_out
        )
        return summary


def _best(
    site: Site, season: SiteSeason, regions: Sequence[Region], fetched: _Noted
) -> tuple[RegionChoice, list[ScreenedDay]]:
    """The best region that has the season, and its days."""
    passed: dict[Region, str] = {}
    withheld: tuple[Region, ArchiveUnavailable] | None = None
    while True:
        try:
            choice = choose_region(site, regions, season.start, season.end, passed)
        except NoData as error:
            raise next(iter(fetched.failed.values()), error) from error
        region = choice.region
        if withheld is not None and region.vegetation != withheld[0].vegetation:
            raise withheld[1]
        try:
            days = screen(fetched(region), season)
        except ArchiveUnavailable as error:
            if withheld is not None:
                raise  # two regions in a row: the archive is down
            withheld, passed[region] = (region, error), str(error)
        except ArchiveAnswerInvalid as error:
            passed[region] = str(error)
        else:
            if any(day.used and day.summary.day.year == season.season for day in days):
                return choice, days
            passed[region] = f"it has no usable day in {season.season}"


def screen(days: Sequence[DailySummary], season: SiteSeason) -> list[ScreenedDay]:
    """The days of season-1 to season+1, outliers flagged by the archive where it says, else by our detector."""
    wanted = [day for day in days if abs(day.day.year - season.season) <= 1]
    numbers = np.array([day.day for day in wanted], "datetime64[D]")
    if not wanted:
        return []
    white = np.zeros(len(wanted), dtype=np.bool_)
    if all(day.snow is None for day in days):
        white = white_days([day.colour for day in wanted])
    gcc = np.array([day.gcc_90 for day in wanted])
    detected = flag_outliers(numbers, np.where(white, np.nan, gcc))
    return [
        ScreenedDay(day, _outlier_by(day, bool(flag)), bool(snow))
        for day, flag, snow in zip(wanted, detected, white, strict=True)
    ]


def _outlier_by(day: DailySummary, detected: bool) -> str | None:
    if day.outlier is not None:
        return "archive" if day.outlier else None
    return "detector" if detected else None
