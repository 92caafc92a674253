"""What a second worker is worth, and what several machines cost beside one: trials of ``benchmarks.cluster``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import httpx
import psutil

from benchmarks.client import Client
from benchmarks.operation import Services
from deploy.demo_cluster.backfill import runs_of
from deploy.demo_cluster.cluster import Cluster
from deploy.demo_cluster.machine import ThisMachine, wait_for_port
from deploy.demo_cluster.machine import running as running_process
from satfusion_assets.store import ProductStore

SEASON: Final = "innsbruck_2024"
HOLLOW: Final = "benchmarks.hollow_location"
HOLLOW_WORKER: Final = "benchmarks.hollow_worker"
VIEWERS: Final = 8195
"""Port of the first of two."""


def scaling(running: Cluster, client: Client, ask: Callable[[], str]) -> Iterator[str]:
    """A backfill of four runs on two workers, on one and on two, each worker on a core of its own; the first of these
    fetches the inputs.

    Time is counted from the first run's begin to the last one's end: the daemon looks at a backfill every 30 s, which
    both pay alike. ask: launches the backfill, returns its id.
    """
    for core, host in enumerate(running.workers):
        running.kill_service(host)
        running.start_worker(host, core)
    took: dict[int, float] = {}
    for turn, count in enumerate((2, 1, 2)):
        if count == 1:
            running.kill_service("worker-b")
        elif running.processes["worker-b"].poll() is not None:
            running.start_worker("worker-b", 1)
        hosts = tuple(running.workers)[:count]
        services, workers, backfill = _cpu(running, "control"), _cpu(running, *hosts), ask()
        state = client.wait(backfill, 900)
        services, workers = _cpu(running, "control") - services, _cpu(running, *hosts) - workers
        runs = [run for run in runs_of(client, backfill) if run.began and run.ended]
        seconds = max(run.ended or 0 for run in runs) - min(run.began or 0 for run in runs)
        if turn:
            took[count] = seconds
        each = ", ".join(f"{run.host} {run.seconds:.0f} s" for run in runs)
        yield (
            f"{count} workers: {state.status}, asked for until done {state.wall_s:.0f} s, first begin to last end "
            f"{seconds:.0f} s ({each}); CPU of the control host {services:.0f} s, of the workers {workers:.0f} s"
        )
    yield f"two workers take {took[2] / took[1]:.2f} of the time of one"


def own_time(running: Cluster, client: Client) -> Iterator[str]:
    """A site-season of hollow stages from raw to evaluation, two runs at a time on either side, in turns."""
    one = Services(running.folder / "one_machine")
    running.code, running.worker = HOLLOW, HOLLOW_WORKER
    for name in ("daemon", "webserver", "code-server", *running.workers):
        running.kill_service(name)
    running.start_dagster()
    for name in running.workers:
        running.start_worker(name)
    try:
        for name, asked in (("several machines", client), ("one machine", one.start_all())):
            asked.add_partitions([SEASON])
            began, backfill = time.time(), asked.backfill(asked.assets(), [SEASON])
            done = asked.wait(backfill, 400)
            runs = [run for run in runs_of(asked, backfill) if run.began and run.ended]
            waited = statistics.median((run.began or 0) - run.asked for run in runs)
            took = sorted(run.seconds or 0 for run in runs)
            looks = sorted({round(run.asked - began) for run in runs})
            yield (
                f"{name}: {done.status} in {done.wall_s:.0f} s, {sum(done.made.values())} partitions, {done.runs}; "
                f"runs were asked for after {looks} s, began {waited:.1f} s after that (median), took "
                f"{took[0]:.1f} to {took[-1]:.1f} s, together {sum(took):.0f} s"
            )
    finally:
        one.stop()


def pixel_seasons(running: Cluster, made: ProductStore, season: str) -> Iterator[str]:
    """Another pixel for each request, so that no answer is kept; a viewer of the folder ``made`` beside it, in turns.

    season: site/season/scenario. Both viewers are new; the first pixel of the bucket's fetches the packs.
    """
    home = running.folder / "viewers"
    places = {"bucket": running.environment("control"), "folder": running.environment("control")}
    del places["folder"]["SATFUSION_STORE"]
    places["bucket"]["SATFUSION_DATA_ROOT"], places["folder"]["SATFUSION_DATA_ROOT"] = str(home), str(made.root)
    with ExitStack() as stack:
        clients, processes = {}, {}
        for port, (name, environment) in enumerate(places.items(), start=VIEWERS):
            command = [sys.executable, "-m", "satfusion_assets.cli", "view", "--port", str(port)]
            log = running.log(f"viewer-{name}")
            begun = running_process(ThisMachine(), command, log, environment)
            processes[name] = stack.enter_context(begun)
            wait_for_port(ThisMachine.address, port, name=f"The viewer of the {name}")
            clients[name] = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60))
        times: dict[str, list[float]] = {name: [] for name in clients}
        x, y = clients["folder"].get(f"/_api/season/{season}").json()["marker"]
        clients["bucket"].get(f"/_api/season/{season}").raise_for_status()
        for step in range(21):
            if step == 1:
                before = {name: _cpu_of(process.pid) for name, process in processes.items()}
            for name, client in clients.items():
                began = time.perf_counter()
                client.get(f"/_api/pixel/{season}/processed?x={x + 30 * (step - 10)}&y={y}").raise_for_status()
                times[name].append(1e3 * (time.perf_counter() - began))
        for name, (cold, *warm) in times.items():
            cpu = 1e3 * (_cpu_of(processes[name].pid) - before[name]) / len(warm)
            yield (
                f"{name}: first {cold:.0f} ms, then median of {len(warm)} {statistics.median(warm):.0f} ms "
                f"({min(warm):.0f} to {max(warm):.0f}); CPU of the viewer for each {cpu:.0f} ms"
            )


def _cpu_of(process: int) -> float:
    return float(sum(psutil.Process(process).cpu_times()[:2]))


def _cpu(running: Cluster, *hosts: str) -> float:
    """CPU seconds so far of every process of ``hosts``, those of children that have ended among them."""
    spent = 0.0
    for host in hosts:
        first = (running.control if host == "control" else running.workers[host]).first
        here = Path(f"/proc/{first}/ns/pid").readlink()
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, OSError):
                if Path(f"/proc/{process.pid}/ns/pid").readlink() == here:
                    spent += sum(process.cpu_times()[:4])
    return spent
