"""Which runs Dagster's records need no more: old ones that made nothing which is still the latest of its partition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import dagster as dg

from satfusion_assets.pipeline.registry import REGISTRY

_AT_ONCE: Final = 500
_ENDED: Final = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def unneeded_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[dg.DagsterRun]:
    """Runs that ended before ``before``, without those that the pages of partitions, freshness and automation rest on:
    with a run go its materialisations, and a partition whose latest one is gone counts as never made."""
    needed = set(_makers_of_the_latest(instance))
    ended = dg.RunsFilter(statuses=list(_ENDED), updated_before=before)
    for record in instance.get_run_records(ended):
        if record.dagster_run.run_id not in needed:
            yield record.dagster_run


def forget(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Delete a run with its events and what it printed."""
    instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    instance.delete_run(run.run_id)


def _makers_of_the_latest(instance: dg.DagsterInstance) -> Iterator[str]:
    """Ids of the runs that made the latest version of a partition, or of a product without any."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    for name in REGISTRY.names:
        key = dg.AssetKey(name)
        latest = instance.event_log_storage.get_latest_storage_id_by_partition(key, kind)
        entries = sorted(latest.values())
        for start in range(0, len(entries), _AT_ONCE):
            found = dg.AssetRecordsFilter(asset_key=key, storage_ids=entries[start : start + _AT_ONCE])
            yield from (record.run_id for record in instance.fetch_materializations(found, limit=_AT_ONCE).records)
        newest = instance.get_latest_materialization_event(key)
        if newest is not None:
            yield newest.run_id
