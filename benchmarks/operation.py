"""How fast backfills are apart from the science, and what kills do to them: the whole platform with hollow stages.

``python -m benchmarks.operation command_line|speed|limits|kills FOLDER``; all but the first start code server,
webserver and daemon on FOLDER, launch backfills through GraphQL and say what happened.
"""

from __future__ import annotations

import hashlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from benchmarks.client import FINAL, Client, Finished
from satfusion_assets.cli.services import WAIT_FOR_CODE

ROOT: Final = Path(__file__).parents[1]
SEVEN: Final = (
    "innsbruck_2020",
    "innsbruck_2024",
    "forthgr_2024",
    "pitsalu_2024",
    "vindeln2_2023",
    "sunflowerjerez1_2024",
    "institutekarnobat_2024",
)


@dataclass(frozen=True)
class Took:
    """Seconds of the clock, and of the processor, which a busy machine lengthens less."""

    wall_s: float
    cpu_s: float


class Services:
    """Code server, webserver and daemon of an installation below ``folder``, each of which can be killed."""

    def __init__(
        self, folder: Path, seconds: float = 0.0, runs: int = 2, *, hollow: bool = True, settings: str = ""
    ) -> None:
        """settings: instead of those of one machine, such as for another database."""
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        settings = settings or (ROOT / "dagster_home" / "dagster.yaml").read_text()
        settings = settings.replace("works\n        limit: 2", f"works\n        limit: {runs}")
        settings = settings.replace("max_concurrent_runs: 6", f"max_concurrent_runs: {runs + 4}")
        (home / "dagster.yaml").write_text(settings)
        self.data = folder / "data"
        ports = self._ports = [_free_port(), _free_port()]
        self.url = f"http://127.0.0.1:{ports[1]}"
        self._environment = os.environ | {
            "DAGSTER_HOME": str(home.resolve()),
            "SATFUSION_DATA_ROOT": str(self.data.resolve()),
            "SATFUSION_CODE_PORT": str(ports[0]),
            WAIT_FOR_CODE: "1",
            "HOLLOW_SECONDS": str(seconds),
            "PYTHONPATH": str(ROOT),
        }
        workspace = str(ROOT / "deploy" / "workspace.yaml")
        module = "benchmarks.hollow_location" if hollow else "satfusion_assets.definitions"
        code = f"satfusion_assets.orchestration.instance.code_server -m {module} --location-name satfusion"
        self._commands = {
            "code server": f"{code} -h 127.0.0.1 -p {ports[0]}",
            "webserver": f"dagster_webserver -w {workspace} -h 127.0.0.1 -p {ports[1]}",
            "daemon": f"dagster._daemon run -w {workspace}",
        }
        self._log = (folder / "services.log").open("ab")
        self.processes: dict[str, psutil.Popen] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", *self._commands[name].split()]
        self.processes[name] = psutil.Popen(
            command, env=self._environment, stdout=self._log, stderr=self._log, cwd=ROOT, start_new_session=True
        )

    def start_all(self) -> Client:
        end = time.monotonic() + 240
        self.start("code server")
        while not _listens(self._ports[0]) and time.monotonic() < end:
            time.sleep(0.3)
        self.start("webserver")
        self.start("daemon")
        while time.monotonic() < end:
            try:
                if (client := Client(self.url)).assets():
                    return client
            except (httpx.HTTPError, ValueError):  # not up yet
                pass
            time.sleep(0.5)
        raise TimeoutError(f"the services did not start; their log is {self._log.name}")

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def workers(self) -> list[psutil.Process]:
        """Processes that execute runs, oldest first."""
        children = self.processes["code server"].children()
        forking = [child for child in children if "multiprocessing.forkserver" in " ".join(child.cmdline())]
        found = [run for server in forking for run in server.children() if run.status() != psutil.STATUS_ZOMBIE]
        return sorted(found, key=lambda child: child.create_time())

    def command_line(self, site: str, season: str) -> Took:
        """What ``satfusion materialize`` takes for everything, its start included."""
        code = "import benchmarks.hollow; from satfusion_assets.cli import main; main()"
        return self._timed(code, "materialize", site, season, "--until", "evaluation")

    def without_dagster(self, site: str, season: str) -> Took:
        """What a process takes which makes the same products by plain calls, its start included."""
        code = (
            "import sys; from pathlib import Path; from benchmarks.hollow import SiteSeason, without_dagster; "
            "without_dagster(Path(sys.argv[1]), SiteSeason(sys.argv[2], int(sys.argv[3])))"
        )
        return self._timed(code, str(self.data.resolve()), site, season)

    def _timed(self, code: str, *arguments: str) -> Took:
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", code, *arguments]
        subprocess.run(command, env=self._environment, cwd=ROOT, check=True, stdout=self._log, stderr=self._log)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Took(time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def stop(self) -> None:
        for process in self.processes.values():
            if process.is_running():
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except psutil.TimeoutExpired:
                process.kill()
        self._log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(folder: Path, seconds: float = 0.0, runs: int = 2) -> Iterator[tuple[Services, Client]]:
    services = Services(folder, seconds, runs)
    try:
        yield services, services.start_all()
    finally:
        services.stop()


def fingerprint(data: Path) -> dict[str, str]:
    """SHA-256 of every file that a reader of the products sees, by path."""
    files = sorted(path for path in data.glob("*/*/hollow/*.json"))
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def command_line(folder: Path) -> None:
    """Seven site-seasons from the command line, one after the other, each beside the same without Dagster."""
    services, bare = Services(folder / "dagster"), Services(folder / "bare")
    for key in SEVEN:
        site, season = key.rsplit("_", 1)
        took, plain = services.command_line(site, season), bare.without_dagster(site, season)
        _say(
            f"{key}: {took.wall_s:.1f} s ({took.cpu_s:.1f} s CPU), without Dagster {plain.wall_s:.1f} s "
            f"({plain.cpu_s:.1f} s CPU), Dagster's own {took.wall_s - plain.wall_s:.1f} s "
            f"({took.cpu_s - plain.cpu_s:.1f} s CPU)"
        )


def speed(folder: Path) -> None:
    """One site-season and seven through GraphQL: with stages that take no time, and with two seconds for each, which
    sets the site-seasons apart."""
    for seconds in (0.0, 2.0):
        with running(folder / f"{seconds:.0f}_s_a_stage", seconds) as (_, client):
            for keys in (["innsbruck_2024"], list(SEVEN)):
                client.add_partitions(keys)
                done = client.wait(client.backfill(client.assets(), keys))
                work = seconds * sum(done.made.values())
                complaint = done.complaint(len(keys)) or "complete"
                _say(f"{len(keys)} site-seasons, {work:.0f} s of work: {done.wall_s:.0f} s, {complaint}, {done.runs}")


DOWNLOADS: Final = {"raw_s2": "earth_search", "raw_s3": "openeo", "raw_phenocam": "phenocam"}
STEPS: Final = "{runsOrError{... on Runs{results{stepStats{stepKey startTime endTime}}}}}"


def limits(folder: Path) -> None:
    """Six runs at a time and two places in each pool: most steps of one pool at once, archives first, then fusion."""
    with running(folder / "downloads", 15.0, runs=6) as (_, client):
        _show_limits(client, SEVEN, list(DOWNLOADS), DOWNLOADS)
    with running(folder / "fusion", 4.0, runs=6) as (_, client):
        _show_limits(client, SEVEN[:2], client.assets(), {"fused": "fusion"})


def _show_limits(client: Client, keys: Sequence[str], assets: list[str], pools: Mapping[str, str]) -> None:
    client.add_partitions(keys)
    finished = client.wait(client.backfill(assets, list(keys)))
    _say(finished.complaint(len(keys)) or "complete")
    steps = [step for run in client.ask(STEPS)["runsOrError"]["results"] for step in run["stepStats"]]
    _say(f"steps under way at once: at most {_most_at_once(steps)}")
    for asset, pool in pools.items():
        at_once = _most_at_once([step for step in steps if step["stepKey"] == asset])
        _say(f"{pool}: at most {at_once} at once{'' if at_once <= 2 else ', BEYOND THE LIMIT of 2'}")


def _most_at_once(steps: list[dict[str, Any]]) -> int:
    """Most of these steps under way at any moment; a step that ends as another begins is not beside it."""
    moments = [(step["startTime"], 1) for step in steps] + [(step["endTime"], -1) for step in steps]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


KILLS: Final = ("daemon", "webserver", "code server", "worker", "worker and code server")


def kills(folder: Path) -> None:
    """A season made in one process, then a backfill in which everything is killed; both publish the same bytes."""
    calm = Services(folder / "calm")
    _say(f"command line, undisturbed: {calm.command_line('innsbruck', '2024').wall_s:.1f} s")
    expected = fingerprint(calm.data)
    with running(folder / "killed", 1.0) as (services, client):
        client.add_partitions(["innsbruck_2024"])
        backfill = client.backfill(client.assets(), ["innsbruck_2024"])
        for victim in KILLS:
            _kill(services, victim)
            _say(f"killed: {victim}")
            if (state := _state(client, backfill)) is not None and state.status in FINAL:
                break
        finished = client.wait(backfill)
        _say(f"killed: {finished} {finished.complaint() or 'complete'}")
        _say("bytes: " + ("identical" if fingerprint(services.data) == expected else "DIFFERENT"))


def _kill(services: Services, victim: str) -> None:
    """Wait for a run under way, kill ``victim``, and start again what is a service."""
    end = time.monotonic() + 120
    while not (workers := services.workers()) and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(2.5)  # it has begun
    for worker in workers if victim.startswith("worker") else []:
        if worker.is_running():
            worker.kill()
    service = victim.removeprefix("worker and ")
    if service != "worker":
        services.kill(service)
        time.sleep(3)
        services.start(service)
        time.sleep(8)


def _state(client: Client, backfill: str) -> Finished | None:
    try:
        return client.state(backfill)
    except httpx.HTTPError:
        return None


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    {"command_line": command_line, "speed": speed, "limits": limits, "kills": kills}[sys.argv[1]](Path(sys.argv[2]))
