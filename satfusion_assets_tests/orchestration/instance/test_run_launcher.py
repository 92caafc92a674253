"""A run whose process is gone is told from one that is at work."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._daemon.monitoring.concurrency import execute_concurrency_slots_iteration
from dagster._time import get_current_datetime

from satfusion_assets.orchestration.instance.run_launcher import WatchedRunLauncher

HOME = Path(__file__).parents[3] / "dagster_home"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance as dagster.yaml describes it."""
    (tmp_path / "dagster.yaml").write_text((HOME / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


def health(instance: dg.DagsterInstance, run: DagsterRun) -> WorkerStatus:
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    return instance.run_launcher.check_run_worker_health(run).status


def test_a_run_is_as_alive_as_the_process_that_said_it_executes_it(instance: dg.DagsterInstance) -> None:
    run = create_run_for_test(instance, "job")
    assert health(instance, run) is WorkerStatus.RUNNING, "no process has said anything yet"
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(worker.pid))
    assert health(instance, run) is WorkerStatus.RUNNING
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has collected it
    assert health(instance, run) is WorkerStatus.FAILED, "killed, and not even waited for"
    worker.wait()
    assert health(instance, run) is WorkerStatus.FAILED


def test_a_later_process_with_the_same_number_is_not_taken_for_the_run(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run_for_test(instance, "job")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setattr("psutil.Process.create_time", lambda self: 4e9)
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(other.pid))
        assert health(instance, run) is WorkerStatus.FAILED
        other.communicate(b"\n")


class CodeServer:
    """A code server that answers with its name, or not at all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name, self.now = "", 1000.0
        monkeypatch.setattr(GrpcServerCodeLocationOrigin, "create_client", lambda _: self)
        monkeypatch.setattr("satfusion_assets.orchestration.instance.run_launcher.time.monotonic", lambda: self.now)

    def get_server_id(self, timeout: int) -> str:
        if not self.name:
            raise DagsterUserCodeUnreachableError("nobody listens")
        return self.name


def test_a_dead_run_is_failed_when_a_code_server_has_answered_long_enough_to_make_it_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=4266, location_name="satfusion")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "job")
    run = create_run_for_test(instance, "job", remote_job_origin=origin, job_code_origin=None)
    with subprocess.Popen([sys.executable, "-c", ""]) as worker:
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(worker.pid))
    server = CodeServer(monkeypatch)
    told = []
    for name, now in (("", 1000), ("one", 1015), ("", 1030), ("one", 1045), ("two", 1060), ("two", 1075)):
        server.name, server.now = name, now
        told.append(health(instance, run))
    assert told == [WorkerStatus.RUNNING] * 5 + [WorkerStatus.FAILED]


def test_crashed_runs_are_made_again_and_failed_stages_left_to_people(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled
    assert not instance.run_retries_retry_on_asset_or_op_failure


def test_places_in_pools_that_killed_runs_held_come_free(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = instance.event_log_storage
    killed = [create_run_for_test(instance, "job", status=dg.DagsterRunStatus.STARTED) for _ in range(2)]
    for run in killed:
        log.initialize_concurrency_limit_to_default("fusion")
        assert log.claim_concurrency_slot("fusion", run.run_id, "fused").is_claimed
    waiting = create_run_for_test(instance, "job", status=dg.DagsterRunStatus.STARTED)
    assert not log.claim_concurrency_slot("fusion", waiting.run_id, "fused").is_claimed, "the pool has two places"
    for run in killed:
        instance.report_run_failed(run)

    later = get_current_datetime() + timedelta(minutes=1)
    monkeypatch.setattr("dagster._daemon.monitoring.concurrency.get_current_datetime", lambda: later)
    daemon = cast(IWorkspaceProcessContext, SimpleNamespace(instance=instance))
    list(execute_concurrency_slots_iteration(daemon, logging.getLogger("daemon")))

    assert log.claim_concurrency_slot("fusion", waiting.run_id, "fused").is_claimed
    assert log.get_concurrency_run_ids() == {waiting.run_id}, "the run that is at work keeps its place"


def test_five_kills_in_a_row_in_one_pool_leave_all_its_places(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = instance.event_log_storage
    log.initialize_concurrency_limit_to_default("fusion")
    daemon = cast(IWorkspaceProcessContext, SimpleNamespace(instance=instance))
    for kill in range(1, 6):
        run = create_run_for_test(instance, "job", status=dg.DagsterRunStatus.STARTED)
        assert log.claim_concurrency_slot("fusion", run.run_id, "fused").is_claimed, f"no place before kill {kill}"
        instance.report_run_failed(run)
        later = get_current_datetime() + timedelta(minutes=1)
        with monkeypatch.context() as clock:
            clock.setattr("dagster._daemon.monitoring.concurrency.get_current_datetime", lambda now=later: now)
            list(execute_concurrency_slots_iteration(daemon, logging.getLogger("daemon")))

    assert log.get_concurrency_run_ids() == set(), "no dead run holds a place"
    for _ in range(2):
        run = create_run_for_test(instance, "job", status=dg.DagsterRunStatus.STARTED)
        assert log.claim_concurrency_slot("fusion", run.run_id, "fused").is_claimed
