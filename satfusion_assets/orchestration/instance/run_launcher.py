"""Dagster's own launcher of runs, which also knows when a run's process has died.

The original cannot tell: a run whose process and code server were killed together stays "started" for ever, and with it
the backfill that waits for it. Run monitoring asks this launcher at each look; a run found dead is failed, and made
again by Dagster's retries. Those try once: without a code server that answers, the run would be lost. So a dead run
counts as running until one has answered for a while. A run of ``satfusion materialize`` is found in the same way.
"""

from __future__ import annotations

import time
from typing import Any, Final

import psutil
from dagster import DagsterError, DagsterEventType, DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin

YOUNGER_S: Final = 2.0
"""A process that began this long after the run said its number is another one that was given the same number."""
SETTLED_S: Final = 12.0
"""The daemon looks every 10 s whether code that it could not reach can be reached again."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Named in dagster.yaml as ``run_launcher``; runs, code server and daemon share one machine."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._answering: tuple[str, float] | None = None
        """The code server that answers, and since when."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that said it executes ``run`` is alive; a run that named none yet is taken for alive, and
        so is a dead one that could not be made again now."""
        events = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        for event in reversed(events):
            number = event.get_dagster_event().engine_event_data.metadata.get("pid")
            if number is not None:
                if _alive(int(str(number.value)), event.timestamp) or not self._can_be_made_again(run):
                    return CheckRunHealthResult(WorkerStatus.RUNNING)
                return CheckRunHealthResult(
                    WorkerStatus.FAILED,
                    f"Process {number.value} of the run is gone: it was killed, or the machine was.",
                )
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _can_be_made_again(self, run: DagsterRun) -> bool:
        origin = run.remote_job_origin and run.remote_job_origin.repository_origin.code_location_origin
        if not isinstance(origin, GrpcServerCodeLocationOrigin):
            return True  # a run of the command line, which nobody makes again, or code that the daemon loads itself
        try:
            server = origin.create_client().get_server_id(timeout=2)
        except DagsterError:
            self._answering = None
            return False
        now = time.monotonic()
        if self._answering is None or self._answering[0] != server:
            self._answering = (server, now)
        return now - self._answering[1] >= SETTLED_S


def _alive(number: int, named_at: float) -> bool:
    try:
        process = psutil.Process(number)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= named_at + YOUNGER_S
    except psutil.NoSuchProcess:
        return False
