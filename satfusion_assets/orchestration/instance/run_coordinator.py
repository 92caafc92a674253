"""Dagster's queue of runs, which also writes on each run what it is of, and whether it works or waits.

A run that waits for a backfill holds a place of the queue without working. Were it counted with the others, as many of
them as there are places would wait for ever for what can never begin. So the queue counts both kinds apart, by tags.
"""

from __future__ import annotations

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from satfusion_assets.orchestration.tags import WAITS, WORKS, YES, place_tags, sensor_tags

PLACE_TAGS = ("dagster/partition/site_season", "dagster/partition")
"""Dagster's documented tags of a run of one partition: of a grid with several dimensions, and of one."""


class TaggingRunCoordinator(QueuedRunCoordinator):
    """Named in dagster.yaml as ``run_coordinator``."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        self._instance.add_run_tags(context.dagster_run.run_id, tags_of(context.dagster_run))
        return super().submit_run(context)


def tags_of(run: DagsterRun) -> dict[str, str]:
    """What is written on ``run`` besides the tags that it has."""
    place = next((run.tags[name] for name in PLACE_TAGS if name in run.tags), "")
    sensors = sensor_tags(key.to_user_string() for key in run.asset_selection or ())
    counted = {} if WAITS in run.tags else {WORKS: YES}
    return place_tags(place) | sensors | counted
