"""Runs are forked from a process that has loaded what they need, and that a fork does not break."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final

import dagster as dg
import numpy as np
import pytest
from dagster._core.test_utils import create_run_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.server import DagsterApiServer

from satfusion_assets.orchestration.instance.code_server import ForkingApiServer

NEEDED: Final = {"alembic", "sqlalchemy", "numba", "rasterio", "zarr", "satfusion_assets.pipeline.fused.fuse"}


def look_around(said: Queue[tuple[set[str], float]]) -> None:
    """In the fork: what is missing, and a product of matrices, which takes the threads of the linear algebra."""
    absent = NEEDED - set(sys.modules)
    square = np.ones((600, 600))
    said.put((absent, float((square @ square).sum())))


def test_a_fork_has_everything_loaded_and_its_linear_algebra_works() -> None:
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["satfusion_assets.orchestration.instance.preload"])
    said = forking.Queue()
    for _ in range(2):
        run = forking.Process(target=look_around, args=(said,))
        run.start()
        absent, total = said.get(timeout=120)
        run.join()
        assert absent == set()
        assert total == 600.0**3


def test_the_server_starts_runs_by_forking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DagsterApiServer, "__init__", lambda self, **_: None)
    origin = LoadableTargetOrigin(module_name="satfusion_assets.orchestration.instance.preload")
    assert ForkingApiServer(loadable_target_origin=origin)._mp_ctx.get_start_method() == "forkserver"


class Dead:
    """A process that was killed."""

    exitcode = -9

    @staticmethod
    def is_alive() -> bool:
        return False


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTED),
        (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.FAILURE),
    ],
)
def test_a_run_that_was_killed_at_work_is_left_to_run_monitoring(
    status: dg.DagsterRunStatus, after: dg.DagsterRunStatus, tmp_path: Path
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = create_run_for_test(instance, "job", status=status)
        server = ForkingApiServer.__new__(ForkingApiServer)
        server._execution_lock = threading.Lock()
        server._shutdown_once_executions_finish_event = threading.Event()
        server._executions = {run.run_id: (Dead(), instance.get_ref())}  # type: ignore[dict-item]
        server._termination_events, server._termination_times = {run.run_id: threading.Event()}, {}  # type: ignore[dict-item]
        server._check_for_orphaned_runs()
        left = instance.get_run_by_id(run.run_id)
        assert left is not None
        assert left.status is after
        assert server._executions == {}
