"""Regions of interest: which part of the camera's picture is the vegetation that the satellites see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from satfusion_assets.errors import NoData
from satfusion_assets.sites import Site

VEGETATION_CODES: Final = {
    "agriculture": "AG",
    "deciduous broadleaf": "DB",
    "deciduous needleleaf": "DN",
    "evergreen broadleaf": "EB",
    "evergreen needleleaf": "EN",
    "grassland": "GR",
    "mixed forest": "MX",
    "non-vegetated": "NV",
    "reference panel": "RF",
    "shrub": "SH",
    "tundra": "TN",
    "understory": "UN",
    "wetland": "WL",
}
"""PhenoCam's vegetation types and their codes."""

BARE: Final = frozenset({"NV", "RF"})
"""Regions without vegetation: bare ground, and the panel that cameras are compared by."""

_OPEN_ENDED: Final = date(9999, 1, 1)


def _missing_is_none(value: object) -> object:
    return None if value in ("", "None", "NA") else value


Day = Annotated[date | None, BeforeValidator(_missing_is_none)]


class Region(BaseModel):
    """One region of interest as the archive lists it.

    vegetation: code (GR, DB, ...). sequence: 1000, 2000, ... counts fields of view. first, last: dates with data,
    None = open. summary: address of the one-day summary, None when the archive names none.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    name: str = Field(alias="roi_name")
    site: str
    vegetation: str = Field(alias="roitype")
    sequence: int = Field(alias="sequence_number")
    active: bool = True
    first: Day = Field(None, alias="first_date")
    last: Day = Field(None, alias="last_date")
    missing_data_pct: Annotated[float | None, BeforeValidator(_missing_is_none)] = None
    summary: Annotated[str | None, BeforeValidator(_missing_is_none)] = Field(None, alias="one_day_summary")

    def days_within(self, start: date, end: date) -> int:
        """Days of [start, end] that the region covers."""
        first, last = max(self.first or date.min, start), min(self.last or _OPEN_ENDED, end)
        return max((last - first).days + 1, 0)


@dataclass(frozen=True)
class RegionChoice:
    """The region used, why, and what else there was."""

    region: Region
    why: str
    candidates: tuple[Region, ...]


def wanted_vegetation(site: Site) -> str | None:
    """Vegetation code of ``site``: its own setting, else from its vegetation type; None when neither says."""
    if site.vegetation:
        return site.vegetation.upper()
    text = site.vegetation_type.strip()
    if text.upper() in VEGETATION_CODES.values():
        return text.upper()
    return VEGETATION_CODES.get(text.lower())


def choose_region(site: Site, regions: Sequence[Region], start: date, end: date) -> RegionChoice:
    """The region of the site's vegetation with most days in [start, end]; then active, then the newest view.

    A region of other vegetation is taken only when the site names none or the archive has none of it in that time,
    and the reason says so. NoData when no region has a day in that time.
    """
    usable = [region for region in regions if region.days_within(start, end) > 0 and region.vegetation != "RF"]
    if not usable:
        raise NoData(
            f"PhenoCam site {site.name} has no region of interest with data between {start} and {end} "
            f"({len(regions)} regions in all); choose another season."
        )
    wanted = wanted_vegetation(site)
    matching = [region for region in usable if region.vegetation == wanted]
    best = max(matching or usable, key=lambda region: _fitness(region, start, end))
    days = best.days_within(start, end)
    if matching:
        why = f"vegetation {wanted} as the site, {days} of {(end - start).days + 1} days"
    elif wanted:
        why = f"no region of vegetation {wanted} in that time; {best.vegetation} has most days ({days})"
    else:
        why = f"the site names no vegetation; {best.vegetation} has most days ({days})"
    return RegionChoice(best, why, tuple(regions))


def other_regions(choice: RegionChoice, start: date, end: date) -> tuple[Region, ...]:
    """The regions of vegetation beside the chosen one that have a day in [start, end], in the archive's order."""
    return tuple(
        region
        for region in choice.candidates
        if region != choice.region and region.vegetation not in BARE and region.days_within(start, end) > 0
    )


def _fitness(region: Region, start: date, end: date) -> tuple[int, bool, int, str]:
    return region.days_within(start, end), region.active, region.sequence, region.name
