"""PhenoCam: the right region of interest, three years of greenness, the season's midday pictures, ``raw_phenocam``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from satfusion_assets.archives.http import HttpArchive, NotFound
from satfusion_assets.archives.phenocam import (
    LICENCE,
    Camera,
    DailySummary,
    PhenoCam,
    Picture,
    Region,
    RegionChoice,
    Sifted,
    decode_summary,
    parse_one_day_summary,
)
from satfusion_assets.archives.retry import RetryPolicy
from satfusion_assets.pipeline.acquisition.cache import Entry, FetchCache, digest
from satfusion_assets.pipeline.acquisition.fetching import fetch_all
from satfusion_assets.pipeline.acquisition.report import Progress, SetAside, log_progress
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.raw_phenocam.camera_series import CameraSeries, ScreenedDay, camera_series
from satfusion_assets.pipeline.raw_phenocam.files import (
    PHENOCAM_GCC,
    PHENOCAM_GCC_3Y,
    PHENOCAM_REGIONS,
    PHENOCAM_ROIS,
    camera_picture,
)
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.sources import SOURCES, stated
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

_JPEG: Final = ".jpg"
_CSV: Final = ".csv"


def acquire_phenocam(
    site: Site,
    season: SiteSeason,
    store: Store,
    settings: Settings,
    progress: Progress = log_progress,
    *,
    again: bool = False,
) -> Outcome:
    """Fetch greenness (season-1 to season+1) of every region, midday pictures (season) and publish ``raw_phenocam``.

    Pictures, regions and days that the archive lists and cannot give are set aside, each with its reason; greenness
    does without any picture, so their number stops nothing and the check of coverage says it. again: fetch everything
    again, cached or not. Raises ArchiveUnavailable, ArchiveAnswerInvalid, NoData, StoreFull.
    """
    cache = FetchCache(store.kept(season, "phenocam"), again=again)
    with HttpArchive("PhenoCam", RetryPolicy.of(settings)) as http:
        archive = PhenoCam(settings.phenocam_url, http)
        camera = archive.camera(site.name)
        regions = archive.regions(site.name)
        fetcher = _Fetcher(archive, cache)
        series = camera_series(site, season, regions, fetcher.summary)
        listed, unlisted = _pictures(archive, site)
        pictures = {p.day.strftime("%Y%m%d"): p for p in listed if p.day.year == season.season}
        fetched = fetch_all(
            pictures,
            fetcher.picture,
            settings.phenocam_connections,
            progress,
            witness=lambda name: archive.picture(pictures[name]),
        )
    bad = [SetAside(n, pictures[n].path, "unreadable", str(fetched.bad[n])) for n in sorted(fetched.bad)]
    set_aside = [*series.set_aside, *unlisted, *bad]
    return _publish(store, season, camera, series, pictures, fetched.results, set_aside, fetcher, http)


def _pictures(archive: PhenoCam, site: Site) -> tuple[Sequence[Picture], list[SetAside]]:
    """The listed pictures and what is wrong with the list; greenness needs no picture, so a bad list is noted."""
    try:
        pictures = archive.pictures(site.name)
    except NotFound as error:
        return (), [SetAside("", "midday pictures", "missing", str(error))]
    except ArchiveAnswerInvalid as error:
        return (), [SetAside("", "midday pictures", "malformed", str(error))]
    return pictures, [
        SetAside("", bad.what, "malformed", f"Entry of the list of pictures: {bad.reason}.")
        for bad in pictures.left_out
    ]


class _Fetcher:
    """Pictures and the summary as cache entries."""

    def __init__(self, archive: PhenoCam, cache: FetchCache) -> None:
        self._archive = archive
        self._cache = cache
        self.keys: set[str] = set()
        self.fetched = 0

    def summary(self, region: Region) -> Sifted[DailySummary]:
        """The region's days; an unchanged summary is confirmed by the archive and taken from the cache.

        One with bad lines is asked for anew each time, since the archive may have mended it under the same tag.
        """
        key = region.name
        self.keys.add(key)
        entry = self._cache.get(key)
        known = _cached_days(entry, key)
        answer, days = self._archive.one_day_summary(region, _conditions(entry if known is not None else None))
        if answer.unchanged and known is not None:
            return known
        self.fetched += 1
        validators = {name: answer.headers.get(name) for name in ("etag", "last-modified")}
        self._cache.put(key, {_CSV: answer.body}, validators)
        return days

    def picture(self, name: str, picture: Picture) -> Entry:
        key = f"{name}_{digest(picture.path)}"
        self.keys.add(key)
        known = self._cache.get(key)
        if known is not None:
            return known
        answer = self._archive.picture(picture)
        self.fetched += 1
        return self._cache.put(key, {_JPEG: answer.body}, {"path": picture.path, "etag": answer.etag})

    def drop_others(self) -> None:
        self._cache.keep_only(self.keys)


def _cached_days(entry: Entry | None, key: str) -> Sifted[DailySummary] | None:
    """The days of a cached summary when all its lines are good, else None."""
    if entry is None:
        return None
    try:
        days = parse_one_day_summary(decode_summary(entry.paths[_CSV].read_bytes(), key), key)
    except ArchiveAnswerInvalid:
        return None
    return None if days.left_out else days


def _conditions(known: Entry | None) -> dict[str, str]:
    """Headers that let the archive answer that nothing has changed."""
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    facts = known.facts if known is not None else {}
    return {header: facts[name] for name, header in names.items() if facts.get(name)}


def _publish(
    store: Store,
    season: SiteSeason,
    camera: Camera,
    series: CameraSeries,
    pictures: Mapping[str, Picture],
    fetched: Mapping[str, Entry],
    set_aside: Sequence[SetAside],
    fetcher: _Fetcher,
    http: HttpArchive,
) -> Outcome:
    choice = series.choice
    days = series.days[choice.region]
    own = [day for day in days if day.summary.day.year == season.season]
    said = stated(f"PhenoCam {camera.name}", [camera.acknowledgement], "CC-BY-4.0")
    parameters = {"region": choice.region.name, SOURCES: said}
    with publish(store, RAW_PHENOCAM.of(season), parameters=parameters) as draft:
        for name, entry in fetched.items():
            draft.adopt(entry.paths[_JPEG], camera_picture(pictures[name].day))
        draft.write_json(f"{PHENOCAM_GCC}.json", _series(own))
        draft.write_json(PHENOCAM_GCC_3Y, _series(days))
        draft.write_json(PHENOCAM_REGIONS, _regions_series(series.days))
        draft.write_bytes(f"{PHENOCAM_GCC}.csv", _table(own).encode())
        draft.write_json(PHENOCAM_ROIS, _regions_record(camera, choice, days, pictures, set_aside))
        draft.write_bytes("raw/phenocam/LICENCE.txt", _licence(camera).encode())
    assert draft.manifest is not None, "a published draft has its manifest"
    fetcher.drop_others()
    return Outcome(
        draft.manifest,
        numbers={
            "days_used": sum(day.used for day in own),
            "regions": len(series.days),
            **_counts(own),
            "pictures": len(fetched),
            "set_aside": len(set_aside),
            "files_in_this_run": fetcher.fetched,
            "requests": http.requests,
            "bytes_read": http.bytes_read,
        },
        notes={"region": choice.region.name, "region_chosen_by": choice.why},
        tables={"set_aside": [asdict(one) for one in set_aside]},
    )


def _series(days: Sequence[ScreenedDay]) -> list[dict[str, Any]]:
    return [{"date": day.summary.day.isoformat(), "greenness_index": day.summary.gcc_90} for day in days if day.used]


def _regions_series(regions: Mapping[Region, Sequence[ScreenedDay]]) -> dict[str, Any]:
    """By region, the chosen one first: its vegetation, its three years, its white days."""
    return {
        region.name: {
            "vegetation": region.vegetation,
            "series": _series(days),
            "white_days": [day.summary.day.isoformat() for day in days if day.white],
        }
        for region, days in regions.items()
    }


def _table(days: Sequence[ScreenedDay]) -> str:
    """Every day of the season, used or not, with the reasons; empty = missing or not said."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", "greenness_index", "image_count", "snow", "outlier", "used"])
    for day in days:
        one = day.summary
        gcc = "" if math.isnan(one.gcc_90) else one.gcc_90
        snow = int(day.white) or "" if one.snow is None else int(one.snow)
        writer.writerow([one.day.isoformat(), gcc, one.image_count, snow, day.outlier_by or "", int(day.used)])
    return text.getvalue()


