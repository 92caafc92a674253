"""Where servers run: this machine's loopback, or a host of its own in namespaces of Linux."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from satfusion_assets.vocabulary.errors import ServiceFailed

START_S: Final = 240.0
"""How long a server may take to answer: imports of Dagster take a minute where the processor is busy."""


class Machine(Protocol):
    """Something with an address that programs can be started on."""

    @property
    def address(self) -> str: ...

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command that runs ``command`` there."""
        ...


class ThisMachine:
    """Loopback, for tests of one server."""

    address: Final = "127.0.0.1"

    def inside(self, command: Sequence[str]) -> list[str]:
        return list(command)


@contextmanager
def running(
    machine: Machine, command: Sequence[str], log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone when the block ends, and all that it started, whatever state they are in."""
    process = start(machine, command, log, environment)
    try:
        yield process
    finally:
        stop(process)


def start(
    machine: Machine, command: Sequence[str], log: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process in a session of its own: Ctrl-C in the terminal is not for it."""
    with Path(log or os.devnull).open("ab") as file:
        return subprocess.Popen(
            machine.inside(command),
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env=None if environment is None else dict(environment),
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def do(
    machine: Machine,
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    again_s: float = 0.0,
) -> bytes:
    """What a command says. again_s: how long it is asked again when it fails, as clients do while a server starts."""
    deadline = time.monotonic() + again_s
    while True:
        done = subprocess.run(
            machine.inside([str(part) for part in command]),
            check=False,
            capture_output=True,
            timeout=START_S,
            cwd="/",
            env=None if environment is None else dict(environment),
        )
        if done.returncode == 0:
            return done.stdout
        if time.monotonic() > deadline:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise ServiceFailed(f"{command[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
        time.sleep(0.5)


def wait_for_port(
    address: str, port: int, process: subprocess.Popen[bytes] | None = None, name: str = "", log: Path | None = None
) -> None:
    """Until something listens there; ServiceFailed when ``process`` has ended or it takes too long."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with suppress(OSError), socket.create_connection((address, port), timeout=2):
            return
        time.sleep(0.2)
    raise ServiceFailed(f"{name or 'A server'} did not start at {address}:{port}; its log is {log or 'not kept'}.")
