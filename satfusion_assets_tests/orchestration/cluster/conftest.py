"""PostgreSQL on a loopback port of its own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from deploy.demo_cluster.machine import ThisMachine
from deploy.demo_cluster.postgres import Postgres, is_installed
from satfusion_assets_tests.store.servers.running import free_port


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if not is_installed():
        assert os.environ.get("CI") != "true", ".ci/run installs PostgreSQL"
        pytest.skip("PostgreSQL is not installed (Debian: postgresql-15)")
    folder = Path(f"/var/tmp/satfusion-postgres-{os.getpid()}-{time.time_ns()}")  # where another user may enter
    server = Postgres(ThisMachine(), folder, free_port())
    server.start()
    try:
        psycopg2.connect(server.url.replace("+psycopg2", "")).close()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
