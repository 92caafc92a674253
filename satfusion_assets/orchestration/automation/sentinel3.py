"""The schedule that asks Copernicus for Sentinel-3, which has no cheap way to say what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from satfusion_assets.orchestration.automation.records import last_materialised, under_way
from satfusion_assets.orchestration.automation.seasons import running_seasons
from satfusion_assets.orchestration.jobs import acquire_sentinel3
from satfusion_assets.pipeline.acquisition.watch import watch_copernicus
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.vocabulary.errors import ArchiveError
from satfusion_assets.vocabulary.sites import SiteSeason

EVERY: Final = timedelta(days=3)
"""A site-season is asked for again after this long; each time costs batch jobs of a limited quota."""
MOST_A_DAY: Final = 60
"""Site-seasons asked for in one day, the longest unasked first."""


@dg.schedule(
    job=acquire_sentinel3,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    description=(
        "Asks for Sentinel-3 of every running season that was not asked for in the last three days. Does nothing "
        "while Copernicus is down or no account is set, and says so."
    ),
)
def ask_sentinel3(
    context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    now = platform.now()
    seasons = running_seasons(platform.registry, now.date())
    known = set(context.instance.get_dynamic_partitions("site_season"))
    # A machine that was off catches up on yesterday's tick, and may meet today's while that is at work.
    idle = known - under_way(context.instance, acquire_sentinel3.name)
    asked = last_materialised(context.instance, "raw_s3", [item.key for item in seasons])
    due = due_seasons([item for item in seasons if item.key in idle], asked, now)
    if not due:
        yield dg.SkipReason(
            f"{len(seasons)} running seasons, all asked for in the last {EVERY.days} days or being asked for."
        )
        return
    try:
        watch_copernicus(platform.settings)
    except ArchiveError as error:
        yield dg.SkipReason(f"{len(due)} running seasons are due, but: {error} Asked again tomorrow.")
        return
    for item in due[:MOST_A_DAY]:
        yield dg.RunRequest(run_key=f"{item.key} {now.isoformat()}", partition_key=item.key)


def due_seasons(seasons: list[SiteSeason], asked: dict[str, datetime], now: datetime) -> list[SiteSeason]:
    """The seasons that were not materialised within EVERY, never asked first, then the longest unasked."""
    never = datetime.min.replace(tzinfo=now.tzinfo)
    slack = timedelta(hours=12)  # runs of the last time ended at different hours
    due = [item for item in seasons if asked.get(item.key, never) < now - EVERY + slack]
    return sorted(due, key=lambda item: (asked.get(item.key, never), item))
