"""Starting and stopping the platform's services as child processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from satfusion_assets.cli.home import dagster_home, dagster_instance
from satfusion_assets.vocabulary.errors import ServiceFailed
from satfusion_assets.vocabulary.installation import WORKSPACE, beside_package

if TYPE_CHECKING:
    import dagster as dg

DAGSTER_PORT: Final = 3000
VIEWER_PORT: Final = 8050
LAST_PORT: Final = 65_535
"""Of TCP."""
WAIT_FOR_CODE: Final = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
"""Without it the daemon fails every backfill that it looks at while the code server is being restarted."""
START_SECONDS: Final = 120
STOP_SECONDS: Final = 10


@dataclass(frozen=True)
class Service:
    """A running child process that answers at ``url``."""

    name: str
    url: str
    processes: tuple[subprocess.Popen[bytes], ...]

    @property
    def running(self) -> bool:
        return all(process.poll() is None for process in self.processes)


@contextmanager
def dagster_ui(port: int = DAGSTER_PORT) -> Iterator[Service]:
    """Code server, webserver and daemon, each its own process: they idle at half of what ``dagster dev`` takes and
    stop when they are asked to."""
    log = dagster_home() / "services.log"
    with dagster_instance() as instance, log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        _prepare_records(instance)
    code_port = _free_port()
    environment = {"SATFUSION_CODE_PORT": str(code_port), WAIT_FOR_CODE: "1"}
    workspace = str(beside_package(WORKSPACE))
    code_server = [
        "satfusion_assets.orchestration.instance.code_server",
        "-m",
        "satfusion_assets.definitions",
        "-h",
        "127.0.0.1",
    ]
    commands = (
        [*code_server, "-p", str(code_port), "--location-name", "satfusion"],
        ["dagster_webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)],
        ["dagster._daemon", "run", "-w", workspace],
    )
    url = f"http://127.0.0.1:{port}"
    with _running("Dagster UI", commands, url, "/server_info", log, environment, first_port=code_port) as service:
        yield service


def _prepare_records(instance: dg.DagsterInstance) -> None:
    """Make missing tables, which the services would otherwise make all at once, and bring those of an older Dagster up
    to date, which looks at every run that there ever was."""
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    versions = [storage.alembic_version() for storage in storages if storage is not None]
    if any(version is not None and version[0] != version[1] for version in versions):
        instance.upgrade()


@contextmanager
def viewer(port: int = VIEWER_PORT) -> Iterator[Service]:
    """The viewer's server."""
    log = dagster_home() / "viewer.log"
    command = ["satfusion_assets.cli", "view", "--port", str(port)]
    with _running("Viewer", [command], f"http://127.0.0.1:{port}", "/", log) as service:
        yield service


@contextmanager
def _running(
    name: str,
    commands: Sequence[Sequence[str]],
    url: str,
    health: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    first_port: int | None = None,
) -> Iterator[Service]:
    """Python modules with their arguments as child processes, until the block ends.

    first_port: the others wait until the first of them listens there; a webserver that asks the code server too early
    shows an error until it looks again.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as file:
            for command in commands:
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *command],
                        stdout=file,
                        stderr=file,
                        env=os.environ | (environment or {}),
                        start_new_session=True,
                    )
                )
                if first_port is not None and len(processes) == 1:
                    _wait_for_port(first_port, processes[0], name, log)
        service = Service(name, url, tuple(processes))
        _wait_for(service, health, log)
        yield service
    finally:
        for process in reversed(processes):  # what launches runs first, what executes them last
            _stop(process)


def open_browser(url: str) -> bool:
    """Show ``url`` in the user's browser, and say whether that was tried: never without a display to show it on."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    return webbrowser.open(url)


def wait_for_end(services: Sequence[Service]) -> None:
    """Until a person stops us, or a service ends by itself."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(service.running for service in services):
            time.sleep(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopping the services; Ctrl-C again ends them at once.", highlight=False)


def require_free(*ports: int) -> None:
    """ServiceFailed when something listens on one of ``ports`` already."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise ServiceFailed(
                    f"Port {port} is taken: another demo may be running; stop what listens on it and start again."
                )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(service: Service, health: str, log: Path) -> None:
    import httpx

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and service.running:
        try:
            if httpx.get(service.url + health, timeout=5, follow_redirects=True).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise ServiceFailed(f"{service.name} did not start at {service.url}; its log is {log}.")


def _wait_for_port(port: int, process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ServiceFailed(f"{name}: what it starts with did not start; its log is {log}.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child and everything it started; a person who does not want to wait ends it at once, and orphans none."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            return
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
