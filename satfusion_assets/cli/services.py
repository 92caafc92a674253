"""Starting and stopping the platform's services as child processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import satfusion_assets
from satfusion_assets.cli.home import dagster_home
from satfusion_assets.errors import SatfusionError

DAGSTER_PORT: Final = 3000
VIEWER_PORT: Final = 8050
START_SECONDS: Final = 120
STOP_SECONDS: Final = 10


class ServiceFailed(SatfusionError):
    """A service did not start."""


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
    """Code server, webserver and daemon, in a process group of their own."""
    home = dagster_home()
    workspace = Path(satfusion_assets.__file__).parents[1] / "workspace.yaml"
    log = home / "services.log"
    command = ["-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    with _running("Dagster UI", command, f"http://127.0.0.1:{port}", "/server_info", log) as service:
        yield service


@contextmanager
def viewer(port: int = VIEWER_PORT) -> Iterator[Service]:
    """The viewer's server."""
    log = dagster_home() / "viewer.log"
    command = ["-m", "satfusion_assets.cli", "view", "--port", str(port)]
    with _running("Viewer", command, f"http://127.0.0.1:{port}", "/", log) as service:
        yield service


@contextmanager
def _running(name: str, arguments: list[str], url: str, health: str, log: Path) -> Iterator[Service]:
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, *arguments], stdout=file, stderr=file, start_new_session=True)
    service = Service(name, url, (process,))
    try:
        _wait_for(service, health, log)
        yield service
    finally:
        _stop(process)


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


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child and everything it started."""
    import os
    import signal

    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
