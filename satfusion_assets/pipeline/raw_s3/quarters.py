"""Quarters of Sentinel-3 as cache entries: which of them hold, which are asked for again, and what is believed.

Nothing bad is remembered for ever. An archive that says that it has nothing of a quarter is asked again, some days
apart, before it is believed; a cached file that is not an answer to its request (any more) is fetched anew; a quarter
that came to nothing has no entry.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from satfusion_assets.archives.copernicus import Cube, CubeRequest, JobResult, read_cube
from satfusion_assets.pipeline.acquisition.cache import Entry, FetchCache
from satfusion_assets.pipeline.acquisition.report import Progress
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveError

log = logging.getLogger(__name__)

SETTLED: Final = timedelta(days=10)
"""After this long a quarter no longer changes: near-real-time data have been replaced and late ones have arrived."""
EMPTY_APART: Final = timedelta(days=3)
"""How long after "nothing there" a settled quarter is asked for again."""
EMPTY_ASKED: Final = 3
"""How often a settled quarter has to be empty before that is believed."""
DARK_BELOW_DEG: Final = 10.0
"""Height of the sun at noon below which OLCI takes no data (sun zenith angles beyond 80 degrees)."""
_NETCDF: Final = ".nc"

Ask = Callable[[list[CubeRequest]], Iterator[JobResult]]


@dataclass(frozen=True)
class Quarter:
    """What is known of a request. cube: None when the archive has nothing, or nothing came of asking.

    trouble: what went wrong when it was asked for in this run; ``cube`` is an earlier answer then, if there is one.
    job_id, fetched: where and of when the answer is. asked: days on which the archive said that it has nothing.
    """

    request: CubeRequest
    cube: Cube | None
    job_id: str | None = None
    fetched: str | None = None
    asked: tuple[str, ...] = ()
    trouble: ArchiveError | None = None

    @property
    def empty(self) -> bool:
        """The archive says that it has nothing."""
        return self.cube is None and self.trouble is None


class Quarters:
    """The quarters of one season; what is missing or may have changed is asked for. now: today."""

    def __init__(self, cache: FetchCache, ask: Ask, now: date, latitude: float) -> None:
        self._cache = cache
        self._ask = ask
        self._now = now
        self._latitude = latitude
        self.fetched = 0
        self.bytes_read = 0

    def fetch(self, requests: Sequence[CubeRequest], progress: Progress) -> list[Quarter]:
        """Every request's quarter, in the order of ``requests``."""
        known = {request.key: quarter for request in requests if (quarter := self._current(request))}
        for done, key in enumerate(known, 1):
            progress(done, len(requests), key)
        missing = [request for request in requests if request.key not in known]
        self._fetch(missing, known, len(requests), progress)
        asked = {request.key for request in missing}
        holes = [one.request for one in self.holes(known[r.key] for r in requests) if one.request.key not in asked]
        self._fetch(holes, known, len(requests), progress)
        return [known[request.key] for request in requests]

    def has_all(self, requests: Sequence[CubeRequest]) -> bool:
        """Whether nothing would be asked for."""
        known = [quarter for request in requests if (quarter := self._current(request))]
        return len(known) == len(requests) and not self.holes(known)

    def holes(self, quarters: Iterable[Quarter]) -> list[Quarter]:
        """Empty quarters between full ones, which only a polar night can make."""
        quarters = list(quarters)
        full = [quarter.request.start for quarter in quarters if quarter.cube is not None]
        return [
            quarter
            for quarter in quarters
            if quarter.empty
            and quarter.request.start not in full
            and min(full, default=date.max) < quarter.request.start < max(full, default=date.min)
            and not is_dark(self._latitude, quarter.request.start, quarter.request.end)
        ]

    def _fetch(self, requests: list[CubeRequest], known: dict[str, Quarter], total: int, progress: Progress) -> None:
        for result in self._ask(requests) if requests else ():
            known[result.request.key] = self._keep(result)
            progress(len(known), total, result.request.key)

    def _current(self, request: CubeRequest) -> Quarter | None:
        """The cached quarter, unless it is due to be asked for again."""
        quarter = self._cached(request, self._cache.get(request.key))
        if quarter is None or quarter.fetched is None:
            return None
        fetched, settled = date.fromisoformat(quarter.fetched), request.end + SETTLED
        if not quarter.empty or fetched < settled:
            return quarter if fetched >= min(settled, self._now) else None
        believed = sum(date.fromisoformat(day) >= settled for day in quarter.asked) >= EMPTY_ASKED
        return quarter if believed or self._now - fetched < EMPTY_APART else None

    def _cached(self, request: CubeRequest, entry: Entry | None) -> Quarter | None:
        """The quarter in a cache entry; None when there is none that can be used."""
        if entry is None:
            return None
        try:
            fetched = date.fromisoformat(entry.facts["fetched"]).isoformat()
            asked = tuple(date.fromisoformat(day).isoformat() for day in entry.facts.get("asked", [fetched]))
            if _NETCDF not in entry.paths:
                return Quarter(request, None, entry.facts.get("job_id"), fetched, asked)
            cube = read_cube(entry.paths[_NETCDF].read_bytes(), request, entry.key)
        except (KeyError, TypeError, ValueError, AttributeError, ArchiveAnswerInvalid) as error:
            log.warning("Cached %s cannot be used (%s); it is asked for again.", entry.key, error)
            return None
        return Quarter(request, cube, entry.facts.get("job_id"), fetched)

    def _keep(self, result: JobResult) -> Quarter:
        self.fetched += 1
        before = self._cached(result.request, self._cache.kept(result.request.key))
        had_data = before is not None and before.cube is not None
        trouble = result.trouble
        if trouble is None and result.content is None and had_data:
            trouble = ArchiveAnswerInvalid(
                f"Copernicus openEO says that it has nothing for {result.request.title}, of which it had data before."
            )
        if trouble is not None:
            log.warning("%s", trouble)
            return (
                replace(before, trouble=trouble)
                if had_data and before
                else Quarter(result.request, None, trouble=trouble)
            )
        fetched = result.as_of.isoformat()
        facts = {
            "fetched": fetched,
            "job_id": result.job_id,
            "etag": result.etag,
            "empty": result.content is None,
            "process_graph": result.request.process_graph,
        }
        if result.content is None:
            asked = sorted({fetched, *(before.asked if before is not None and before.empty else ())})
            self._cache.put(result.request.key, {}, facts | {"asked": asked})
            return Quarter(result.request, None, result.job_id, fetched, tuple(asked))
        self.bytes_read += len(result.content)
        cube = read_cube(result.content, result.request, result.request.title)
        self._cache.put(result.request.key, {_NETCDF: result.content}, facts)
        return Quarter(result.request, cube, result.job_id, fetched)


def is_dark(latitude: float, start: date, end: date) -> bool:
    """The sun stays too low for OLCI on every day from ``start`` to ``end``.

    Declination after Cooper (1969), good to half a degree.
    """
    days = (start.timetuple().tm_yday + offset for offset in range((end - start).days + 1))
    return all(90.0 - abs(latitude - 23.45 * math.sin(math.tau * (284 + day) / 365)) < DARK_BELOW_DEG for day in days)
