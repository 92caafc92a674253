"""A run that waits for a backfill and ends as that ends: green, failed, or canceled together."""

from __future__ import annotations

import time
from typing import Final

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

LOOK_S: Final = 5.0
"""How often the state of the backfill is read; its runs take minutes."""
_UNDER_WAY: Final = {BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING}
_GREEN: Final = {BulkActionStatus.COMPLETED, BulkActionStatus.COMPLETED_SUCCESS}


def begun(instance: dg.DagsterInstance, run: dg.DagsterRun) -> PartitionBackfill | None:
    """The backfill that an earlier attempt at ``run`` asked for and that is still under way, if any.

    A waiting run whose process was killed is made again by Dagster; it goes on waiting and asks for nothing twice.
    """
    for earlier in (run.parent_run_id, run.root_run_id):
        backfill = instance.get_backfill(earlier[:8]) if earlier else None
        if backfill is not None and backfill.status in _UNDER_WAY:
            return backfill
    return None


def wait_for(instance: dg.DagsterInstance, backfill_id: str, *, says: str, every_s: float = LOOK_S) -> None:
    """Return when the backfill has ended well; dg.Failure where it did not. says: where to look, for the message.

    A wait that is interrupted, as by "Terminate", cancels the backfill.
    """
    try:
        while (status := _status(instance, backfill_id)) in _UNDER_WAY:
            time.sleep(every_s)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        backfill = instance.get_backfill(backfill_id)
        if backfill is not None and backfill.status is BulkActionStatus.REQUESTED:
            instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELING))  # type: ignore[no-untyped-call]
        raise
    if status not in _GREEN:
        what = "is gone" if status is None else status.value.lower().replace("_", " ")
        raise dg.Failure(f"The backfill {backfill_id}: {what}. Its runs say why: {says}", allow_retries=False)


def _status(instance: dg.DagsterInstance, backfill_id: str) -> BulkActionStatus | None:
    backfill = instance.get_backfill(backfill_id)
    return None if backfill is None else backfill.status
