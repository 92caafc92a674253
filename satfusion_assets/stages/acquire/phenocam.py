"""PhenoCam: the right region of interest, three years of greenness, the season's midday pictures, ``raw_phenocam``."""

from __future__ import annotations

import csv
import io
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from satfusion_assets.archives.http import HttpArchive
from satfusion_assets.archives.patience import Patience
from satfusion_assets.archives.phenocam import (
    LICENCE,
    Camera,
    DailySummary,
    PhenoCam,
    Picture,
    Region,
    RegionChoice,
    choose_region,
    other_regions,
    parse_one_day_summary,
)
from satfusion_assets.errors import ArchiveAnswerInvalid, NoData
from satfusion_assets.processing.camera import flag_outliers, white_days
from satfusion_assets.settings import Settings
from satfusion_assets.sites import Site, SiteSeason
from satfusion_assets.stages.acquire.cache import Entry, FetchCache, digest
from satfusion_assets.stages.acquire.fetching import Fetched, fetch_all, refuse_unless_few
from satfusion_assets.stages.acquire.report import Progress, SetAside, log_progress
from satfusion_assets.stages.outcome import Outcome
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.layout import PHENOCAM_GCC, PHENOCAM_GCC_3Y, PHENOCAM_REGIONS, PHENOCAM_ROIS, camera_picture

log = logging.getLogger(__name__)

_JPEG: Final = ".jpg"
_CSV: Final = ".csv"


@dataclass(frozen=True)
class ScreenedDay:
    """A day of the camera as it is used. outlier_by: ``archive``, ``detector`` or None when not an outlier.
    white: the file says nothing of snow on any day, and the region's colour shows it on this one.

    used: it counts in the greenness series (a value, no outlier, no snow by the file). White days count there, as the
    scores have them, and are left out where dates are read.
    """

    summary: DailySummary
    outlier_by: str | None
    white: bool

    @property
    def used(self) -> bool:
        return not math.isnan(self.summary.gcc_90) and self.outlier_by is None and self.summary.snow is not True


def acquire_phenocam(
    site: Site,
    season: SiteSeason,
    store: ProductStore,
    settings: Settings,
    progress: Progress = log_progress,
) -> Outcome:
    """Fetch greenness (season-1 to season+1) of every region, midday pictures (season) and publish ``raw_phenocam``.

    Pictures, and regions beside the chosen one, that the archive lists and cannot give are set aside. Raises
    ArchiveUnavailable, ArchiveAnswerInvalid, NoData, StoreFull.
    """
    cache = FetchCache(store.cache(season, "phenocam"))
    with HttpArchive("PhenoCam", Patience.of(settings)) as http:
        archive = PhenoCam(settings.phenocam_url, http)
        camera = archive.camera(site.name)
        choice = choose_region(site, archive.regions(site.name), season.start, season.end)
        fetcher = _Fetcher(archive, cache)
        days = _screen(fetcher.summary(choice.region), season)
        others, unreadable = _other_regions(fetcher, choice, season)
        pictures = {p.day.strftime("%Y%m%d"): p for p in archive.pictures(site.name) if p.day.year == season.season}
        fetched = fetch_all(pictures, fetcher.picture, settings.phenocam_connections, progress)
    refuse_unless_few(fetched.bad, len(pictures))
    used = [day for day in days if day.used and day.summary.day.year == season.season]
    if not used:
        raise NoData(
            f"PhenoCam region {choice.region.name} has no usable day in {season.season}; choose another season or "
            f"another vegetation for the site."
        )
    regions = {choice.region: days, **others}
    return _publish(store, season, camera, choice, regions, pictures, fetched, unreadable, fetcher, http)


class _Fetcher:
    """Pictures and the summary as cache entries."""

    def __init__(self, archive: PhenoCam, cache: FetchCache) -> None:
        self._archive = archive
        self._cache = cache
        self.keys: set[str] = set()
        self.fetched = 0

    def summary(self, region: Region) -> list[DailySummary]:
        """The region's days; an unchanged summary is confirmed by the archive and taken from the cache."""
        key = region.name
        self.keys.add(key)
        known = self._cache.get(key)
        answer, days = self._archive.one_day_summary(region, _conditions(known))
        if answer.unchanged and known is not None:
            return parse_one_day_summary(known.paths[_CSV].read_text("utf-8"), key)
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


