"""The run launcher of several machines: runs are messages in a queue, and their leases say which of them live."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from dagster import DagsterRun, DagsterRunStatus, Field, StringSource
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from satfusion_assets.orchestration.cluster.lease import Undertaker
from satfusion_assets.orchestration.cluster.queue import EXECUTE, queue_app, release_queue

QUEUE_TAG: Final = "satfusion/queue"
"""A run with this tag goes to a queue of its own, such as of the machines that may reach the archives."""
_CANCEL_S: Final = 12.0
"""How long a termination waits for the run's process to end: its lease looks every 2 s whether it is still wanted."""


class LeasedRunLauncher(RunLauncher, ConfigurableClass):
    """Named in dagster.yaml as ``run_launcher``, with the addresses of the database and the queue."""

    def __init__(self, postgres_url: str, broker_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()
        self._inst_data = inst_data
        self._undertaker = Undertaker(postgres_url)
        self._queue = queue_app(broker_url)

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Field]:
        return {"postgres_url": Field(StringSource), "broker_url": Field(StringSource)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> LeasedRunLauncher:
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        queue = run.tags.get(QUEUE_TAG, release_queue())
        self._queue.send_task(EXECUTE, args=[run.run_id], queue=queue, ignore_result=True)
        self._instance.report_engine_event(f"Waits in queue {queue} for a worker.", run, cls=self.__class__)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether somebody holds the run's lease. A database that does not answer says nothing of any run."""
        if self._undertaker.is_dead(run.run_id):
            return CheckRunHealthResult(
                WorkerStatus.FAILED, "Nobody holds the run's lease: its process or machine died."
            )
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def terminate(self, run_id: str) -> bool:
        """Ask the run's process to end, and say that it has ended when it has: its lease is free then."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        deadline = time.monotonic() + _CANCEL_S
        while not self._undertaker.is_dead(run_id):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        run = self._instance.get_run_by_id(run_id)
        if run is not None and run.status is DagsterRunStatus.CANCELING:
            self._instance.report_run_canceled(run)
        return True
