"""Which seasons are running, and the schedule that begins a new one where a site is marked as continuous."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import dagster as dg

from satfusion_assets.orchestration.jobs import acquire_sentinels
from satfusion_assets.pipeline.partitions import SITE_SEASON
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason

LATE: Final = timedelta(days=30)
"""How long after its last raw day a season is still looked after: archives deliver late and reprocess."""


def running(site_season: SiteSeason, today: date) -> bool:
    """Whether the archives may still get something new of a season, its margins included."""
    return site_season.raw_start <= today <= site_season.raw_end + LATE


def running_seasons(registry: SiteRegistry, today: date) -> list[SiteSeason]:
    """All registered site-seasons that are running."""
    return [item for item in registry.site_seasons if running(item, today)]


@dg.schedule(
    job=acquire_sentinels,
    cron_schedule="20 0 * * *",
    execution_timezone="UTC",
    description=(
        "Begins the year's season for every site marked as continuous: writes it into sites.geojson, adds its "
        "partitions and asks for its first raw data. Runs daily, so that a machine that was off catches up."
    ),
)
def new_seasons(
    context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    begun = begin_seasons(platform)
    context.instance.add_dynamic_partitions(SITE_SEASON, [item.key for item in begun])
    for item in begun:
        yield dg.RunRequest(run_key=f"{item.key} begins {platform.now().isoformat()}", partition_key=item.key)
    if not begun:
        continuous = [site.name for site in platform.registry.sites if site.continuous]
        which = f"{len(continuous)} continuous sites have it already" if continuous else "no site is continuous"
        yield dg.SkipReason(f"Season {platform.now().year}: {which}.")


def begin_seasons(platform: Platform) -> list[SiteSeason]:
    """Register this year's season at every continuous site that lacks it; returns what was added."""
    season = platform.now().year
    begun = []
    for site in platform.registry.sites:
        if site.continuous and season not in site.seasons:
            begun.append(platform.registry.add_seasons(site.name, [season]).site_season(site.name, season))
    return begun
