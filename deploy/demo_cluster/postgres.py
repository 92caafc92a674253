"""PostgreSQL on a machine, with a password of its own."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from deploy.demo_cluster.machine import Machine, do

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
"""Debian's, of its highest version."""


class Postgres:
    """A database server that can be stopped and started. folder: one that another user may enter; it is made, or
    has the database of a run before.

    network: who may ask, as ``pg_hba.conf`` has it.
    """

    def __init__(self, machine: Machine, folder: Path, port: int, network: str = "127.0.0.1/32") -> None:
        assert BIN is not None, "is_installed() is asked first"
        self._machine = machine
        self._bin = BIN
        self._data = folder / "data"
        self._as = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        self.port = port
        password = folder / "password"
        if not password.exists():
            self._make(folder, password, network)
        self.url = f"postgresql+psycopg2://postgres:{password.read_text()}@{machine.address}:{port}/postgres"

    def _make(self, folder: Path, password: Path, network: str) -> None:
        folder.mkdir(parents=True)
        password.write_text(secrets.token_hex(16))
        if self._as:
            shutil.chown(folder, "postgres")
            shutil.chown(password, "postgres")
        data, method = str(self._data), "scram-sha-256"
        self._do("initdb", "-D", data, "-U", "postgres", "-A", method, "--no-sync", f"--pwfile={password}")
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} {method}\n")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={self._machine.address} -c fsync=off -k {self._data}"
        self._do("pg_ctl", "-D", str(self._data), "-o", options, "-l", str(self._data / "log"), "-w", "start")

    def stop(self) -> None:
        self._do("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def _do(self, program: str, *arguments: str) -> None:
        do(self._machine, *self._as, str(self._bin / program), *arguments)


def is_installed() -> bool:
    return BIN is not None