def _conditions(known: Entry | None) -> dict[str, str]:
    """Headers that let the archive answer that nothing has changed."""
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    facts = known.facts if known is not None else {}
    return {header: facts[name] for name, header in names.items() if facts.get(name)}


def _other_regions(
    fetcher: _Fetcher, choice: RegionChoice, season: SiteSeason
) -> tuple[dict[Region, list[ScreenedDay]], list[SetAside]]:
    """The days of the regions that are not the site's own, and those that the archive lists and cannot give."""
    regions: dict[Region, list[ScreenedDay]] = {}
    unreadable = []
    for region in other_regions(choice, season.start, season.end):
        try:
            regions[region] = _screen(fetcher.summary(region), season)
        except ArchiveAnswerInvalid as error:
            unreadable.append(SetAside("", region.name, "unreadable", str(error)))
    return regions, unreadable


def _screen(days: Sequence[DailySummary], season: SiteSeason) -> list[ScreenedDay]:
    """The days of season-1 to season+1, outliers flagged by the archive where it says, else by our detector."""
    wanted = [day for day in days if abs(day.day.year - season.season) <= 1]
    numbers = np.array([day.day for day in wanted], "datetime64[D]")
    if not wanted:
        return []
    white = np.zeros(len(wanted), dtype=np.bool_)
    if all(day.snow is None for day in days):
        white = white_days([day.colour for day in wanted])
    gcc = np.array([day.gcc_90 for day in wanted])
    detected = flag_outliers(numbers, np.where(white, np.nan, gcc))
    return [
        ScreenedDay(day, _outlier_by(day, bool(flag)), bool(snow))
        for day, flag, snow in zip(wanted, detected, white, strict=True)
    ]


def _outlier_by(day: DailySummary, detected: bool) -> str | None:
    if day.outlier is not None:
        return "archive" if day.outlier else None
    return "detector" if detected else None


def _publish(
    store: ProductStore,
    season: SiteSeason,
    camera: Camera,
    choice: RegionChoice,
    regions: Mapping[Region, Sequence[ScreenedDay]],
    pictures: dict[str, Picture],
    fetched: Fetched[Entry],
    unreadable: Sequence[SetAside],
    fetcher: _Fetcher,
    http: HttpArchive,
) -> Outcome:
    days = regions[choice.region]
    own = [day for day in days if day.summary.day.year == season.season]
    set_aside = [
        *unreadable,
        *(SetAside(name, pictures[name].path, "unreadable", str(fetched.bad[name])) for name in sorted(fetched.bad)),
    ]
    with store.publish(Product("raw_phenocam", season), parameters={"region": choice.region.name}) as draft:
        for name, entry in fetched.results.items():
            draft.adopt(entry.paths[_JPEG], camera_picture(pictures[name].day))
        draft.write_json(f"{PHENOCAM_GCC}.json", _series(own))
        draft.write_json(PHENOCAM_GCC_3Y, _series(days))
        draft.write_json(PHENOCAM_REGIONS, _regions_series(regions))
        draft.write_bytes(f"{PHENOCAM_GCC}.csv", _table(own).encode())
        draft.write_json(PHENOCAM_ROIS, _regions_record(camera, choice, days, pictures, set_aside))
        draft.write_bytes("raw/phenocam/LICENCE.txt", _licence(camera).encode())
    assert draft.manifest is not None, "a published draft has its manifest"
    fetcher.drop_others()
    return Outcome(
        draft.manifest,
        numbers={
            "days_used": sum(day.used for day in own),
            "regions": len(regions),
            **_counts(own),
            "pictures": len(fetched.results),
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
    pictures: dict[str, Picture],
    set_aside: Sequence[SetAside],
) -> dict[str, Any]:
    return {
        "camera": camera.name,
        "utc_offset_hours": camera.utc_offset_hours,
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
