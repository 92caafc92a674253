"""Searching the catalogue: every item of a place and time, with what is needed to prove what was asked and answered.

The pages are asked for with our own client, since pystac-client's bounds neither the time nor the size of an answer and
ends at an empty page without a word; what it would have checked is in the models here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import Annotated, Any, Final, Literal

from odc.geo.geobox import GeoBox
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from satfusion_assets.archives.earth_search.boxes import Box, geographic_boxes, geojson, shared_area
from satfusion_assets.archives.earth_search.scenes import ASSETS, METADATA_ASSET, Scene, scene_from_item, shown
from satfusion_assets.archives.http import HttpArchive, Refused
from satfusion_assets.archives.retry import THROTTLED, RetryPolicy, public_url
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.vocabulary.settings import S2Collection

log = logging.getLogger(__name__)

PAGE: Final = 100
"""Items a page; the real catalogue answers 500 above 267."""
_MOST_PAGES: Final = 100
"""A season at one place has about ten; more means that the pages go in circles."""
_FIELDS: Final = ("id", "type", "collection", "bbox", "properties", *(f"assets.{a}" for a in (*ASSETS, METADATA_ASSET)))
_ITEM_SEARCH: Final = re.compile(r"https://api\.stacspec\.org/v1\.[^/]+/item-search(?P<fields>#fields)?")

Count = Annotated[int, Field(ge=0, le=10_000_000)]


class _Incomplete(Exception):
    """The pages do not add up; asking again may help."""


class _Landing(BaseModel):
    """The page at the catalogue's address."""

    type: Literal["Catalog"]
    conformsTo: list[str]  # noqa: N815 - the standard's name

    def can(self, fields: bool) -> bool:
        """Whether it can be searched, and tell fields apart."""
        found = [match for text in self.conformsTo if (match := _ITEM_SEARCH.fullmatch(text))]
        return any((match["fields"] is not None) is fields for match in found)


class _Context(BaseModel):
    matched: Count | None = None


class _Page(BaseModel):
    """One page of a search. features: not looked into here, so that a malformed item is that item's trouble."""

    features: list[dict[str, Any]]
    links: list[Any] = []
    numberMatched: Count | None = None  # noqa: N815 - the standard's name
    context: _Context = _Context()

    @property
    def matched(self) -> int | None:
        return self.context.matched if self.numberMatched is None else self.numberMatched

    def following(self) -> _Next | None:
        """Where the next page is asked for."""
        for link in self.links:
            if isinstance(link, Mapping) and link.get("rel") == "next":
                return _Next.model_validate(link)
        return None


class _Next(BaseModel):
    """A link to the next page. merge: ``body`` holds only what changes of the one before."""

    href: str
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] = {}
    merge: bool = False


class _Touched(BaseModel):
    """What is asked of the latest item."""

    model_config = ConfigDict(extra="ignore")

    updated: Annotated[str, Field(max_length=64)]