def _counts(days: Sequence[ScreenedDay]) -> dict[str, int]:
    return {
        "days_with_value": sum(not math.isnan(day.summary.gcc_90) for day in days),
        "outliers_by_archive": sum(day.outlier_by == "archive" for day in days),
        "outliers_by_detector": sum(day.outlier_by == "detector" for day in days),
        "snow_days": sum(day.summary.snow is True or day.white for day in days),
    }


def _regions_record(
    camera: Camera,
    choice: RegionChoice,
    days: Sequence[ScreenedDay],
    pictures: Mapping[str, Picture],
    set_aside: Sequence[SetAside],
) -> dict[str, Any]:
    return {
        "camera": camera.name,
        "utc_offset_hours": camera.utc_offset_hours,
        "orientation": camera.orientation,
        "chosen": choice.region.name,
        "chosen_by": choice.why,
        "regions": [region.model_dump(mode="json") for region in choice.candidates],
        "years": {str(year): _counts([day for day in days if day.summary.day.year == year]) for year in _years(days)},
        "pictures": {name: picture.path for name, picture in pictures.items()},
        "set_aside": [asdict(one) for one in set_aside],
    }


def _years(days: Sequence[ScreenedDay]) -> list[int]:
    return sorted({day.summary.day.year for day in days})


def _licence(camera: Camera) -> str:
    site = camera.acknowledgement or "(the archive names no text for this site)"
    fair_use = f"\nThe archive's fair use statement:\n{camera.fair_use}\n" if camera.fair_use else ""
    return f"{LICENCE}\nAcknowledgement of site {camera.name}: {site}\n{fair_use}"
