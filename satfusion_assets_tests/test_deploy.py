"""The units of ``deploy/``: unprivileged, on loopback, and their very commands start services that answer."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser["Service"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_unprivileged_confined_and_not_reachable_from_outside(unit: Path) -> None:
    settings = service(unit)
    assert settings["User"] == "satfusion"
    assert settings["NoNewPrivileges"] == "true"
    assert settings["ProtectSystem"] == "strict"
    assert "0.0.0.0" not in settings["ExecStart"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The example's variables, with paths and ports of this test."""
    lines = (ROOT / "deploy" / "satfusion.env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    ours = {name: str(free_port()) for name in example if name.endswith("_PORT")}
    ours |= {name: str(tmp_path / Path(example[name]).name) for name in example if example[name].startswith("/var/")}
    (tmp_path / "dagster_home").mkdir()
    shutil.copy(ROOT / "dagster_home" / "dagster.yaml", tmp_path / "dagster_home")
    everything = os.environ | example | ours
    dagster = str(Path(sys.executable).parent / "dagster")
    subprocess.run([dagster, "instance", "migrate"], env=everything, check=True)  # as docs/operation.md says
    return everything


@pytest.fixture
def started(environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    processes = {}
    try:
        for unit in UNITS:
            command = service(unit)["ExecStart"].replace("/opt/satfusion/.venv/bin", str(Path(sys.executable).parent))
            for name, value in environment.items():
                command = command.replace(f"${{{name}}}", value)
            arguments = shlex.split(command.replace("/opt/satfusion", str(ROOT)))
            processes[unit.stem] = subprocess.Popen(arguments, env=environment, cwd=ROOT)
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(60)


def ask(url: str, query: str, **variables: Any) -> Any:
    answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=10).json()
    assert "errors" not in answer, answer
    return answer["data"]


def wait_for(condition: Callable[[], Any], seconds: float = 200) -> Any:
    """What ``condition`` returns once that is true; services that are not up yet do not answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise AssertionError("waited in vain")


LAUNCH = """mutation {launchPipelineExecution(executionParams: {selector: {repositoryLocationName: "satfusion",
  repositoryName: "__repository__", jobName: "__ASSET_JOB", assetSelection: [{path: ["score_table"]}]}})
  {... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}"""
FAILURES = """query($id: ID!) {runOrError(runId: $id) {... on Run {status eventConnection {events {
  ... on ExecutionStepFailureEvent {error {message}}}}}}}"""


def test_the_units_commands_start_services_that_find_one_another_run_a_stage_and_stop(
    started: dict[str, subprocess.Popen[bytes]], environment: dict[str, str]
) -> None:
    ui = f"http://127.0.0.1:{environment['SATFUSION_WEB_PORT']}/graphql"
    viewer = f"http://127.0.0.1:{environment['SATFUSION_VIEWER_PORT']}/"
    query = '{assetNodes{id} instance{daemonHealth{daemonStatus(daemonType:"BACKFILL"){healthy}}}}'

    def up() -> bool:
        assert all(process.poll() is None for process in started.values())
        answer = ask(ui, query)
        healthy = answer["instance"]["daemonHealth"]["daemonStatus"]["healthy"]
        return bool(answer["assetNodes"] and healthy and httpx.get(viewer, timeout=10).is_success)

    wait_for(up)
    run = ask(ui, LAUNCH)["launchPipelineExecution"]["run"]["runId"]

    def ended() -> Any:
        answer = ask(ui, FAILURES, id=run)["runOrError"]
        return answer["status"] in ("SUCCESS", "FAILURE") and answer

    said = [event["error"]["message"] for event in wait_for(ended)["eventConnection"]["events"] if event]
    assert "No site-season has metrics yet" in str(said), "the stage itself did not speak"
    children = psutil.Process(started["satfusion-code-server"].pid).children()
    assert any("multiprocessing.forkserver" in " ".join(child.cmdline()) for child in children), "runs are not forked"
