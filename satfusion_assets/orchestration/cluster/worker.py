"""A worker: ``celery --app satfusion_assets.orchestration.cluster.worker worker --concurrency 2``.

Each run is a fresh fork of a process that has everything loaded, executed under its lease. A message that comes a
second time finds the run begun, ended or leased, and does nothing; so it is sent again whenever the database does not
answer or the process dies before its run has begun.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import time
from contextlib import closing
from importlib import import_module
from typing import Final

import psycopg2
import rasterio
from celery.exceptions import Reject
from celery.signals import worker_init, worker_process_shutdown
from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._cli.api import _execute_run_command_body
from dagster_postgres.utils import DagsterPostgresException
from rasterio.session import DummySession
from sqlalchemy.exc import DBAPIError

from satfusion_assets.orchestration.cluster.lease import RunLease, end_process
from satfusion_assets.orchestration.cluster.queue import EXECUTE, HOST_TAG, queue_app
from satfusion_assets.orchestration.instance import preload  # noqa: F401  what every run needs, loaded before the fork
from satfusion_assets.store.permission import publishing_only_while

log = logging.getLogger(__name__)

POSTGRES: Final = "SATFUSION_POSTGRES_URL"
BROKER: Final = "SATFUSION_BROKER_URL"
CODE: Final = "satfusion_assets.definitions"
"""Named as the code server is told it, for it stands above this room."""

_NO_DATABASE: Final = (psycopg2.Error, DBAPIError, DagsterPostgresException)
_ENDS: Final = (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED)
_AGAIN_S: Final = 5.0
"""Pause before a message goes back to the queue because the database does not answer."""

app = queue_app(os.environ.get(BROKER))


@app.task(name=EXECUTE)
def execute_run(run_id: str) -> None:
    """Execute a run here unless it is executed elsewhere, or was."""
    try:
        _execute(run_id)
    except _NO_DATABASE as error:
        log.warning("The database does not answer for run %s, whose message goes back to the queue.", run_id)
        time.sleep(_AGAIN_S)
        raise Reject(error, requeue=True) from error


def _execute(run_id: str) -> None:
    with closing(RunLease(os.environ[POSTGRES], run_id, lost=end_process)) as lease:
        if not lease.take():
            log.warning("Run %s is not to be executed here: it has begun, ended or is another's.", run_id)
            return
        with DagsterInstance.get() as instance, publishing_only_while(lease.confirm):
            instance.add_run_tags(run_id, {HOST_TAG: socket.gethostname()})

            def look(event: DagsterEvent) -> None:
                if event.event_type in _ENDS:
                    lease.end()

            # Files are local; without a session rasterio looks for the bucket's keys at each of its calls, for 7 ms.
            with rasterio.Env(DummySession()):
                _execute_run_command_body(run_id, instance, look, set_exit_code_on_failure=False)


@worker_init.connect
def _settle(**_: object) -> None:
    """Load the code as well. Celery collects garbage before each fork; what has been loaded is none, and looking it
    through takes 0.3 s."""
    import_module(CODE)
    gc.collect()
    gc.freeze()


@worker_process_shutdown.connect
def _end_at_once(exitcode: int, **_: object) -> None:
    """A fork that has executed its run ends without the second that Celery has it wait, for the next one waits for it.

    What it had to say was heard by then: Celery asks for that before it sends this signal.
    """
    os._exit(exitcode)
