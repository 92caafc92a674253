"""PostgreSQL on a loopback port of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from satfusion_assets.orchestration.cluster.lease import is_reachable
from satfusion_assets_tests.store.servers.running import free_port

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


class Postgres:
    """A database server that a test may stop and start."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/postgres"
        self._data = folder / "data"
        self._as = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        folder.mkdir(parents=True)
        if self._as:
            shutil.chown(folder, "postgres")
        self._do("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self._data}"
        self._do("pg_ctl", "-D", str(self._data), "-o", options, "-l", str(self._data / "log"), "-w", "start")

    def stop(self) -> None:
        self._do("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def _do(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(BIN / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if BIN is None:
        assert os.environ.get("CI") != "true", ".ci/run installs PostgreSQL"
        pytest.skip("PostgreSQL is not installed (Debian: postgresql-15)")
    folder = Path(f"/var/tmp/satfusion-postgres-{os.getpid()}-{time.time_ns()}")  # where another user may enter
    server = Postgres(folder)
    server.start()
    try:
        assert is_reachable(server.url)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
