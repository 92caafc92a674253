"""Dagster's records in PostgreSQL: few connections, that outlast a restart of the server, and partitions as of now."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest import mock

import psycopg2
import pytest
from sqlalchemy import event

from deploy.demo_cluster.postgres import Postgres
from satfusion_assets.orchestration.cluster.storage import KEPT, KeptEvents, KeptPostgresStorage

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    "pg_backend_pid()"
)


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    name = f"d{uuid.uuid4().hex[:8]}"
    with closing(psycopg2.connect(postgres.url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return f"{postgres.url.rpartition('/')[0]}/{name}"


@pytest.fixture
def storage(url: str) -> Iterator[KeptPostgresStorage]:
    storage = KeptPostgresStorage(url)
    yield storage
    storage.event_log_storage.dispose()


def asked(url: str, statement: str) -> Any:
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall()[0][0]


def test_many_questions_take_few_connections_and_one_that_broke_is_replaced(storage: KeptPostgresStorage, url: str):
    for _ in range(20):
        assert storage.run_storage.get_runs() == []
        assert storage.event_log_storage.get_dynamic_partitions("site_season") == []
        assert storage.schedule_storage.all_instigator_state() == []
    assert 0 < asked(url, SESSIONS) <= KEPT
    asked(url, CUT)
    assert storage.run_storage.get_runs() == []


def test_records_that_are_there_are_opened_with_one_connection(storage: KeptPostgresStorage, url: str):
    with mock.patch("psycopg2.connect", wraps=psycopg2.connect) as connect:
        again = KeptPostgresStorage(url)
        assert again.run_storage.get_runs() == []
    assert connect.call_count == 1
    again.event_log_storage.dispose()


def test_a_server_that_is_being_restarted_is_waited_for(
    storage: KeptPostgresStorage, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("dagster_postgres.utils.retry_pg_connection_fn", lambda connect: connect())  # Dagster's tries
    assert storage.run_storage.get_runs() == []
    postgres.stop()
    again = threading.Timer(1.0, postgres.start)
    again.start()
    try:
        assert storage.run_storage.get_runs() == []
    finally:
        again.join()


def test_the_columns_of_assets_are_looked_up_once_they_are_there(storage: KeptPostgresStorage):
    log = storage.event_log_storage
    assert isinstance(log, KeptEvents)
    asked: list[str] = []
    event.listen(log._engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert log.can_read_asset_status_cache()
    assert asked
    asked.clear()
    assert log.can_read_asset_status_cache()
    assert not asked


def test_the_webserver_keeps_to_its_limit_of_a_question(storage: KeptPostgresStorage):
    log = storage.event_log_storage
    assert isinstance(log, KeptEvents)
    assert log.get_dynamic_partitions("site_season") == []
    log.optimize_for_webserver(statement_timeout=700, pool_recycle=3600, max_overflow=5)
    with log.index_connection() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "700ms"


def test_partitions_are_those_of_now_whoever_adds_and_removes_them(storage: KeptPostgresStorage, url: str):
    here, there = storage.event_log_storage, KeptPostgresStorage(url).event_log_storage
    for change, expected in (
        (lambda: there.add_dynamic_partitions("site_season", ["a", "b"]), {"a", "b"}),
        (lambda: here.add_dynamic_partitions("site_season", ["c"]), {"a", "b", "c"}),
        (lambda: there.delete_dynamic_partition("site_season", "a"), {"b", "c"}),
        (
            lambda: (
                there.delete_dynamic_partition("site_season", "c"),
                there.add_dynamic_partitions("site_season", ["d"]),
            ),
            {"b", "d"},
        ),
        (lambda: there.add_dynamic_partitions("other", ["e"]), {"b", "d"}),
    ):
        change()
        assert set(here.get_dynamic_partitions("site_season")) == expected
        assert set(there.get_dynamic_partitions("site_season")) == expected
    there.dispose()
