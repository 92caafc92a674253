"""Regions of interest: which part of the camera's picture is the vegetation that the satellites see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from satfusion_assets.archives.phenocam.sifted import LeftOut, Sifted, quoted
from satfusion_assets.vocabulary.errors import NoData
from satfusion_assets.vocabulary.sites import Site

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
VEGETATION_NAMES: Final = {code: name.title() for name, code in VEGETATION_CODES.items()}
"""Code -> vegetation type, as sites name it."""

BARE: Final = frozenset({"NV", "RF"})
"""Regions without vegetation: bare ground, and the panel that cameras are compared by."""

_OPEN_ENDED: Final = date(9999, 1, 1)


def _missing_is_none(value: object) -> object:
    return None if value in ("", "None", "NA") else value


def _day(value: object) -> object:
    """A date is written; one that is none (of zeros, a number) is not said, and the region's days say more than it."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip()[:10])  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return None


def _share(value: object) -> float | None:
    """A share that nobody can read is not said; it only stands in the record."""
    try:
        share = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return share if 0 <= share <= 100 else None


def _flag(value: object) -> bool:
    """A region is in use unless the archive says that it is not."""
    return value if isinstance(value, bool) else str(value).strip().lower() not in ("false", "0", "f", "no")


Day = Annotated[date | None, BeforeValidator(_day)]
Address = Annotated[str | None, Field(max_length=2000), BeforeValidator(_missing_is_none)]


class Region(BaseModel):
    """One region of interest as the archive lists it.

    name: also names files of ours. vegetation: code (GR, DB, ...). sequence: 1000, 2000, ... counts fields of view.
    first, last: dates with data, None = open. summary: address of the one-day summary, None when the archive names
    none.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    name: str = Field(alias="roi_name", pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$")
    site: str = Field(max_length=100)
    vegetation: str = Field(alias="roitype", pattern="^[A-Z]{2}$")
    sequence: int = Field(alias="sequence_number", ge=0, le=99_999)
    active: Annotated[bool, BeforeValidator(_flag)] = True
    first: Day = Field(None, alias="first_date")
    last: Day = Field(None, alias="last_date")
    missing_data_pct: Annotated[float | None, BeforeValidator(_share)] = None
    summary: Address = Field(None, alias="one_day_summary")

    @property
    def has_series(self) -> bool:
        """Whether the archive says that there is a time series: a drawn region has neither dates nor a summary."""
        return self.summary is not None or self.first is not None

    def days_within(self, start: date, end: date) -> int:
        """Days of [start, end] that the region covers, as far as its dates say."""
        if not self.has_series:
            return 0
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


def read_regions(entries: Iterable[Any], site: str) -> Sifted[Region]:
    """The regions of ``site`` among the entries of a list; an entry that is malformed costs itself."""
    regions: dict[str, Region] = {}
    left_out: list[LeftOut] = []
    for position, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            left_out.append(LeftOut(f"entry {position}", f"{quoted(entry)} is no region"))
        elif entry.get("site") == site:
            name = entry.get("roi_name")
            what = name[:100] if isinstance(name, str) and name else f"entry {position}"
            try:
                region = Region.model_validate(entry)
            except ValidationError as error:
                first = error.errors()[0]
                field = ".".join(map(str, first["loc"]))
                left_out.append(LeftOut(what, f"{field} is {quoted(first['input'])}: {first['msg']}"))
            else:
                if regions.setdefault(region.name, region) != region:
                    left_out.append(LeftOut(what, "another region has the same name"))
    return Sifted(tuple(regions.values()), tuple(left_out))


def choose_region(
    site: Site, regions: Sequence[Region], start: date, end: date, without: Mapping[Region, str] | None = None
) -> RegionChoice:
    """The region of the site's vegetation with most days in [start, end]; then active, then the newest view.

    Regions that say their dates go before those that do not. Those of ``without`` are passed over for the reason
    given there, and the choice repeats it. A region of other vegetation is taken only when the site names none or the
    archive has none of it in that time, and the reason says so. NoData when no region has a day in that time.
    """
    passed = without or {}
    usable = [r for r in regions if r.days_within(start, end) > 0 and r.vegetation != "RF" and r not in passed]
    if not usable:
        why_not = f"; {_reasons(passed)}" if passed else f" ({len(regions)} regions in all)"
        raise NoData(
            f"PhenoCam site {site.name} has no region of interest with data between {start} and {end}{why_not}; "
            f"choose another season."
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
    return RegionChoice(best, f"{why}; {_reasons(passed)}" if passed else why, tuple(regions))


def _reasons(passed: Mapping[Region, str]) -> str:
    return "; ".join(f"not {region.name}: {reason.rstrip('.')}" for region, reason in passed.items())


def other_regions(choice: RegionChoice, start: date, end: date) -> tuple[Region, ...]:
    """The regions of vegetation beside the chosen one that have a day in [start, end], in the archive's order."""
    return tuple(
        region
        for region in choice.candidates
        if region != choice.region and region.vegetation not in BARE and region.days_within(start, end) > 0
    )


def _fitness(region: Region, start: date, end: date) -> tuple[bool, int, bool, int, str]:
    return region.first is not None, region.days_within(start, end), region.active, region.sequence, region.name
