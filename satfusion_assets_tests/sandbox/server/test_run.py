"""The server as a child process."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from satfusion_assets.cli.sandbox import move_day
from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets.vocabulary.errors import InvalidInput, ServiceFailed
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets_tests.sandbox.server.fake_world import TODAY


def test_its_environment_points_the_platform_at_it(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert httpx.get(settings.earth_search_url).json()["id"] == "earth-search-aws"
    assert httpx.get(settings.openeo_url).json()["api_version"] == "1.2.0"
    assert httpx.get(f"{settings.phenocam_url}/api/cameras/").json()["count"] == 2
    assert settings.cdse_user
    assert settings.cdse_password


def test_it_listens_on_loopback_only_and_is_gone_when_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "satfusion_assets_tests.sandbox.server.fake_world", str(tmp_path)]
    with ServerProcess(command) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{server.url}/v1").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/v1")


def test_it_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = f"""
import time
from pathlib import Path
from satfusion_assets_tests.sandbox.server.conftest import fake_server
with fake_server(Path({str(tmp_path)!r})) as server:
    print(server.url, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v1").status_code == 200
        process.kill()
    for _ in range(200):
        try:
            httpx.get(f"{url}/v1")
        except httpx.TransportError:
            break
        time.sleep(0.05)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/v1")


def test_a_server_that_cannot_start_says_why() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the landscape is missing')"]
    with pytest.raises(ServiceFailed, match="the landscape is missing"):
        ServerProcess(command).start()


def test_the_world_tells_its_day_and_refuses_what_it_does_not_know(server: ServerProcess) -> None:
    state = httpx.get(f"{server.url}/_world").json()
    assert (state["today"], state["token_seconds"]) == (TODAY.isoformat(), 600.0)
    for bad in ({"today": "soon"}, {"today": 5}, {"token_seconds": -1}, {"gravity": 0}):
        assert httpx.post(f"{server.url}/_world", json=bad).status_code == 400
    assert httpx.get(f"{server.url}/_world").json() == state


def test_its_day_can_be_moved_while_it_runs(server: ServerProcess) -> None:
    assert move_day(server.url, "") == TODAY
    try:
        assert move_day(server.url, "+7") == TODAY + timedelta(days=7)
        assert move_day(server.url, "") == TODAY + timedelta(days=7)
    finally:
        assert move_day(server.url, TODAY.isoformat()) == TODAY
    with pytest.raises(InvalidInput, match="'tomorrow' is no day"):
        move_day(server.url, "tomorrow")
    with pytest.raises(InvalidInput, match="No sandbox answers"):
        move_day("http://127.0.0.1:9", "+7")
