"""A run's lease: proof that its process lives, and its right to publish.

The process that executes a run holds a session lock of PostgreSQL on the run's id, on a connection of its own. The
server gives it away when the process dies, at once, or when its machine cannot be reached, after some seconds; it is
``flock`` over the network, and nothing has to be expired by hand. Whoever finds a lock free takes it and keeps it: the
run is dead then, also if its process comes back, which learns so and ends itself before it publishes anything.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.vocabulary.errors import LeaseLost

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

log = logging.getLogger(__name__)

CONFIRM_S: Final = 2.0
"""Pause between two confirmations."""
GIVE_UP_S: Final = 10.0
"""How long the lock is asked for again after its connection broke; the server waits longer before it gives it away."""
_SERVER: Final = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3"
"""The server takes a machine for gone after 14 s of silence."""
_CLIENT: Final = {
    "connect_timeout": 4,
    "keepalives": 1,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8000,
}
_WORKS: Final = ("STARTING", "STARTED")
"""What Dagster says of a run that may go on; any other word ends it."""


def lock_number(run_id: str) -> int:
    """The lock of a run: 64 bits of its id's hash."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8], "big", signed=True)


class RunLease:
    """The lease of one run, held from ``take`` to ``close``.

    url: of the database with Dagster's table of runs. lost: called once, from a thread, when the lease is lost.
    """

    def __init__(self, url: str, run_id: str, lost: Callable[[str], None]) -> None:
        self._url = url
        self._run_id = run_id
        self._lost = lost
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._is_lost = False
        self._ended = threading.Event()

    def take(self) -> bool:
        """Hold the lease from now on; False when the run is not to be executed here: another process has it, or it has
        begun or ended already."""
        if not self._connect() or self._status() not in _WORKS[:1]:
            self.close()
            return False
        threading.Thread(target=self._watch, name="lease", daemon=True).start()
        return True

    def confirm(self) -> None:
        """Raise LeaseLost unless this process still has the right to publish for the run, as of now."""
        with self._lock:
            says = None if self._is_lost else self._asked_again()
            self._is_lost = says not in _WORKS  # for good: nobody who may have been taken for dead comes back
        if self._is_lost:
            raise LeaseLost(
                f"Run {self._run_id[:8]} is not this process's any more ({says or 'another has its lock'}); nothing is "
                f"published, look for the run that was made in its place."
            )

    def end(self) -> None:
        """The run has ended here: what Dagster says of it from now on is no reason to end its process."""
        self._ended.set()

    def close(self) -> None:
        """Give the lease back."""
        self.end()
        if self._connection is not None:
            with suppress(_database_error()):
                self._connection.close()

    def _watch(self) -> None:
        while not self._ended.wait(CONFIRM_S):
            try:
                self.confirm()
            except LeaseLost as error:
                if not self._ended.is_set():
                    self._lost(str(error))
                return

    def _asked_again(self) -> str | None:
        """What Dagster says of the run, on the connection that holds the lock; None when the lock is lost."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                return self._status()
            except _database_error():
                log.warning("The database does not answer for run %s; asking again.", self._run_id[:8])
            while True:
                try:
                    if not self._connect():
                        return None
                    break
                except _database_error():
                    if time.monotonic() > deadline:
                        return None
                    time.sleep(0.5)

    def _connect(self) -> bool:
        """A new connection that holds the lock; False when another has it."""
        self._connection = _connected(self._url)
        return _try_lock(self._connection, self._run_id)

    def _status(self) -> str | None:
        assert self._connection is not None, "a lease is taken before it is asked"
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT status FROM runs WHERE run_id = %s", (self._run_id,))
            row = cursor.fetchone()
        return None if row is None else str(row[0])


class Undertaker:
    """Finds runs whose process is gone, and keeps their locks so that no process of theirs ever gets it back.

    The locks end with this object's process; by then Dagster's table says that the run has failed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._buried: Connection | None = None
        self._dead: set[str] = set()
        self._not_before = 0.0
        """Until then those whose connections broke with ours take their locks again."""

    def is_dead(self, run_id: str) -> bool:
        """Whether nobody holds the lease of ``run_id``; from then on nobody can."""
        if run_id in self._dead:
            return True
        try:
            if self._buried is None:
                self._buried, self._dead = _connected(self._url), set()
            if time.monotonic() < self._not_before:
                return False
            dead = _try_lock(self._buried, run_id)
        except _database_error():
            self._buried, self._not_before = None, time.monotonic() + GIVE_UP_S + CONFIRM_S
            return False
        if dead:
            self._dead.add(run_id)
        return dead


def end_process(why: str) -> None:
    """What a lost lease does to the process of its run: nothing of it goes on, at once."""
    log.error("%s", why)
    os._exit(1)


def _connected(url: str) -> Connection:
    import psycopg2

    plain = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    found: Connection = psycopg2.connect(plain, options=_SERVER, application_name="satfusion lease", **_CLIENT)
    found.autocommit = True
    return found


def _try_lock(connection: Connection, run_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (lock_number(run_id),))
        row: Any = cursor.fetchone()
    return bool(row[0])


def _database_error() -> type[Exception]:
    import psycopg2

    return psycopg2.Error
