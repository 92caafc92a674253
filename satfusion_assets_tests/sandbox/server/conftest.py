"""A server of the fake world in a process of its own, clean for every test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from satfusion_assets.sandbox.server.controls import Controls
from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.fake_world import TODAY


def fake_server(folder: Path, port: int = 0) -> ServerProcess:
    return ServerProcess(
        [sys.executable, "-m", "satfusion_assets_tests.sandbox.server.fake_world", str(folder), str(port)]
    )


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with fake_server(tmp_path_factory.mktemp("sandbox")) as server:
        yield server


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    """The shared server as new: no faults, empty log, first day, and no limit of starts that tests would share."""
    httpx.delete(f"{shared_server.url}/_faults")
    httpx.delete(f"{shared_server.url}/_faults?log")
    state = Controls(starts_per_minute=10_000).model_dump() | {"today": TODAY.isoformat()}
    httpx.post(f"{shared_server.url}/_world", json=state).raise_for_status()
    return shared_server


@pytest.fixture(autouse=True)
def own_openeo_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The openEO client keeps refresh tokens in the user's folders; tests must not."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg-config"))
