"""Searching the catalogue: every item of a place and time, with what is needed to prove what was asked and answered."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from odc.geo.geobox import GeoBox
from pystac import Link
from pystac.errors import STACError
from pystac_client import Client, ConformanceClasses, ItemSearch
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from urllib3 import Retry

from satfusion_assets.archives.earth_search.scenes import ASSETS, METADATA_ASSET, Scene, scene_from_item
from satfusion_assets.archives.patience import LONGEST_WAIT_S, THROTTLED, Patience, public_url
from satfusion_assets.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets.settings import S2Collection

log = logging.getLogger(__name__)

PAGE: Final = 100
"""Items a page; the real catalogue answers 500 above 267."""
_MOST_PAGES: Final = 100
"""A season at one place has about ten; more means that the pages go in circles."""
_FIELDS: Final = ("id", "type", "collection", "bbox", "properties", *(f"assets.{a}" for a in (*ASSETS, METADATA_ASSET)))


class _Incomplete(Exception):
    """The pages do not add up; asking again may help."""


_UNREADABLE: Final = (_Incomplete, STACError, ValueError, KeyError, TypeError, AttributeError)
"""What comes of an answer that is no catalogue: cut off, damaged, or from something else at that address."""


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
    url: str, collection: S2Collection, area: GeoBox, start: date, end: date, patience: Patience
) -> LatestChange:
    """The latest change among the items that ``search_scenes`` would list, with a single request.

    ArchiveUnavailable when the catalogue does not answer, ArchiveAnswerInvalid when its answer is no catalogue's.
    """
    search = ItemSearch(
        f"{url.rstrip('/')}/search",
        method="POST",
        collections=[str(collection)],
        intersects=_polygon(area),
        datetime=_interval(start, end),
        sortby=[{"field": "properties.updated", "direction": "desc"}],
        fields={"include": ["id", "properties.updated"]},
        limit=1,
        stac_io=_PoliteIO(patience),
    )
    try:
        page = next(search.pages_as_dicts(), None) or {"features": []}
        newest = page["features"][0]["properties"]["updated"] if page["features"] else None
        return LatestChange(newest, _matched([page]))
    except APIError as error:
        status = f"HTTP {_status(error)}" if _status(error) else "no complete answer"
        raise ArchiveUnavailable(f"Earth Search did not answer at {public_url(url)} ({status}).") from None
    except _UNREADABLE as error:
        raise ArchiveAnswerInvalid(
            f"Earth Search at {public_url(url)} gave no catalogue's answer; check SATFUSION_EARTH_SEARCH_URL."
        ) from error


def search_scenes(
    url: str, collection: S2Collection, area: GeoBox, start: date, end: date, patience: Patience
) -> SearchResult:
    """All items of ``collection`` that touch ``area`` from ``start`` to ``end`` (UTC days, both included).

    Raises ArchiveUnavailable when the catalogue does not answer, ArchiveAnswerInvalid when its answer is no
    catalogue or stays incomplete.
    """
    retrying = Retrying(
        retry=retry_if_exception(_worth_another_attempt),
        stop=stop_after_attempt(patience.attempts),
        wait=lambda state: patience.wait_s(state.attempt_number),
        before_sleep=_note,
        reraise=True,
    )
    try:
        pages = retrying(_pages, url, collection, area, start, end, patience)
    except APIError as error:
        status = f"HTTP {_status(error)}" if _status(error) else "no complete answer"
        raise ArchiveUnavailable(
            f"Earth Search did not answer at {public_url(url)} ({status}, {patience.attempts} attempts); "
            f"run this again later."
        ) from None
    except _UNREADABLE as error:
        why = str(error) if isinstance(error, _Incomplete) else "its answer is not a STAC catalogue's"
        raise ArchiveAnswerInvalid(
            f"Earth Search at {public_url(url)} cannot be used: {why}; check SATFUSION_EARTH_SEARCH_URL."
        ) from error
    return _result(pages)


def _pages(
    url: str, collection: S2Collection, area: GeoBox, start: date, end: date, patience: Patience
) -> list[dict[str, Any]]:
    requester = _PoliteIO(patience)
    client = Client.open(url, stac_io=requester, timeout=patience.timeout_s)
    fields = {"include": list(_FIELDS)} if client.conforms_to(ConformanceClasses.FIELDS) else None
    search = client.search(
        collections=[str(collection)],
        intersects=_polygon(area),
        datetime=_interval(start, end),
        limit=PAGE,
        fields=fields,
    )
    pages: list[dict[str, Any]] = []
    for page in requester.get_pages(search.url, search.method, search.get_parameters()):
        pages.append(page)
        if len(pages) > _MOST_PAGES:
            raise _Incomplete("its pages go in circles")
    found = [item["id"] for page in pages for item in page["features"]]
    if len(set(found)) != len(found):
        raise _Incomplete("its pages repeat items")
    matched = _matched(pages)
    if matched is not None and matched != len(found):
        raise _Incomplete(f"it announced {matched} items and listed {len(found)}")
    return pages


def _result(pages: list[dict[str, Any]]) -> SearchResult:
    scenes: list[Scene] = []
    malformed: dict[str, str] = {}
    for item in (item for page in pages for item in page["features"]):
        try:
            scenes.append(scene_from_item(item))
        except ArchiveAnswerInvalid as error:
            malformed[str(item["id"])] = str(error)
    return SearchResult(tuple(scenes), malformed, tuple(_digest(page) for page in pages), _matched(pages))


class _PoliteIO(StacApiIO):
    """Retries statuses for POST too (the search is one), 403 included because that is how the archive throttles.

    Broken connections and bodies are retried around it: there a body cut off counts as well.
    """

    def __init__(self, patience: Patience) -> None:
        super().__init__(
            max_retries=Retry(
                total=None,
                connect=0,
                read=0,
                other=0,
                status=patience.attempts - 1,
                backoff_factor=patience.first_wait_s,
                status_forcelist=sorted(THROTTLED),
                allowed_methods=None,
                raise_on_status=False,
                retry_after_max=int(LONGEST_WAIT_S),
            ),
            timeout=patience.timeout_s,
        )

    def get_pages(
        self, url: str, method: str | None = None, parameters: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every page, empty ones included: the client's own way stops at one without a word, also at the first."""
        page = self.read_json(url, method=method, parameters=parameters)
        yield page
        while following := next((link for link in page.get("links", []) if link["rel"] == "next"), None):
            page = self.read_json(Link.from_dict(following), parameters=parameters)
            yield page


def _interval(start: date, end: date) -> str:
    return f"{start.isoformat()}T00:00:00Z/{end.isoformat()}T23:59:59.999Z"


def _polygon(area: GeoBox) -> dict[str, Any]:
    west, south, east, north = area.extent.to_crs("EPSG:4326", resolution=float(area.resolution.x) * 10).boundingbox
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[list(point) for point in ring]]}


def _matched(pages: list[dict[str, Any]]) -> int | None:
    first: Mapping[str, Any] = pages[0] if pages else {}
    matched = first.get("numberMatched", first.get("context", {}).get("matched"))
    return int(matched) if matched is not None else None


def _digest(page: dict[str, Any]) -> str:
    """sha256 of what a page says about its items; links and counters may change from one asking to the next."""
    return hashlib.sha256(json.dumps(page["features"], sort_keys=True).encode()).hexdigest()


def _worth_another_attempt(error: BaseException) -> bool:
    """Statuses have been retried below already."""
    return (isinstance(error, APIError) and _status(error) is None) or isinstance(error, _UNREADABLE)


def _status(error: APIError) -> int | None:
    return getattr(error, "status_code", None)


def _note(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.info("Earth Search: search %d failed (%s); trying again.", state.attempt_number, type(failure).__name__)
