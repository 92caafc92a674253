"""Dagster's PostgreSQL storage with its connections kept open.

The original opens a connection for each question and closes it: hundreds in a short run, each a process of the server.
Its webserver keeps one, and says once that it is broken after a restart of the server; here each is tried before it is
used, and a server that is being restarted is waited for. Tables and rows are the same, so either class reads what the
other wrote.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg2
import sqlalchemy
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import pg_url_from_config, retry_pg_connection_fn, set_pg_statement_timeout
from sqlalchemy import Engine, column, create_engine, event, func, select, table

_PARTITIONS: Final = table("dynamic_partitions", column("id"), column("partitions_def_name"))
_TABLES: Final = frozenset({"runs", "instance_info", "event_logs", "jobs"})
"""Those by which Dagster's three storages know whether theirs have been made."""
_RESTART_S: Final = 4.0
"""At each of Dagster's tries; six of them outlast the restart of a server, and the lease gives up after 10 s."""
KEPT: Final = 3
"""Connections that a process keeps open; what its threads need beyond that is closed after use."""


class _Limited:
    """A storage of the webserver, whose questions may take only so long; its connections stay those of ``KEPT``."""

    _engine: Engine

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        def limit(connection: Any, _: Any) -> None:
            set_pg_statement_timeout(connection, statement_timeout)

        event.listen(self._engine, "connect", limit)
        self._engine.dispose()  # those that were open already


class KeptRuns(_Limited, PostgresRunStorage):
    """Runs and backfills."""


class KeptSchedules(_Limited, PostgresScheduleStorage):
    """Ticks of sensors."""


class KeptEvents(_Limited, PostgresEventLogStorage):
    """The event log; dynamic partitions are read again only when there are others, columns only until they are there.

    An evaluation of the automation conditions asks for both with every asset.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._partitions: dict[str, tuple[tuple[int, int | None], list[str]]] = {}
        self._columns: set[str] = set()

    def has_asset_key_col(self, column_name: str) -> bool:
        """A migration adds columns and removes none; the original reads PostgreSQL's catalogue each time."""
        if column_name not in self._columns and super().has_asset_key_col(column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        ids, names = _PARTITIONS.c.id, _PARTITIONS.c.partitions_def_name
        what = select(func.count(), func.max(ids)).where(names == partitions_def_name)
        with self.index_connection() as connection:
            count, last = connection.execute(what).one()  # ids rise: one that was added or removed changes either
        known = self._partitions.get(partitions_def_name)
        if known is None or known[0] != (count, last):
            known = ((count, last), list(super().get_dynamic_partitions(partitions_def_name)))
            self._partitions[partitions_def_name] = known
        return list(known[1])

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()


class KeptPostgresStorage(DagsterPostgresStorage):
    """Named in dagster.yaml as ``storage``: ``custom``, with ``postgres_url``."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engine = create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            poolclass=sqlalchemy.QueuePool,
            pool_size=KEPT,
            max_overflow=-1,
            pool_use_lifo=True,
            pool_pre_ping=True,
        )
        _wait_while_it_restarts(self._engine)
        there = retry_pg_connection_fn(lambda: sqlalchemy.inspect(self._engine).get_table_names())
        # The original makes what is missing, and asks for it five times, on a new connection each.
        super().__init__(postgres_url, should_autocreate_tables=not _TABLES.issubset(there), inst_data=inst_data)
        self._run_storage = KeptRuns(postgres_url, should_autocreate_tables=False)
        self._event_log_storage = KeptEvents(postgres_url, should_autocreate_tables=False)
        self._schedule_storage = KeptSchedules(postgres_url, should_autocreate_tables=False)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = self._engine

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptPostgresStorage:
        return cls(pg_url_from_config(config_value), inst_data)


def _wait_while_it_restarts(engine: Engine) -> None:
    """New connections wait ``_RESTART_S`` for a server that has answered before.

    Dagster tries to connect six times, with pauses so random that they may end before a server has been restarted.
    """
    known = threading.Event()

    @event.listens_for(engine, "do_connect")
    def connect(_: Any, __: Any, where: Sequence[Any], settings: dict[str, Any]) -> Any:
        deadline = time.monotonic() + (_RESTART_S if known.is_set() else 0)
        while True:
            try:
                connection = psycopg2.connect(*where, **settings)
            except psycopg2.OperationalError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.2)
            else:
                known.set()
                return connection
