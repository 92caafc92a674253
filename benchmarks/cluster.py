"""What the loss of a host, a link, a server or a run costs a backfill on several machines; as root, on Linux.

``python -m benchmarks.cluster DATA SANDBOX [TRIAL...]``: DATA is a data root with ``innsbruck 2024`` made by one
machine in a folder (``satfusion demo``), SANDBOX the landscape it was made from. Its inputs are copied to the bucket of
``deploy.demo_cluster``, fused again there while things are broken, and what comes out is compared with DATA. The trial
``from_nothing`` copies nothing, and has one machine make the same in a folder.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import psutil
import psycopg2

from benchmarks.client import FINAL, Client
from benchmarks.cluster_speed import own_time, pixel_seasons, scaling
from benchmarks.single_machine import made_on_control
from deploy.demo_cluster.backfill import ask_for, runs_of
from deploy.demo_cluster.cluster import Cluster, cluster
from satfusion_assets.cli.plans import possible_scenarios
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.store import Product, ProductStore, Store
from satfusion_assets.store.blobs import Blobs, Waits
from satfusion_assets.store.bucket import BucketStore, folder_of
from satfusion_assets.store.log import ProductLogs
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

SEASON: Final = SiteSeason("innsbruck", 2024)
FROM_NOTHING: Final = (SEASON, SiteSeason("sunflowerjerez1", 2024))
INPUTS: Final = ("raw_s2", "raw_s3", "raw_phenocam", "camera_phenology", "preselected", "prepared_bti", "prepared_itb")
FOUR: Final = tuple(
    Scenario.parse(f"{strategy}_{sigma}")
    for strategy in ("aggressive", "nonaggressive")
    for sigma in ("sigma20", "sigma30")
)
Answer = TypeVar("Answer")
_RUN: Final = "query($id:ID!){runOrError(runId:$id){... on Run{status assetMaterializations{timestamp}}}}"
_WHY: Final = """query($id:ID!){logsForRun(runId:$id,limit:1000){... on EventConnection{events{
 ... on MessageEvent{message level} ... on ErrorEvent{error{className message causes{className message}}}}}}}"""
_SLOTS: Final = "{instance{concurrencyLimits{concurrencyKey slotCount claimedSlots{runId}}}}"
_TERMINATE: Final = "mutation($id:String!){terminateRun(runId:$id){__typename}}"


class Trials:
    """One running cluster, and what is done to it."""

    def __init__(self, running: Cluster, made: ProductStore, store: BucketStore) -> None:
        self.cluster, self.made, self.store = running, made, store
        self.client = Client(running.url)
        self._has_inputs = False
        self._opened = _connections(running)[0]

    def from_nothing(self) -> None:
        """Every product of two site-seasons, from the archives to metrics, is what one machine makes in a folder."""
        scenario = FOUR[0]
        self._wait(ask_for(self.client, FROM_NOTHING, [scenario]))
        began = time.monotonic()
        made = made_on_control(self.cluster, FROM_NOTHING, scenario)
        _say(f"one machine took {time.monotonic() - began:.0f} s")
        for season in FROM_NOTHING:
            here, there = (_products(store, season) for store in (made, self.store))
            both = sorted(here.keys() & there.keys())
            differ = [name for name in both if here[name] != there[name]]
            files = sum(len(here[name][1]) for name in both)
            _say(f"{season.key}: {len(both)} products of {files} files, of other version or content {differ or 'none'}")
            _say(f"{', '.join(both)}; made by one side alone: {sorted(here.keys() ^ there.keys())}")

    def bytes(self) -> None:
        """Both hosts executed runs; what they made is what one machine made in a folder."""
        self._wait(self._ask(until=Stage.METRICS, scenarios=FOUR[:2]))
        names = ("fused", "processed", "pack", "scenario_metrics")
        differ = []
        for product in (Product(name, SEASON, scenario.key) for name in names for scenario in FOUR[:2]):
            here, there = self.made.manifest(product), self.store.manifest(product)
            if here is None or there is None or (here.version, here.files) != (there.version, there.files):
                differ.append(product.key)
        _say(f"products that differ from the folder's: {differ or 'none'}")

    def kill_host(self) -> None:
        """Every process of worker-a killed in mid-run."""
        backfill = self._ask()
        run = self._begun(backfill, "worker-a")
        at = time.monotonic()
        self.cluster.workers["worker-a"].kill()
        self._until(partial(self._has_failed, run))
        _say(f"killed: FAILURE after {time.monotonic() - at:.0f} s")
        self._restart_worker("worker-a")
        self._wait(backfill)
        _say(f"published by the killed run: {self._made_by(run)}")

    def cut_link(self) -> None:
        """worker-b's cable pulled for 90 s in mid-run, while there is enough work for both."""
        backfill = self._ask(scenarios=possible_scenarios())
        run = self._begun(backfill, "worker-b")
        at = time.monotonic()
        self.cluster.workers["worker-b"].cut()
        self._until(lambda: any(other.attempt and other.host for other in runs_of(self.client, backfill)))
        _say(f"cut: made again elsewhere after {time.monotonic() - at:.0f} s")
        time.sleep(max(0.0, 90 - (time.monotonic() - at)))
        self.cluster.workers["worker-b"].mend()
        at = time.monotonic()
        self._begun(backfill, "worker-b")
        _say(f"link back: worker-b had a run after {time.monotonic() - at:.0f} s; runs {self._standing(backfill)}")
        self._wait(backfill)
        _say(f"published by the run that was cut off: {self._made_by(run)}, its status {self._status(run)}")

    def freeze_bucket(self) -> None:
        """radosgw stopped for 60 s in mid-backfill."""
        backfill = self._ask()
        self._begun(backfill, "worker-a")
        gateways = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "radosgw"]
        ours = [process for process in gateways if str(self.cluster.folder) in " ".join(process.cmdline())]
        for process in ours:
            process.suspend()
        time.sleep(60)
        for process in ours:
            process.resume()
        self._wait(backfill)

    def restart_servers(self) -> None:
        """PostgreSQL, RabbitMQ and the daemon, one after the other, each while runs of one backfill execute."""
        backfill = self._ask(scenarios=possible_scenarios())
        for name, restart in (
            ("PostgreSQL", self._restart_database),
            ("RabbitMQ", self._restart_queue),
            ("the daemon", self._restart_daemon),
        ):
            self._begun(backfill, "")
            restart()
            _say(f"{name} was restarted; runs {self._standing(backfill)}")
        self._wait(backfill)

    def _restart_database(self) -> None:
        self.cluster.database.stop()
        time.sleep(3)
        self.cluster.database.start()

    def _restart_queue(self) -> None:
        self.cluster.queue.stop()
        self.cluster.queue.start()

    def _restart_daemon(self) -> None:
        """Killed, and started again as its supervisor does."""
        self.cluster.kill_service("daemon")
        self.cluster.start_service("daemon")

    def five_kills(self) -> None:
        """One run after the other killed, five times, in one pool."""
        killed: set[str] = set()
        while len(killed) < 5:
            backfill = self._ask(scenarios=FOUR[:2])
            while len(killed) < 5 and self.client.state(backfill).status not in FINAL:
                for run in runs_of(self.client, backfill):
                    if run.run_id not in killed and run.status == "STARTED" and run.host and len(killed) < 5:
                        _kill_executing(self.cluster.processes[run.host].pid)
                        killed.add(run.run_id)
                        self._until(partial(self._has_failed, run.run_id))
        self._wait(backfill)
        time.sleep(10)
        _say(f"killed {len(killed)} runs; slots that are held: {self._held()}")

    def cancel(self) -> None:
        """Terminated as the UI does."""
        backfill = self._ask(scenarios=FOUR[:1])
        run = self._begun(backfill, "")
        at = time.monotonic()
        self.client.ask(_TERMINATE, id=run)
        self._until(lambda: self._status(run) == "CANCELED")
        took = time.monotonic() - at
        time.sleep(10)
        _say(f"CANCELED after {took:.1f} s; slots that are held: {self._held()}")

    def scaling(self) -> None:
        """Four scenarios on two workers, on one, and on two again, each pinned to a core."""
        for said in scaling(self.cluster, self.client, self._ask):
            _say(said)

    def own_time(self) -> None:
        """A site-season of stages that do next to nothing, by the cluster and by the services of one machine."""
        for said in own_time(self.cluster, self.client):
            _say(said)

    def viewer(self) -> None:
        """A pixel's season from the bucket and from a folder, cold and once it is cached."""
        names = {manifest.product for manifest in self.made.products(SEASON)}
        _copy(self.made, self.store, sorted(names), ("", FOUR[0].key, str(FOUR[0].strategy)))
        for said in pixel_seasons(self.cluster, self.made, f"{SEASON.site}/{SEASON.season}/{FOUR[0].key}"):
            _say(said)

    def _ask(self, until: Stage = Stage.FUSED, scenarios: Sequence[Scenario] = FOUR) -> str:
        if not self._has_inputs:
            _copy(self.made, self.store, INPUTS)
            self._has_inputs = True
        return ask_for(self.client, [SEASON], scenarios, start=Stage.FUSED, until=until)

    def _begun(self, backfill: str, host: str) -> str:
        """The first run that ``host`` executes, '' = any, some seconds after it has begun."""
        found: list[str] = []

        def begun() -> bool:
            runs = runs_of(self.client, backfill)
            found[:] = [run.run_id for run in runs if run.status == "STARTED" and run.host and host in ("", run.host)]
            return bool(found)

        self._until(begun)
        time.sleep(2)
        return found[0]

    def _wait(self, backfill: str) -> None:
        """To the end of a backfill; says how it ended and who executed it."""
        state = self.client.wait(backfill, 900)
        runs = self._answer(lambda: runs_of(self.client, backfill))
        hosts = {host: sum(run.host == host for run in runs) for host in sorted({run.host for run in runs})}
        attempts = max(run.attempt for run in runs)
        _say(f"{state.status} in {state.wall_s:.0f} s; runs {state.runs}; hosts {hosts}; most retries {attempts}")
        for run in runs:
            if run.status == "FAILURE":
                _say(f"run {run.run_id[:8]} of {run.partition} failed: {self._why(run.run_id)}")
        opened, self._opened = _connections(self.cluster)[0] - self._opened, _connections(self.cluster)[0]
        _say(f"connections opened since the last count {opened}, open now {_connections(self.cluster)[1]}")
        _say(f"made {state.made}; slots held {self._held()}; log entries {self._entries()}")

    def _entries(self) -> dict[str, int]:
        """How many publications the log of each fused product has."""
        logs = ProductLogs(self.store.blobs, folder_of(SEASON))
        return {item.key: len(logs.entries(Product("fused", SEASON, item.key).slug)) for item in FOUR}

    def _standing(self, backfill: str) -> dict[str, int]:
        """How many runs of a backfill are in each state."""
        return dict(Counter(run.status for run in self._answer(lambda: runs_of(self.client, backfill))))

    def _why(self, run: str) -> list[str]:
        """What a run's events of the level of errors say."""
        events = self.client.ask(_WHY, id=run)["logsForRun"]["events"]
        wrong = [event for event in events if event.get("level") == "ERROR" or event.get("error")]
        return [f"{event['message']} {event.get('error') or ''}"[:600] for event in wrong]

    def _has_failed(self, run: str) -> bool:
        return self._status(run) == "FAILURE"

    def _status(self, run: str) -> str:
        return str(self.client.ask(_RUN, id=run)["runOrError"]["status"])

    def _made_by(self, run: str) -> int:
        return len(self.client.ask(_RUN, id=run)["runOrError"]["assetMaterializations"])

    def _held(self) -> int:
        limits = self._answer(lambda: self.client.ask(_SLOTS))["instance"]["concurrencyLimits"]
        return sum(len(limit["claimedSlots"]) for limit in limits)

    def _until(self, true: Callable[[], bool], seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not self._answer(true, seconds):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:.0f} s")
            time.sleep(0.5)

    def _answer(self, ask: Callable[[], Answer], seconds: float = 300) -> Answer:
        """What the UI says, also while it or its database is being restarted: it errs for a while then."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return ask()
            except (httpx.HTTPError, RuntimeError, KeyError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def _restart_worker(self, host: str) -> None:
        self.cluster.processes[host].wait()
        self.cluster.workers[host].boot()
        self.cluster.start_worker(host)


def _connections(running: Cluster) -> tuple[int, int]:
    """How many sessions PostgreSQL has ever had, and how many it has now; ours is none of them."""
    ever = "SELECT sum(sessions) FROM pg_stat_database WHERE datname IS NOT NULL"
    now = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with closing(psycopg2.connect(running.database.url.replace("+psycopg2", ""))) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT ({ever})::bigint, ({now})")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _kill_executing(worker: int) -> None:
    """kill -9 of the processes that execute runs for the worker that was started as process ``worker``."""
    for main in psutil.Process(worker).children():
        for child in main.children():
            child.kill()


def _products(store: Store, season: SiteSeason) -> dict[str, tuple[Any, ...]]:
    """Data version and files, each with its SHA-256, of every product of a site-season."""
    return {f"{item.product} {item.variant}".strip(): (item.version, item.files) for item in store.products(season)}


def _copy(source: ProductStore, target: BucketStore, names: Sequence[str], variants: Sequence[str] = ()) -> None:
    """Products of the season as they are. variants: those alone, all when empty."""
    for manifest in source.products(SEASON):
        product = Product(manifest.product, SEASON, manifest.variant)
        if product.name not in names or (variants and product.variant not in variants):
            continue
        with source.read(product) as view:
            parameters, code = manifest.parameters, manifest.code_version
            with target.publish(product, parameters=parameters, code_version=code, original=view.manifest) as draft:
                for name, path in zip(view.names(), view.files(), strict=True):
                    draft.adopt(path, name)


@contextmanager
def _store(running: Cluster) -> Iterator[BucketStore]:
    """The bucket as this machine sees it."""
    before = dict(os.environ)
    os.environ.update(running.settings)
    try:
        blobs = Blobs(running.settings["SATFUSION_STORE"], Waits(30, 120))
        yield BucketStore(blobs, VersionCache(running.folder / "here", 10**10))
    finally:
        os.environ.clear()
        os.environ.update(before)


def _say(words: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}   {words}\n")
    sys.stdout.flush()


TRIALS: Final = (
    "from_nothing",
    "bytes",
    "kill_host",
    "cut_link",
    "cancel",
    "five_kills",
    "freeze_bucket",
    "restart_servers",
    "scaling",
    "own_time",
    "viewer",
)


def main() -> None:
    data, sandbox, *chosen = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = ProductStore(Path(data))
    with cluster(Path(data) / "sites.geojson", Path(sandbox).absolute(), say=_say) as running, _store(running) as store:
        trials = Trials(running, made, store)
        for name in chosen or TRIALS:
            _say(f"--- {name}")
            getattr(trials, name)()


if __name__ == "__main__":
    main()
