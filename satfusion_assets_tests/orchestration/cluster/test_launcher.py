"""Dagster with the settings of several machines: who is dead is failed, and what is terminated has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg2
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.monitoring import concurrency

from deploy.demo_cluster.postgres import Postgres
from satfusion_assets.orchestration.cluster.launcher import LeasedRunLauncher
from satfusion_assets.orchestration.cluster.lease import RunLease
from satfusion_assets.orchestration.cluster.queue import queue_app, release_queue
from satfusion_assets.vocabulary.installation import INSTANCE, beside_package
from satfusion_assets_tests.orchestration.cluster.test_lease import eventually

SETTINGS = Path(__file__).parents[3] / "deploy/cluster/dagster.yaml"


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> str:
    """A database with Dagster's own tables."""
    with closing(psycopg2.connect(postgres.url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE dagster")
    return f"{postgres.url.rpartition('/')[0]}/dagster"


@pytest.fixture
def instance(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    copyfile(SETTINGS, tmp_path / "dagster.yaml")
    monkeypatch.setenv("SATFUSION_POSTGRES_URL", url)
    monkeypatch.setenv("SATFUSION_BROKER_URL", "amqp://guest:guest@127.0.0.1:9//")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def starting(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return create_run_for_test(instance, job_name="fused", status=dg.DagsterRunStatus.STARTING)


def begin(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
    instance.report_dagster_event(event, run.run_id)


def test_a_run_whose_lease_is_held_runs_and_one_that_nobody_holds_has_failed(instance: dg.DagsterInstance, url: str):
    launcher = instance.run_launcher
    assert isinstance(launcher, LeasedRunLauncher)
    run = starting(instance)
    with closing(RunLease(url, run.run_id, print)) as lease:
        assert lease.take()
        begin(instance, run)
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    eventually(lambda: launcher.check_run_worker_health(run).status is WorkerStatus.FAILED)
    found = launcher.check_run_worker_health(run)
    assert found.msg == "Nobody holds the run's lease: its process or machine died."


def test_a_terminated_run_is_canceled_when_its_process_has_ended(instance: dg.DagsterInstance, url: str):
    run = starting(instance)
    lost = threading.Event()

    def end(why: str) -> None:
        lost.set()
        lease.close()

    lease = RunLease(url, run.run_id, end)
    assert lease.take()
    begin(instance, run)
    assert instance.run_launcher.terminate(run.run_id)
    assert lost.is_set(), "the process was told before the run was said to have ended"
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
    assert not instance.run_launcher.terminate(run.run_id), "it has ended"


def test_a_terminated_run_that_no_worker_has_taken_yet_is_never_executed(instance: dg.DagsterInstance, url: str):
    run = starting(instance)
    assert instance.run_launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
    assert not RunLease(url, run.run_id, print).take()


@pytest.mark.parametrize("settings", [SETTINGS, beside_package(INSTANCE)], ids=["several machines", "one machine"])
def test_killed_runs_leave_their_places_in_a_pool_however_many(
    settings: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two of them would otherwise close a pool of two places for ever."""
    monkeypatch.setattr(concurrency, "get_current_datetime", lambda: datetime.now(UTC) + timedelta(minutes=2))
    monkeypatch.setenv("SATFUSION_POSTGRES_URL", url)
    monkeypatch.setenv("SATFUSION_BROKER_URL", "amqp://guest:guest@127.0.0.1:9//")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    copyfile(settings, tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        records = instance.event_log_storage
        records.set_concurrency_slots("fusion", 2)
        for _ in range(5):
            run = starting(instance)
            begin(instance, run)
            assert records.claim_concurrency_slot("fusion", run.run_id, "fused").is_claimed
            instance.report_run_failed(run, "killed")
            daemon: Any = SimpleNamespace(instance=instance)
            list(concurrency.execute_concurrency_slots_iteration(daemon, logging.getLogger()))
        assert records.get_concurrency_info("fusion").active_slot_count == 0


def test_a_worker_keeps_no_run_waiting_and_takes_those_of_its_release_alone():
    app = queue_app("amqp://nobody@127.0.0.1:9//")
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_acks_late
    assert [queue.name for queue in app.conf.task_queues] == [release_queue()]
