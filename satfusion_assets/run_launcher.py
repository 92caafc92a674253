"""Dagster's own launcher of runs, which also knows when a run's process has died.

The original cannot tell: a run whose process and code server were killed together stays "started" for ever, and with it
the backfill that waits for it. Run monitoring asks this launcher at each look; a run found dead is failed, and made
again by Dagster's retries. A run of ``satfusion materialize`` is found in the same way.
"""

from __future__ import annotations

from typing import Final

import psutil
from dagster._core.events import DagsterEventType
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun

YOUNGER_S: Final = 2.0
"""A process that began this long after the run said its number is another one that was given the same number."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Named in dagster.yaml as ``run_launcher``; runs, code server and daemon share one machine."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that said it executes ``run`` is alive; a run that named none yet is taken for alive."""
        events = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        for event in reversed(events):
            number = event.get_dagster_event().engine_event_data.metadata.get("pid")
            if number is not None:
                if _alive(int(str(number.value)), event.timestamp):
                    return CheckRunHealthResult(WorkerStatus.RUNNING)
                return CheckRunHealthResult(
                    WorkerStatus.FAILED,
                    f"Process {number.value} of the run is gone: it was killed, or the machine was.",
                )
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _alive(number: int, named_at: float) -> bool:
    try:
        process = psutil.Process(number)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= named_at + YOUNGER_S
    except psutil.NoSuchProcess:
        return False
