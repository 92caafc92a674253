"""A site, a season, and what their names and numbers may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from satfusion_assets.vocabulary.errors import InvalidInput, UnknownSeason

MARGIN: Final = timedelta(days=45)
"""How far raw Sentinel data reach into the neighbouring years; never predicted or scored."""

FIRST_SEASON: Final = 2015
"""Launch year of Sentinel-2A; no season before it can have data."""

LARGEST_EXTENT_M: Final = 30_000
"""A hundred coarse pixels: a season of one band at 10 m takes 36 MB a scene; larger areas are fused from folders."""

_NAME: Final = re.compile(r"[A-Za-z0-9](?:\.?[A-Za-z0-9]|-)*", re.ASCII)
"""Letters and digits with '-' and single dots between; the first is no dot, which hides, and no '-', which commands
take for an option."""
_LONGEST_NAME: Final = 64
"""Characters; PhenoCam's longest has 24, and folders may have 255 with what is added."""
_RESERVED: Final = frozenset({"tables", "sites.geojson"})
"""What lies beside the sites' folders below the data root."""
_KEY: Final = re.compile(r"(?P<site>[A-Za-z0-9.-]+)_(?P<season>[0-9]{4})")


@dataclass(frozen=True, order=True)
class SiteSeason:
    """One site in one calendar year: the first dimension of every partition."""

    site: str
    season: int

    def __post_init__(self) -> None:
        check_site_name(self.site)
        check_season(self.season)

    @property
    def key(self) -> str:
        """Partition key, ``innsbruck_2024``."""
        return f"{self.site}_{self.season}"

    @classmethod
    def parse(cls, key: str) -> SiteSeason:
        """The site-season of a partition key; InvalidInput when it is not one."""
        found = _KEY.fullmatch(key)
        if found is None:
            raise InvalidInput(f"{key!r} is not a site-season key; write it like 'innsbruck_2024'.")
        return cls(found["site"], int(found["season"]))

    @property
    def start(self) -> date:
        """First day that is predicted and scored."""
        return date(self.season, 1, 1)

    @property
    def end(self) -> date:
        """Last day that is predicted and scored (included)."""
        return date(self.season, 12, 31)

    @property
    def raw_start(self) -> date:
        """First day of raw Sentinel data."""
        return self.start - MARGIN

    @property
    def raw_end(self) -> date:
        """Last day of raw Sentinel data (included)."""
        return self.end + MARGIN


def check_site_name(name: str) -> str:
    """``name`` itself when it can be a partition key and a folder; InvalidInput otherwise."""
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(f"Site name {name[:20]!r}... has {len(name)} characters; use {_LONGEST_NAME} at most.")
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"Site name {name!r} cannot be used as a key; use letters, digits, '-' and single dots, "
            f"like 'innsbruck' or 'ICOSFR-Fon1'."
        )
    if name.lower() in _RESERVED:
        raise InvalidInput(f"Site name {name!r} is the name of something else below the data root; use another one.")
    return name


def check_season(season: int) -> int:
    """``season`` itself when Sentinel-2 can have seen it; InvalidInput otherwise."""
    latest = date.today().year + 1
    if not FIRST_SEASON <= season <= latest:
        why = ": before Sentinel-2" if season < FIRST_SEASON else ""
        raise InvalidInput(f"Season {season} is out of range{why}; use a year from {FIRST_SEASON} to {latest}.")
    return season


def _west_of_the_date_line(longitude: float) -> float:
    """180 degrees east are 180 degrees west; one of them is the site's."""
    return -180.0 if longitude == 180 else longitude


def _none_is_empty(text: object) -> object:
    return "" if text is None else text


def _sorted_once(seasons: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(seasons)))


class Site(BaseModel):
    """A PhenoCam site: where the camera looks, and the seasons that are wanted.

    latitude, longitude: degrees north and east (WGS 84) of the camera's field, the longitude below 180.
    extent_m: side of the square site grid in metres, a multiple of the coarse pixel (300 m).
    continuous: new seasons are added by schedule.
    vegetation: PhenoCam vegetation code of the region of interest to use (GR, DB, ...); None = chosen by
    ``vegetation_type`` and date overlap.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, AfterValidator(check_site_name)]
    latitude: Annotated[float, Field(ge=-80, le=84, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), AfterValidator(_west_of_the_date_line)]
    seasons: Annotated[tuple[int, ...], AfterValidator(_sorted_once)] = ()
    elevation: Annotated[float | None, Field(ge=-500, le=9000, allow_inf_nan=False)] = None
    description: Annotated[str, Field(max_length=2000), BeforeValidator(_none_is_empty)] = ""
    vegetation_type: Annotated[str, Field(max_length=100), BeforeValidator(_none_is_empty)] = ""
    vegetation: Annotated[str | None, Field(pattern="^[A-Za-z]{2}$")] = None
    extent_m: Annotated[int, Field(ge=300, le=LARGEST_EXTENT_M, multiple_of=300)] = 1500
    continuous: bool = False

    def season(self, season: int) -> SiteSeason:
        """This site in ``season``; UnknownSeason when it is not registered."""
        if season not in self.seasons:
            known = ", ".join(map(str, self.seasons)) or "none"
            raise UnknownSeason(
                f"Season {season} is not registered for site {self.name} (registered: {known}); "
                f"add it with 'satfusion sites add {self.name} --season {season}'."
            )
        return SiteSeason(self.name, season)

    @property
    def site_seasons(self) -> tuple[SiteSeason, ...]:
        """All registered site-seasons, oldest first."""
        return tuple(SiteSeason(self.name, season) for season in self.seasons)


def make_site(where: str, **fields: Any) -> Site:
    """A Site from loose fields; unknown fields are ignored, a bad one gives one sentence that names it."""
    try:
        return Site(**{key: value for key, value in fields.items() if key in Site.model_fields})
    except ValidationError as error:
        raise InvalidInput(f"{where}: {complaints(error)[0]}.") from error


def complaints(error: ValidationError) -> list[str]:
    """Everything that is wrong, each as a clause with the field and its value."""
    found = []
    for one in error.errors():
        field, value = ".".join(map(str, one["loc"])), repr(one["input"])
        found.append(f"{field} is {value if len(value) <= 80 else value[:80] + '...'}: {one['msg']}")
    return found
