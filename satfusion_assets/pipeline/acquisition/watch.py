"""Before the first stage: has an archive something that was not there before? One light question a site, no data.

The clients are imported where they are used: whoever loads the definitions does not pay for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, NoData
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteSeason

if TYPE_CHECKING:
    from satfusion_assets.archives.http import Answer
    from satfusion_assets.archives.phenocam import DailySummary, PhenoCam, Region
    from satfusion_assets.archives.retry import RetryPolicy

SILENCE_S: Final = 10.0
"""Who only asks whether there is news does not wait longer for an answer."""
_CONDITIONS: Final = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class Sighting(BaseModel):
    """What an archive had of a site when it was last asked.

    token: a short text for people, the same as long as there is nothing new. validators: HTTP headers that let the
    archive say that nothing has changed.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    validators: Mapping[str, str] = {}


def watch_sentinel2(settings: Settings, site: Site, start: date, end: date) -> Sighting:
    """The site's Sentinel-2 scenes sensed from ``start`` to ``end``: their number and their latest change.

    ArchiveUnavailable or ArchiveAnswerInvalid when Earth Search does not say.
    """
    from satfusion_assets.archives.earth_search import latest_change
    from satfusion_assets.vocabulary.grid import site_grid

    found = latest_change(
        settings.earth_search_url, settings.s2_collection, site_grid(site).fine, start, end, _retry_policy(settings)
    )
    return Sighting(token=f"{found.matched} scenes, latest change {found.updated or 'never'}")


def watch_phenocam(settings: Settings, site: Site, season: SiteSeason, known: Sighting | None) -> Sighting:
    """The summary of the region of interest that ``season`` would use; ``known`` when it is unchanged.

    ArchiveUnavailable, ArchiveAnswerInvalid, or NoData when the archive has no region for the season.
    """
    from satfusion_assets.archives.http import HttpArchive
    from satfusion_assets.archives.phenocam import PhenoCam

    conditions = {_CONDITIONS[name]: value for name, value in known.validators.items()} if known else {}
    with HttpArchive("PhenoCam", _retry_policy(settings)) as http:
        archive = PhenoCam(settings.phenocam_url, http)
        region, answer, days = _best_summary(archive, site, season, conditions)
    if answer.unchanged and known is not None:
        return known
    last = max((day.day for day in days), default=None)
    content = hashlib.sha256(answer.body).hexdigest()[:12]
    return Sighting(token=f"{region.name} until {last}, content {content}", validators=_validators(answer))


def _best_summary(
    archive: PhenoCam, site: Site, season: SiteSeason, conditions: Mapping[str, str]
) -> tuple[Region, Answer, Sequence[DailySummary]]:
    """The summary of the best region that the archive has one of, as an acquisition chooses it."""
    from satfusion_assets.archives.http import FileWithheld
    from satfusion_assets.archives.phenocam import choose_region

    regions = archive.regions(site.name)
    passed: dict[Region, str] = {}
    while True:
        try:
            region = choose_region(site, regions, season.start, season.end, passed).region
        except NoData as error:
            if passed:  # there are regions, and none gives its summary
                raise ArchiveAnswerInvalid(next(iter(passed.values()))) from error
            raise
        try:
            return region, *archive.one_day_summary(region, conditions)
        except ArchiveAnswerInvalid as error:
            passed[region] = str(error)
        except FileWithheld as error:  # the archive has just given the regions: it is this file's trouble
            raise ArchiveAnswerInvalid(str(error)) from error


def watch_copernicus(settings: Settings) -> None:
    """Nothing when Sentinel-3 can be asked for; CredentialsMissing or an ArchiveError when it cannot."""
    from satfusion_assets.archives.copernicus import Credentials
    from satfusion_assets.archives.http import HttpArchive

    Credentials.of(settings)
    with HttpArchive("Copernicus openEO", _retry_policy(settings)) as http:
        http.get_json(settings.openeo_url)


def _validators(answer: Answer) -> dict[str, str]:
    return {name: answer.headers[name] for name in _CONDITIONS if answer.headers.get(name)}


def _retry_policy(settings: Settings) -> RetryPolicy:
    """One attempt: the next tick is the next attempt."""
    from satfusion_assets.archives.retry import RetryPolicy

    policy = RetryPolicy.of(settings)
    return replace(policy, attempts=1, timeout_s=min(policy.timeout_s, SILENCE_S), deadline_s=SILENCE_S)
