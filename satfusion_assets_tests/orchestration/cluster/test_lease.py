"""A run's lease: who lives, who is dead, and who may publish."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from deploy.demo_cluster.postgres import Postgres
from satfusion_assets.orchestration.cluster import lease as leasing
from satfusion_assets.orchestration.cluster.lease import RunLease, Undertaker, lock_number
from satfusion_assets.store import Product
from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.permission import publishing_only_while
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.errors import LeaseLost
from satfusion_assets.vocabulary.sites import SiteSeason

RAW = Product("raw_s2", SiteSeason("innsbruck", 2024))


class Records:
    """Dagster's table of runs, as far as a lease reads it."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("+psycopg2", "")
        self.do("CREATE TABLE IF NOT EXISTS runs (run_id varchar(255), status varchar(63))")

    def do(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def run(self, status: str = "STARTING") -> str:
        run_id = str(uuid.uuid4())
        self.do("INSERT INTO runs VALUES (%s, %s)", run_id, status)
        return run_id

    def say(self, run_id: str, status: str) -> None:
        self.do("UPDATE runs SET status = %s WHERE run_id = %s", status, run_id)

    def cut(self, run_id: str) -> int:
        """End the connection that holds the lease of a run, as a server does with a machine that it cannot reach."""
        number = lock_number(run_id) % 2**64
        found = self.do(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND classid = %s AND objid = %s",
            number >> 32,
            number % 2**32,
        )
        return len(found)


@pytest.fixture
def records(postgres: Postgres) -> Records:
    return Records(postgres.url)


@pytest.fixture
def undertaker(postgres: Postgres) -> Undertaker:
    return Undertaker(postgres.url)


@pytest.fixture
def lost() -> list[str]:
    return []


@pytest.fixture
def held(postgres: Postgres, records: Records, lost: list[str]) -> Iterator[tuple[str, RunLease]]:
    """A run under way in this process, and its lease."""
    run_id = records.run()
    with closing(RunLease(postgres.url, run_id, lost.append)) as lease:
        assert lease.take()
        records.say(run_id, "STARTED")
        yield run_id, lease


def eventually(holds: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)


def test_a_run_lives_while_its_process_does_and_is_dead_afterwards(
    held: tuple[str, RunLease], undertaker: Undertaker, lost: list[str]
):
    run_id, lease = held
    assert not undertaker.is_dead(run_id)
    lease.confirm()
    lease.close()
    eventually(lambda: undertaker.is_dead(run_id))
    assert lost == []


@pytest.mark.parametrize("status", ["STARTED", "SUCCESS", "FAILURE", "CANCELING", "CANCELED"])
def test_a_message_that_comes_again_executes_nothing(postgres: Postgres, records: Records, status: str):
    assert not RunLease(postgres.url, records.run(status), end_test).take()


def test_a_run_is_executed_once_however_many_take_it(held: tuple[str, RunLease], records: Records, postgres: Postgres):
    run_id, _ = held
    records.say(run_id, "STARTING")
    assert not RunLease(postgres.url, run_id, end_test).take()


def end_test(why: str) -> None:
    raise AssertionError(why)


def hold(url: str, run_id: str, taken: Any) -> None:
    lease = RunLease(url, run_id, leasing.end_process)
    assert lease.take()
    taken.set()
    time.sleep(600)


@pytest.fixture
def process(postgres: Postgres, records: Records) -> Iterator[tuple[str, Any]]:
    """A run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    run_id, taken = records.run(), context.Event()
    process = context.Process(target=hold, args=(postgres.url, run_id, taken))
    process.start()
    assert taken.wait(120)
    records.say(run_id, "STARTED")
    yield run_id, process
    process.kill()
    process.join()


def test_a_killed_process_is_found_dead(process: tuple[str, Any], undertaker: Undertaker):
    run_id, running = process
    assert not undertaker.is_dead(run_id)
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: undertaker.is_dead(run_id))


@pytest.mark.parametrize("status", ["CANCELING", "FAILURE"])
def test_a_process_whose_run_is_not_wanted_any_more_ends_itself(
    process: tuple[str, Any], records: Records, undertaker: Undertaker, status: str
):
    run_id, running = process
    records.say(run_id, status)
    running.join(60)
    assert running.exitcode == 1
    eventually(lambda: undertaker.is_dead(run_id))


def test_a_run_that_has_ended_here_is_no_reason_to_end_its_process(
    held: tuple[str, RunLease], records: Records, lost: list[str]
):
    run_id, lease = held
    lease.end()
    records.say(run_id, "SUCCESS")
    eventually(lambda: not any(thread.name == "lease" for thread in threading.enumerate()))
    assert lost == []


def test_a_lock_that_nobody_took_meanwhile_is_taken_again(
    held: tuple[str, RunLease], records: Records, undertaker: Undertaker, lost: list[str]
):
    run_id, lease = held
    assert records.cut(run_id) == 1
    lease.confirm()
    assert not undertaker.is_dead(run_id)
    assert lost == []


def test_who_was_taken_for_dead_never_comes_back(
    held: tuple[str, RunLease], records: Records, undertaker: Undertaker, lost: list[str], monkeypatch: Any
):
    run_id, lease = held
    monkeypatch.setattr(leasing, "_connected", slowly(leasing._connected))
    assert records.cut(run_id) == 1
    eventually(lambda: undertaker.is_dead(run_id))
    with pytest.raises(LeaseLost, match="another has its lock"):
        lease.confirm()
    eventually(lambda: lost)


def slowly(connect: Callable[[str], Any]) -> Callable[[str], Any]:
    """Connections of this process come late, but those of whoever is quick."""

    def connected(url: str) -> Any:
        time.sleep(3)
        return connect(url)

    return connected


def test_who_was_taken_for_dead_publishes_nothing(held: tuple[str, RunLease], records: Records, tmp_path: Path):
    run_id, lease = held
    store = BucketStore(Blobs(str(tmp_path / "blobs")), VersionCache(tmp_path / "cache", 10**9))
    with publishing_only_while(lease.confirm):
        with store.publish(RAW) as draft:
            draft.write_bytes("raw/s2/a.geotiff", b"mine")
        records.say(run_id, "FAILURE")
        with pytest.raises(LeaseLost, match="nothing is published"), store.publish(RAW) as draft:
            draft.write_bytes("raw/s2/a.geotiff", b"late")
    with store.read(RAW) as view:
        assert view.path("raw/s2/a.geotiff").read_bytes() == b"mine"


def test_a_restart_of_the_database_costs_no_run(
    postgres: Postgres, held: tuple[str, RunLease], undertaker: Undertaker, lost: list[str]
):
    run_id, lease = held
    assert not undertaker.is_dead(run_id)
    postgres.stop()
    assert not undertaker.is_dead(run_id), "a database that is away says nothing of a run"
    postgres.start()
    lease.confirm()
    assert not undertaker.is_dead(run_id)
    assert lost == []


def test_importing_the_package_needs_neither_celery_nor_psycopg2():
    script = (
        "import sys; sys.modules.update(celery=None, psycopg2=None, kombu=None, dagster_postgres=None);"
        "import satfusion_assets.definitions, satfusion_assets.cli, satfusion_assets.orchestration.cluster.lease"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
