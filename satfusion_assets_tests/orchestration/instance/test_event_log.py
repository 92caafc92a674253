"""The event log with open connections is Dagster's own, remembers partitions, and never longer than they are true."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from satfusion_assets.orchestration.instance.event_log import PooledSqliteEventLog, PooledSqliteRuns


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[tuple[PooledSqliteEventLog, PooledSqliteEventLog]]:
    """Two processes' views of one event log."""
    ours, theirs = PooledSqliteEventLog(str(tmp_path)), PooledSqliteEventLog(str(tmp_path))
    yield ours, theirs
    ours.dispose()
    theirs.dispose()


def test_partitions_that_anybody_adds_or_deletes_are_seen_at_once(
    logs: tuple[PooledSqliteEventLog, PooledSqliteEventLog],
) -> None:
    expected: list[str] = []
    for number, writer in enumerate(logs * 2):
        expected.append(f"site_{2020 + number}")
        writer.add_dynamic_partitions("site_season", expected[-1:])
        assert [log.get_dynamic_partitions("site_season") for log in logs] == [expected, expected]
    for writer in logs:
        writer.delete_dynamic_partition("site_season", expected.pop(0))
        assert [log.get_dynamic_partitions("site_season") for log in logs] == [expected, expected]


def test_what_is_remembered_is_not_changed_by_those_who_asked(
    logs: tuple[PooledSqliteEventLog, PooledSqliteEventLog],
) -> None:
    logs[0].add_dynamic_partitions("site_season", ["site_2020"])
    logs[0].get_dynamic_partitions("site_season").append("nonsense")  # type: ignore[attr-defined]
    assert logs[0].get_dynamic_partitions("site_season") == ["site_2020"]


def _tables(database: Path) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return {
            *connection.execute("SELECT name, sql FROM sqlite_master"),
            *connection.execute("SELECT 'revision', version_num FROM alembic_version"),
            *connection.execute("PRAGMA journal_mode"),
        }


def test_the_database_of_a_run_is_the_one_that_dagster_would_make(tmp_path: Path) -> None:
    for kind in (SqliteEventLogStorage, PooledSqliteEventLog):
        log = kind(str(tmp_path / kind.__name__))
        with log.run_connection("run"):
            pass
        log.dispose()
    theirs, ours = (tmp_path / kind.__name__ / "run.db" for kind in (SqliteEventLogStorage, PooledSqliteEventLog))
    assert _tables(ours) == _tables(theirs)


def test_what_a_run_wrote_outlives_another_process_that_opens_its_database(
    logs: tuple[PooledSqliteEventLog, PooledSqliteEventLog],
) -> None:
    event = dg.EventLogEntry(None, 20, "it began", "run", 1.0)
    logs[0].store_event(event)
    logs[1].store_event(event)
    assert [log.get_logs_for_run("run") for log in logs] == [[event, event], [event, event]]


def test_runs_are_seen_by_every_process_at_once(tmp_path: Path) -> None:
    ours, theirs = (PooledSqliteRuns.from_local(str(tmp_path)) for _ in range(2))
    ours.add_run(dg.DagsterRun("job", "1" * 32))
    assert [run.run_id for run in theirs.get_runs()] == ["1" * 32]
    theirs.delete_run("1" * 32)
    assert ours.get_runs() == []
    ours.dispose()
    theirs.dispose()
