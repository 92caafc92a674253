"""The event log with open connections remembers partitions, and never longer than they are true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from satfusion_assets.event_log import PooledSqliteEventLog


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
