"""``sites.geojson``: from bytes to sites, with everything that is wrong by site and field; and back.

What a feature holds beside our own fields stays in it when the file is written again.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from satfusion_assets.vocabulary.errors import InvalidInput, InvalidSitesFile
from satfusion_assets.vocabulary.sites.site import Site, check_season, check_site_name, complaints

_YEAR: Final = re.compile(r"\d{4}", re.ASCII)
_OPTIONAL: Final = frozenset(Site.model_fields) - {"name", "latitude", "longitude", "seasons"}
_WIDE: Final = {
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
_NEEDS: Final = "a site needs a Point geometry, 'sitename' and 'seasons' like {\"2024\": {}}"

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Point(BaseModel):
    type: Literal["Point"]
    coordinates: Annotated[list[Coordinate], Field(min_length=2, max_length=3)]


class _Feature(BaseModel):
    geometry: _Point
    properties: dict[str, Any]


class _Object(dict[str, Any]):
    """A JSON object. twice: the first name that stands in it more than once, '' when none does."""

    twice: str = ""


@dataclass(frozen=True)
class Trouble:
    """Something of a sites file that cannot be used. where: the site or feature. reason: one sentence."""

    where: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """What a sites file holds: the sites that can be used, and all that cannot. document: the file as it was read."""

    sites: tuple[Site, ...]
    troubles: tuple[Trouble, ...]
    document: Mapping[str, Any]


def read_sites(content: bytes, source: str) -> Reading:
    """The sites of a GeoJSON FeatureCollection; InvalidSitesFile when it is none.

    A season or an optional field that cannot be used costs itself, a missing name or position costs its site.
    """
    document = _document(content, source)
    sites: dict[str, Site] = {}  # by their names in small letters
    troubles: list[Trouble] = []
    for number, feature in enumerate(document["features"]):
        site, bad = _site(feature, number)
        troubles += bad
        if site is None:
            continue
        same = sites.setdefault(site.name.casefold(), site)
        if same is site:
            continue
        if same.name == site.name:
            troubles.append(
                Trouble(f"site {site.name}", f"It lists site {same.name!r} more than once; keep one feature.")
            )
        else:
            troubles.append(
                Trouble(
                    f"site {site.name}",
                    f"It differs from {same.name!r} in case only, which some disks do not tell apart.",
                )
            )
    return Reading(tuple(sites.values()), tuple(troubles), document)


def read_sound_sites(content: bytes, source: str) -> Reading:
    """The same for a file in which everything must be right: InvalidSitesFile names the first thing that is not."""
    reading = read_sites(content, source)
    for trouble in reading.troubles:
        raise InvalidSitesFile(f"{source}, {trouble.where}: {trouble.reason}")
    return reading


def write_sites(sites: Iterable[Site], document: Mapping[str, Any]) -> bytes:
    """``document`` with ``sites`` as its features; what else it holds of them and of itself is kept."""
    known = {feature["properties"]["sitename"]: feature for feature in document.get("features", ())}
    features = [_feature(site, known.get(site.name, {})) for site in sites]
    whole = {"type": "FeatureCollection"} | dict(document) | {"features": features}
    try:
        return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()
    except RecursionError as error:
        raise InvalidSitesFile("A property of a site is nested too deep to be written again; shorten it.") from error
    except UnicodeEncodeError:  # half a character, which JSON can write and UTF-8 cannot
        return (json.dumps(whole, indent=2) + "\n").encode()


def _document(content: bytes, source: str) -> _Object:
    for encoding, marks in _WIDE.items():
        if content.startswith(marks):
            raise InvalidSitesFile(f"{source} is in {encoding}; save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidSitesFile(
            f"{source} is not in UTF-8 (byte 0x{content[error.start]:02x} in line {line}); save it as UTF-8."
        ) from error
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        if not text.lstrip().startswith("{"):
            raise InvalidSitesFile(
                f"{source} is not GeoJSON, it begins with {text[:40]!r}; turn a table or another format into a "
                f"FeatureCollection first: {_NEEDS}."
            ) from error
        raise InvalidSitesFile(
            f"{source} is not valid JSON (line {error.lineno}: {error.msg}); correct it there or restore it."
        ) from error
    except (RecursionError, ValueError) as error:
        raise InvalidSitesFile(f"{source} is nested too deep or holds endless numbers; restore it.") from error
    if not isinstance(document, _Object) or not isinstance(document.get("features"), list) or document.twice:
        raise InvalidSitesFile(f"{source} is not a GeoJSON FeatureCollection; it needs one 'features' list.")
    return document


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.twice = next(name for name in names if names.count(name) > 1)
    return found


def _site(feature: Any, number: int) -> tuple[Site | None, list[Trouble]]:
    where = f"feature {number}"
    try:
        parsed = _Feature.model_validate(feature)
        name = parsed.properties.get("sitename")
        if not isinstance(name, str):
            raise InvalidInput(f"sitename is missing or malformed; {_NEEDS}.")
        check_site_name(name)
        where = f"site {name}"
        _refuse_twice(feature, feature["geometry"], feature["properties"])
    except ValidationError as error:
        return None, [Trouble(where, f"{complaints(error)[0]}; it is missing or malformed: {_NEEDS}.")]
    except InvalidInput as error:
        return None, [Trouble(where, str(error))]
    seasons, troubles = _seasons(parsed.properties.get("seasons", {}), where)
    longitude, latitude = parsed.geometry.coordinates[:2]
    needed = {"name": name, "latitude": latitude, "longitude": longitude, "seasons": seasons}
    optional = {key: value for key, value in parsed.properties.items() if key in _OPTIONAL}
    try:
        return Site(**needed, **optional), troubles
    except ValidationError as error:
        bad = {str(one["loc"][0]) for one in error.errors()}
        troubles += [Trouble(where, f"{complaint}.") for complaint in complaints(error)]
    if bad & needed.keys():
        return None, troubles
    return Site(**needed, **{key: value for key, value in optional.items() if key not in bad}), troubles


def _refuse_twice(*objects: Any) -> None:
    for one in objects:
        if isinstance(one, _Object) and one.twice:
            raise InvalidInput(f"{one.twice!r} stands in it twice; keep one of them.")


def _seasons(value: Any, where: str) -> tuple[tuple[int, ...], list[Trouble]]:
    """The years of an object with years as names, or of a list; each that is none is a trouble."""
    if not isinstance(value, (dict, list)):
        return (), [Trouble(where, f"seasons is {type(value).__name__}, missing or malformed; {_NEEDS}.")]
    seasons: list[int] = []
    troubles: list[Trouble] = []
    for one in value:
        try:
            season = check_season(_year(one))
            if season in seasons:
                raise InvalidInput(f"Season {season} stands there twice; keep one of them.")
            seasons.append(season)
        except InvalidInput as error:
            troubles.append(Trouble(where, str(error)))
    twice = value.twice if isinstance(value, _Object) else ""
    if twice:
        troubles.append(Trouble(where, f"Season {twice} stands there twice; keep one of them."))
    return tuple(seasons), troubles


def _year(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999:
        return value
    if isinstance(value, str) and _YEAR.fullmatch(value):
        return int(value)
    text = repr(value)
    raise InvalidInput(f"Season {text[:40]} is missing or malformed; {_NEEDS}.")


def _feature(site: Site, known: Mapping[str, Any]) -> dict[str, Any]:
    """``site`` as a feature; ``known`` is the one it had, whose other members stay."""
    properties = {key: value for key, value in known.get("properties", {}).items() if key not in _OPTIONAL}
    before = properties.get("seasons")
    notes = before if isinstance(before, dict) else {}
    properties |= {"sitename": site.name, "seasons": {str(year): notes.get(str(year), {}) for year in site.seasons}}
    properties |= site.model_dump(exclude={"name", "latitude", "longitude", "seasons"}, exclude_defaults=True)
    position = [site.longitude, site.latitude]
    geometry = known.get("geometry", {})
    if geometry.get("coordinates", [])[:2] != position:
        geometry = {"type": "Point", "coordinates": position}
    return {"type": "Feature"} | dict(known) | {"geometry": geometry, "properties": properties}
