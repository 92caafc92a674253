"""Sensors that ask the archives for news of the running seasons, and request runs of just what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import dagster as dg
from pydantic import BaseModel, ValidationError

from satfusion_assets.orchestration.automation.seasons import running_seasons
from satfusion_assets.orchestration.jobs import acquire_phenocam, acquire_sentinel2
from satfusion_assets.pipeline.acquisition.watch import Sighting, watch_phenocam, watch_sentinel2
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable, NoData
from satfusion_assets.vocabulary.sites import Site, SiteSeason

SITES_A_TICK: Final = 12
"""Sites asked for in one tick, so that a tick is short and an archive is not asked in bursts."""
FIRST_PAUSE: Final = timedelta(minutes=15)
LONGEST_PAUSE: Final = timedelta(hours=6)
"""An archive that is down is left alone for this long, doubling from the first to the longest."""
_RUN_KEY_TAG: Final = "dagster/run_key"
_SENSOR_TAG: Final = "dagster/sensor_name"
"""Dagster's documented tags of a run that a sensor requested."""
FAILURES: Final = 500
"""Failed runs that are looked at."""
AGAIN: Final = timedelta(days=1)
"""A run that failed is requested again after this long, although the archive has nothing newer."""


class Asked(BaseModel):
    """What is known of one site. request: run key of the last request, '' = none was made."""

    at: datetime
    sighting: Sighting
    request: str = ""


class Memory(BaseModel):
    """Cursor of a watching sensor. failures: ticks in a row that found the archive down."""

    sites: dict[str, Asked] = {}
    failures: int = 0
    not_before: datetime | None = None

    @classmethod
    def of(cls, cursor: str | None) -> Memory:
        """The memory in ``cursor``; a fresh one when there is none or it is of another version."""
        try:
            return cls.model_validate_json(cursor) if cursor else cls()
        except ValidationError:
            return cls()


@dataclass(frozen=True)
class Watched:
    """One site and its running seasons."""

    site: Site
    seasons: tuple[SiteSeason, ...]


Ask = Callable[[Platform, Watched, Sighting | None], Sighting]


