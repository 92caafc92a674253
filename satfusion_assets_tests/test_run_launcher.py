"""A run whose process is gone is told from one that is at work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.test_utils import create_run_for_test

from satfusion_assets.run_launcher import WatchedRunLauncher

HOME = Path(__file__).parents[1] / "dagster_home"


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


def test_crashed_runs_are_made_again_and_failed_stages_left_to_people(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled
    assert not instance.run_retries_retry_on_asset_or_op_failure
