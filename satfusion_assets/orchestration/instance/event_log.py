"""Dagster's SQLite event log and run storage with their connections kept open, and the partitions' keys with them.

The originals open a connection and compile their statements anew for every event, and the close of the last connection
folds the write-ahead log into the database with a wait for the disk: most of what a short run costs. Each run has a
database of its own, for which the original reads all its migrations again: the rest of it. Files and tables are the
same, so either class reads what the other wrote.

One evaluation of the automation conditions asks for the dynamic partitions once for every asset and condition,
thousands of times; they are read again only when the database has changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dagster import Field, StringSource
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool, StaticPool

OPEN: Final = 8
"""Databases kept open: the index and those of the latest runs."""
BUSY_S: Final = 60
"""How long to wait for another process that writes."""


class PooledSqliteEventLog(SqliteEventLogStorage):
    """Named in dagster.yaml as ``event_log_storage``; base_dir defaults to where Dagster itself keeps its log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._partitions: dict[str, tuple[tuple[Engine, int, int], list[str]]] = {}
        self._own_changes = 0
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {"base_dir": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> PooledSqliteEventLog:
        base_dir = config_value.get("base_dir") or str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs")
        return cls(base_dir, inst_data)

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """As of now: SQLite counts what others write to the database, and we count what we write ourselves."""
        with self._connect(INDEX_SHARD_NAME) as connection:
            others = int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
            seen = (connection.engine, others, self._own_changes)
        known = self._partitions.get(partitions_def_name)
        if known is None or known[0] != seen:
            known = (seen, list(super().get_dynamic_partitions(partitions_def_name)))
            self._partitions[partitions_def_name] = known
        return list(known[1])

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        super().add_dynamic_partitions(partitions_def_name, partition_keys)
        self._own_changes += 1

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        self._own_changes += 1

    def has_table(self, table_name: str) -> bool:
        """Asked for several times with every event; a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard in self._engines and not Path(self.path_for_shard(shard)).exists():
            self._engines.pop(shard).dispose()  # the run was deleted
            self._initialized_dbs.discard(shard)
        engine = self._engines.pop(shard, None) or self._open(shard)
        self._engines[shard] = engine
        while len(self._engines) > OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def _open(self, shard: str) -> Engine:
        connect_args = {"timeout": BUSY_S, "check_same_thread": False}
        engine = create_engine(self.conn_string_for_shard(shard), poolclass=StaticPool, connect_args=connect_args)
        event.listen(engine, "connect", _relaxed)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """The tables of a new database, as Dagster makes them, from a script that it is asked for once."""
        if for_index_shard:
            return super()._initdb(engine, for_index_shard)
        assert engine.url.database is not None
        try:
            with closing(sqlite3.connect(engine.url.database, BUSY_S, isolation_level=None)) as database:
                if not _is_new(database):
                    return None
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("BEGIN IMMEDIATE")
                if _is_new(database):  # and still is, now that others are kept out
                    for statement in self._empty_run:
                        database.execute(statement)
                database.execute("COMMIT")
        except sqlite3.OperationalError:  # another process makes the same one at this moment: Dagster's way waits
            super()._initdb(engine)

    @cached_property
    def _empty_run(self) -> list[str]:
        """The statements that make a run's database."""
        engine = create_engine("sqlite://", poolclass=StaticPool)
        super()._initdb(engine)
        with engine.connect() as connection:
            database = connection.connection.driver_connection
            assert isinstance(database, sqlite3.Connection)
            script = list(database.iterdump())
        engine.dispose()
        return script[1:-1]  # without its own transaction

    def dispose(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()


class PooledSqliteRuns(SqliteRunStorage):
    """Named in dagster.yaml as ``run_storage``; base_dir defaults to where Dagster itself keeps its runs."""

    @classmethod
    def config_type(cls) -> Any:
        return {"base_dir": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> PooledSqliteRuns:
        base_dir = config_value.get("base_dir") or str(Path(os.environ["DAGSTER_HOME"]) / "history")
        return cls.from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._pool.connect() as connection, connection.begin():
            yield connection

    @cached_property
    def _pool(self) -> Engine:
        connect_args = {"timeout": BUSY_S, "check_same_thread": False}
        return create_engine(self._conn_string, poolclass=QueuePool, max_overflow=-1, connect_args=connect_args)

    def dispose(self) -> None:
        self._pool.dispose()
        super().dispose()


def _is_new(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def _relaxed(connection: Any, _: Any) -> None:
    """Safe against kills, and against power cuts but for the last moments: products do not depend on this log."""
    connection.execute("PRAGMA synchronous=NORMAL")