@dg.sensor(
    name="watch_sentinel2",
    job=acquire_sentinel2,
    minimum_interval_seconds=600,
    description=(
        "Asks Earth Search whether a running season has new, reprocessed or withdrawn scenes (one request a site, a "
        "dozen sites a tick) and requests raw_s2 of just those. Pauses while the archive is down."
    ),
)
def watch_sentinel2_archive(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.SensorResult:
    return watch(context, platform, "Earth Search", _sentinel2)


@dg.sensor(
    name="watch_phenocam",
    job=acquire_phenocam,
    minimum_interval_seconds=3600,
    description=(
        "Asks the PhenoCam archive whether the summary of a running season's region of interest has changed and "
        "requests raw_phenocam of just those. Pauses while the archive is down."
    ),
)
def watch_phenocam_archive(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
) -> dg.SensorResult:
    return watch(context, platform, "PhenoCam", _phenocam)


def _sentinel2(platform: Platform, watched: Watched, _: Sighting | None) -> Sighting:
    start, end = watched.seasons[0].raw_start, watched.seasons[-1].raw_end
    return watch_sentinel2(platform.settings, watched.site, start, end)


def _phenocam(platform: Platform, watched: Watched, known: Sighting | None) -> Sighting:
    return watch_phenocam(platform.settings, watched.site, watched.seasons[-1], known)


def watch(context: dg.SensorEvaluationContext, platform: Platform, archive: str, ask: Ask) -> dg.SensorResult:
    """One tick: ask ``archive`` for the sites unasked for longest, request what changed, and say why or why not."""
    now = platform.now()
    memory = Memory.of(context.cursor)
    if memory.not_before is not None and now < memory.not_before:
        return dg.SensorResult(
            skip_reason=f"{archive} was down {memory.failures} times in a row; asked again after "
            f"{memory.not_before:%Y-%m-%d %H:%M} UTC.",
            cursor=memory.model_dump_json(),
        )
    everything = watched_sites(platform, context.instance.get_dynamic_partitions(SITE_SEASON), now)
    memory.sites = {site: asked for site, asked in memory.sites.items() if site in everything}
    if not everything:
        return dg.SensorResult(skip_reason="No registered season is running.", cursor=memory.model_dump_json())
    turn = sorted(everything, key=lambda site: (memory.sites[site].at.timestamp() if site in memory.sites else 0, site))
    tick = _Tick(context, now, memory)
    problems: list[str] = []
    for name in turn[:SITES_A_TICK]:
        known = memory.sites.get(name)
        try:
            tick.note(everything[name], ask(platform, everything[name], known.sighting if known else None))
        except ArchiveUnavailable as error:
            tick.pause()
            problems.append(f"{error} Left alone until {memory.not_before:%Y-%m-%d %H:%M} UTC.")
            break
        except (ArchiveAnswerInvalid, NoData) as error:
            tick.asked_in_vain(name, known)
            problems.append(f"{name}: {error}")
    else:
        memory.failures, memory.not_before = 0, None
    return tick.result(archive, len(everything), problems)


def watched_sites(platform: Platform, partitions: Sequence[str], now: datetime) -> Mapping[str, Watched]:
    """Sites with running seasons whose partitions exist, by name."""
    existing = set(partitions)
    seasons: dict[str, list[SiteSeason]] = {}
    registry = platform.registry
    for item in running_seasons(registry, now.date()):
        if item.key in existing:
            seasons.setdefault(item.site, []).append(item)
    return {name: Watched(registry.site(name), tuple(sorted(items))) for name, items in seasons.items()}


class _Tick:
    """What one tick asks for, and what it will remember."""

    def __init__(self, context: dg.SensorEvaluationContext, now: datetime, memory: Memory) -> None:
        self._context = context
        self._now = now
        self._memory = memory
        self._requests: list[dg.RunRequest] = []
        self._why: list[str] = []
        self._quiet: list[str] = []

    def note(self, watched: Watched, sighting: Sighting) -> None:
        """Request the site's seasons when ``sighting`` is news, or when the run for it failed a day ago."""
        name = watched.site.name
        known = self._memory.sites.get(name)
        news = known is None or known.sighting.token != sighting.token
        request = known.request if known and not news else ""
        if news or (request and self._failed(request)):
            says = f"{name}: {sighting.token}" + ("" if news else f" (again {self._now:%Y-%m-%d})")
            before = f"before: {known.sighting.token}" if known and news else "asked for the first time"
            self._why.append(f"{says} ({before})" if news else says)
            # Dagster drops a key that it has seen: the same news may come again, as when an item is withdrawn and
            # restored, or a site removed and added.
            request = f"{says} at {self._now.isoformat()}"
            tags = {"satfusion/why": sighting.token}
            self._requests += [
                dg.RunRequest(run_key=f"{request} [{item.season}]", partition_key=item.key, tags=tags)
                for item in watched.seasons
            ]
        else:
            self._quiet.append(name)
        self._memory.sites[name] = Asked(at=self._now, sighting=sighting, request=request)

    def asked_in_vain(self, name: str, known: Asked | None) -> None:
        """Put a site with a bad answer at the end of the queue, its news still unknown."""
        unknown = known or Asked(at=self._now, sighting=Sighting(token=""))
        self._memory.sites[name] = unknown.model_copy(update={"at": self._now})

    def pause(self) -> None:
        self._memory.failures += 1
        self._memory.not_before = self._now + min(FIRST_PAUSE * 2 ** (self._memory.failures - 1), LONGEST_PAUSE)

    def result(self, archive: str, running: int, problems: Sequence[str]) -> dg.SensorResult:
        cursor = self._memory.model_dump_json()
        quiet = [f"{archive} has nothing new of {', '.join(self._quiet)} (sites running: {running})."]
        says = [*(f"{why}." for why in self._why), *(quiet if self._quiet else []), *problems]
        if self._requests:
            self._context.log.info(" ".join(says))
            return dg.SensorResult(run_requests=self._requests, cursor=cursor)
        return dg.SensorResult(skip_reason=" ".join(says), cursor=cursor)

    def _failed(self, request: str) -> bool:
        """Whether a run of ``request`` failed and was requested at least AGAIN ago."""
        return any(key.startswith(request) for key in self._failures)

    @cached_property
    def _failures(self) -> list[str]:
        """Run keys of this sensor's latest failures among the runs of a day ago and before."""
        failed = dg.RunsFilter(
            tags={_SENSOR_TAG: self._context.sensor_name},
            statuses=[dg.DagsterRunStatus.FAILURE],
            created_before=self._now - AGAIN,
        )
        return [run.tags.get(_RUN_KEY_TAG, "") for run in self._context.instance.get_runs(failed, limit=FAILURES)]