@dataclass(frozen=True)
class Request:
    """What is asked of a catalogue. start, end: UTC days, both included. boxes: degrees, that an item touches."""

    collection: S2Collection
    boxes: tuple[Box, ...]
    start: date
    end: date

    @classmethod
    def around(cls, collection: S2Collection, area: GeoBox, start: date, end: date) -> Request:
        return cls(collection, tuple(geographic_boxes(area)), start, end)

    @property
    def body(self) -> dict[str, Any]:
        return {
            "collections": [str(self.collection)],
            "intersects": geojson(list(self.boxes)),
            "datetime": f"{self.start.isoformat()}T00:00:00Z/{self.end.isoformat()}T23:59:59.999Z",
        }

    def misfit(self, scene: Scene) -> str | None:
        """Why ``scene`` was not asked for, None when it was."""
        if scene.collection != self.collection:
            return f"is of {scene.collection}, not of {self.collection}"
        if not self.start <= scene.sensed.astimezone(UTC).date() <= self.end:
            return f"was sensed at {scene.sensed.isoformat()}, not from {self.start} to {self.end}"
        if not any(shared_area(scene.bbox, box) > 0 for box in self.boxes):
            return f"lies at {scene.bbox}, which the site does not touch"
        return None


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    scenes: usable items in the order of the answer. malformed: item id -> why it cannot be used.
    pages: sha256 of each page's content, for the record. matched: count that the catalogue announced, if it did.
    """

    scenes: tuple[Scene, ...]
    malformed: dict[str, str]
    pages: tuple[str, ...]
    matched: int | None


@dataclass(frozen=True)
class LatestChange:
    """What a search would find, in short: two equal ones mean that nothing was added, reprocessed or withdrawn.

    updated: when the archive last touched one of the items, None = there is none. matched: how many there are.
    """

    updated: str | None
    matched: int | None


def latest_change(
    url: str, collection: S2Collection, area: GeoBox, start: date, end: date, policy: RetryPolicy
) -> LatestChange:
    """The latest change among the items that ``search_scenes`` would list, with a single request.

    ArchiveUnavailable when the catalogue does not answer, ArchiveAnswerInvalid when its answer is no catalogue's.
    """
    body = Request.around(collection, area, start, end).body | {
        "sortby": [{"field": "properties.updated", "direction": "desc"}],
        "fields": {"include": ["id", "properties.updated"]},
        "limit": 1,
    }
    with _archive(policy) as archive:
        try:
            page = _Page.model_validate(_post(archive, _search_of(url), body))
            newest = [_Touched.model_validate(item.get("properties")) for item in page.features[:1]]
        except (ValidationError, ArchiveAnswerInvalid) as error:
            raise _no_catalogue(url, error) from error
    return LatestChange(newest[0].updated if newest else None, page.matched)


def search_scenes(
    url: str, collection: S2Collection, area: GeoBox, start: date, end: date, policy: RetryPolicy
) -> SearchResult:
    """All items of ``collection`` that touch ``area`` from ``start`` to ``end`` (UTC days, both included).

    Raises ArchiveUnavailable when the catalogue does not answer, ArchiveAnswerInvalid when its answer is no
    catalogue or stays incomplete.
    """
    request = Request.around(collection, area, start, end)
    retrying = Retrying(
        retry=retry_if_exception_type((_Incomplete, ValidationError)),
        stop=stop_after_attempt(policy.attempts),
        wait=lambda state: policy.wait_s(state.attempt_number),
        before_sleep=_note,
        reraise=True,
    )
    with _archive(policy) as archive:
        try:
            pages = retrying(_pages, archive, url, request)
        except _Incomplete as error:
            raise ArchiveAnswerInvalid(
                f"Earth Search at {public_url(url)} gave no whole list of its items: {error}; run this again later."
            ) from error
        except (ValidationError, ArchiveAnswerInvalid) as error:
            raise _no_catalogue(url, error) from error
    return _result(pages, request)


def _archive(policy: RetryPolicy) -> HttpArchive:
    return HttpArchive("Earth Search", policy, transient=THROTTLED)


def _search_of(url: str) -> str:
    return f"{url.rstrip('/')}/search"


def _no_catalogue(url: str, error: ArchiveAnswerInvalid | ValidationError) -> ArchiveAnswerInvalid:
    why = "its answer is not a STAC catalogue's"
    if isinstance(error, ValidationError):
        field = ".".join(str(part)[:20] for part in error.errors()[0]["loc"][:3])
        why += f" ({error.title.strip('_').lower()}: {field or 'its shape'})"
    elif str(error):
        why = str(error).rstrip(".")
    return ArchiveAnswerInvalid(
        f"Earth Search at {public_url(url)} cannot be used: {why}; check SATFUSION_EARTH_SEARCH_URL."
    )


def _pages(archive: HttpArchive, url: str, request: Request) -> list[dict[str, Any]]:
    """The features of every page, empty ones included, when they add up to what the catalogue announced."""
    landing = _Landing.model_validate(archive.get_json(url))
    if not landing.can(fields=False):
        raise ArchiveAnswerInvalid("it is a catalogue that cannot be searched (it conforms to no item-search)")
    body = request.body | {"limit": PAGE}
    if landing.can(fields=True):
        body["fields"] = {"include": list(_FIELDS)}
    pages = [_Page.model_validate(_post(archive, _search_of(url), body))]
    links: set[str] = set()
    while (following := pages[-1].following()) is not None:
        if len(pages) >= _MOST_PAGES or following.model_dump_json() in links:
            raise _Incomplete("its pages go in circles")
        if following.method == "GET":
            answer = archive.get_json(following.href)
        else:
            body = (body if following.merge else {}) | following.body
            answer = _post(archive, following.href, body)
        pages.append(_Page.model_validate(answer))
        links.add(following.model_dump_json())
    _check_whole(pages)
    return [{"features": page.features, "numberMatched": pages[0].matched} for page in pages]


def _post(archive: HttpArchive, url: str, body: Any) -> Any:
    """The answer to a question; the catalogue knows no credentials, so that a refusal is the archive's trouble."""
    try:
        return archive.post_json(url, body)
    except Refused as error:
        raise ArchiveUnavailable(f"{str(error).rstrip('.')}; run this again later.") from error


def _check_whole(pages: list[_Page]) -> None:
    """An item that moves over a page's border comes twice; with all that were announced there, nothing is missing."""
    identities = [_identity(item) for page in pages for item in page.features]
    listed, distinct, matched = len(identities), len(set(identities)), pages[0].matched
    if matched is None and distinct != listed:
        raise _Incomplete("its pages repeat items, and it does not say how many there are")
    if matched is not None and matched != distinct:
        twice = f", {listed - distinct} of them twice" if listed != distinct else ""
        raise _Incomplete(f"it announced {matched} items and listed {distinct}{twice}")


def _identity(item: Mapping[str, Any]) -> str:
    """What makes two items of an answer the same: collection and id, or all that one without an id says."""
    if isinstance(item.get("id"), str):
        return f"{item.get('collection')}/{item['id']}"
    return _digest(item)


def _result(pages: list[dict[str, Any]], request: Request | None = None) -> SearchResult:
    """Scenes and malformed items of the pages' features; of an item that came twice the one touched last."""
    items: dict[str, dict[str, Any]] = {}
    for item in (item for page in pages for item in page["features"]):
        known = items.get(_identity(item))
        if known is None or _touched(item) > _touched(known):
            items[_identity(item)] = item
    scenes: list[Scene] = []
    malformed: dict[str, str] = {}
    for number, item in enumerate(items.values(), 1):
        try:
            scene = scene_from_item(item)
        except ArchiveAnswerInvalid as error:
            malformed[shown(item.get("id") or f"number {number} of the answer")] = str(error)
            continue
        misfit = request.misfit(scene) if request is not None else None
        if misfit is None:
            scenes.append(scene)
        else:
            malformed[scene.id] = f"Item {scene.id} {misfit}; it was not asked for."
    matched = pages[0].get("numberMatched") if pages else None
    return SearchResult(tuple(scenes), malformed, tuple(_digest(page["features"]) for page in pages), matched)


def _touched(item: Mapping[str, Any]) -> str:
    properties = item.get("properties")
    return str(properties.get("updated")) if isinstance(properties, Mapping) else ""


def _digest(part: Any) -> str:
    """sha256 of what an answer says about items; links and counters may change from one asking to the next."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()


def _note(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.info("Earth Search: search %d failed (%s); trying again.", state.attempt_number, type(failure).__name__)
