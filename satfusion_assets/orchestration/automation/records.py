"""What Dagster remembers of partitions, asked in few questions however many partitions there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

_AT_ONCE: Final = 500
"""Partitions asked for in one query."""
_PARTITION_TAG: Final = "dagster/partition"
"""Dagster's documented tag of a run with the partition that it makes."""
_UNDER_WAY: Final = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]


def last_materialised(instance: dg.DagsterInstance, asset: str, keys: Sequence[str]) -> dict[str, datetime]:
    """When each partition of ``asset`` among ``keys`` was last materialised; those never materialised are left out."""
    found: dict[str, datetime] = {}
    for first in range(0, len(keys), _AT_ONCE):
        wanted = list(keys[first : first + _AT_ONCE])
        newest = instance.get_latest_storage_id_by_partition(
            dg.AssetKey(asset), dg.DagsterEventType.ASSET_MATERIALIZATION, set(wanted)
        )
        if not newest:
            continue
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), storage_ids=list(newest.values())), limit=len(newest)
        ).records
        for record in records:
            if record.partition_key is not None:
                found[str(record.partition_key)] = datetime.fromtimestamp(record.timestamp, UTC)
    return found


def under_way(instance: dg.DagsterInstance, job: str) -> set[str]:
    """Partitions that a run of ``job`` is queued for or at work on."""
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_UNDER_WAY))
    return {key for run in runs if (key := run.tags.get(_PARTITION_TAG))}
