"""The vocabulary of places and times: sites, seasons, and the registry file that holds them.

Sites and seasons are data. They live in ``sites.geojson`` below the data root; a new data root starts with the
six sites of the thesis. Names must work as partition keys and as folder names, so they are checked here and
nowhere else (Dagster checks nothing for dynamic partitions).
"""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from satfusion_assets.errors import InvalidInput, InvalidSitesFile, UnknownSeason, UnknownSite

MARGIN: Final = timedelta(days=45)
"""How far raw Sentinel data reach into the neighbouring years; never predicted or scored."""

FIRST_SEASON: Final = 2015
"""Launch year of Sentinel-2A; no season before it can have data."""

_NAME: Final = re.compile(r"[A-Za-z0-9.-]+")
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


class Site(BaseModel):
    """A PhenoCam site: where the camera looks, and the seasons that are wanted.

    latitude, longitude: degrees north and east (WGS 84) of the camera's field.
    extent_m: side of the square site grid in metres, a multiple of the coarse pixel (300 m).
    continuous: new seasons are added by schedule.
    vegetation: PhenoCam vegetation code of the region of interest to use (GR, DB, ...); None = chosen by
    ``vegetation_type`` and date overlap.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    latitude: Annotated[float, Field(ge=-80, le=84)]
    longitude: Annotated[float, Field(ge=-180, lt=180)]
    seasons: tuple[int, ...] = ()
    elevation: float | None = None
    description: str = ""
    vegetation_type: str = ""
    vegetation: str | None = None
    extent_m: Annotated[int, Field(ge=300, multiple_of=300)] = 1500
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


def check_site_name(name: str) -> str:
    """``name`` itself when it can be a partition key and a folder; InvalidInput otherwise."""
    if not _NAME.fullmatch(name) or "..." in name or set(name) <= {"."}:
        raise InvalidInput(
            f"Site name {name!r} cannot be used as a key; use letters, digits, '-' and single dots, "
            f"like 'innsbruck' or 'ICOSFR-Fon1'."
        )
    return name


def check_season(season: int) -> int:
    """``season`` itself when Sentinel-2 can have seen it; InvalidInput otherwise."""
    latest = date.today().year + 1
    if not FIRST_SEASON <= season <= latest:
        raise InvalidInput(f"Season {season} is out of range; use a year from {FIRST_SEASON} to {latest}.")
    return season


class SiteRegistry:
    """The sites of one data root, read from and written to its ``sites.geojson``.

    A registry is a snapshot: ``load`` reads the file, ``add`` and ``remove`` write it whole and atomically and
    return a new registry.
    """

    def __init__(self, path: Path, sites: tuple[Site, ...]) -> None:
        self.path = path
        self._sites = {site.name: site for site in sites}

    @classmethod
    def load(cls, path: Path) -> SiteRegistry:
        """Read ``path``; when it does not exist yet, the six sites of the thesis are the registry."""
        if path.exists():
            return cls(path, _parse(path.read_text("utf-8"), str(path)))
        default = resources.files("satfusion_assets") / "default_sites.geojson"
        return cls(path, _parse(default.read_text("utf-8"), "default_sites.geojson"))

    @property
    def sites(self) -> tuple[Site, ...]:
        return tuple(self._sites.values())

    @property
    def site_seasons(self) -> tuple[SiteSeason, ...]:
        return tuple(item for site in self.sites for item in site.site_seasons)

    def site(self, name: str) -> Site:
        """The site called ``name``; UnknownSite suggests the nearest name."""
        if name in self._sites:
            return self._sites[name]
        near = get_close_matches(name, self._sites, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known sites: {', '.join(self._sites) or 'none'}."
        raise UnknownSite(f"Site {name!r} is not in {self.path}; {hint}")

    def site_season(self, name: str, season: int) -> SiteSeason:
        """A registered site-season; UnknownSite or UnknownSeason otherwise."""
        return self.site(name).season(season)

    def add(self, site: Site) -> SiteRegistry:
        """Add or replace ``site`` and write the file."""
        return self.add_all([site])

    def add_all(self, sites: Iterable[Site]) -> SiteRegistry:
        """Add or replace ``sites`` and write the file once."""
        added = {check_site_name(site.name): site for site in sites}
        return self._write({**self._sites, **added})

    def remove(self, name: str) -> SiteRegistry:
        """Drop the site called ``name`` and write the file; its products stay."""
        self.site(name)
        return self._write({key: site for key, site in self._sites.items() if key != name})

    def _write(self, sites: dict[str, Site]) -> SiteRegistry:
        features = [_feature(site) for site in sites.values()]
        text = json.dumps({"type": "FeatureCollection", "features": features}, indent=2, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".sites-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(self.path)
        return SiteRegistry(self.path, tuple(sites.values()))


def _parse(text: str, source: str) -> tuple[Site, ...]:
    try:
        collection = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidSitesFile(
            f"{source} is not valid JSON (line {error.lineno}: {error.msg}); correct it there or restore it."
        ) from error
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise InvalidSitesFile(f"{source} is not a GeoJSON FeatureCollection; it needs a 'features' list.")
    sites = tuple(_site(feature, number, source) for number, feature in enumerate(collection["features"]))
    names = [site.name for site in sites]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidSitesFile(f"{source} lists site {twice[0]!r} more than once; keep one feature per site.")
    return sites


def _site(feature: Any, number: int, source: str) -> Site:
    where = f"{source}, feature {number}"
    try:
        properties = dict(feature["properties"])
        geometry = feature["geometry"]
        longitude, latitude = geometry["coordinates"][:2]
        if geometry["type"] != "Point":
            raise InvalidSitesFile(f"{where}: geometry is {geometry['type']}; give the camera as a Point.")
        name = check_site_name(properties.pop("sitename"))
        where = f"{source}, site {name}"
        seasons = tuple(sorted(check_season(int(season)) for season in properties.pop("seasons", {})))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidSitesFile(
            f"{where}: {error!r} is missing or malformed; a site needs a Point geometry, 'sitename' and "
            f"'seasons' like {{\"2024\": {{}}}}."
        ) from error
    except InvalidInput as error:
        raise InvalidSitesFile(f"{where}: {error}") from error
    return make_site(where, name=name, latitude=latitude, longitude=longitude, seasons=seasons, **properties)


def make_site(where: str, **fields: Any) -> Site:
    """A Site from loose fields; unknown fields are ignored, a bad one gives one sentence that names it."""
    try:
        known = {key: value for key, value in fields.items() if key in Site.model_fields}
        site = Site(**known)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{where}: {field} is {first['input']!r}: {first['msg']}.") from error
    if not (math.isfinite(site.latitude) and math.isfinite(site.longitude)):
        raise InvalidInput(f"{where}: latitude and longitude must be finite numbers.")
    return site


def _feature(site: Site) -> dict[str, Any]:
    properties: dict[str, Any] = {"sitename": site.name, "seasons": {str(s): {} for s in site.seasons}}
    rest = site.model_dump(exclude={"name", "latitude", "longitude", "seasons"}, exclude_defaults=True)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [site.longitude, site.latitude]},
        "properties": properties | rest,
    }
