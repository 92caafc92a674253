"""What thousands of partitions cost where people and sensors look: 151 sites of 8 seasons, or more.

``python -m benchmarks.scale FOLDER [SITES] [--postgres]`` prints the rows of docs/scale.md: on SQLite, or
on PostgreSQL of its own. Materialisations are written to the instance in bulk; products are not made. ``--filled``:
FOLDER is of a run before, and its ticks are measured again, nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg2

from benchmarks.client import Client
from benchmarks.operation import Services
from deploy.demo_cluster.machine import ThisMachine
from deploy.demo_cluster.postgres import Postgres

ROOT: Final = Path(__file__).parents[1]
SITES, SEASONS = 151, 8
Row = tuple[str, str, str]
"""What, measured, asked for."""
PAGE: Final = """query($k:AssetKeyInput!){assetNodeOrError(assetKey:$k){... on AssetNode{id
 assetPartitionStatuses{... on MultiPartitionStatuses{primaryDimensionName
 ranges{primaryDimStartKey primaryDimEndKey secondaryDim{... on DefaultPartitionStatuses{materializedPartitions}}}}
 ... on DefaultPartitionStatuses{materializedPartitions failedPartitions}}
 partitionKeysByDimension{name partitionKeys}}}}"""
LINEAGE: Final = """{assetNodes{id assetKey{path} partitionStats{numMaterialized numFailed numPartitions
 numMaterializing} assetMaterializations(limit:1){timestamp runId} staleStatus}}"""
START: Final = "mutation($s:SensorSelector!){startSensor(sensorSelector:$s){__typename}}"
STOP: Final = "mutation($id:String!){stopSensor(id:$id){__typename}}"
TICKS: Final = """query($s:InstigationSelector!){instigationStateOrError(instigationSelector:$s){
 ... on InstigationState{id ticks(limit:20){timestamp endTimestamp}}}}"""

POSTGRES: Final = """
storage:
  custom:
    module: satfusion_assets.orchestration.cluster.storage
    class: KeptPostgresStorage
    config: {postgres_url: {env: SATFUSION_POSTGRES_URL}}
"""


def dagster_settings(url: str | None) -> str:
    """Those of one machine; with Dagster's records in the database at ``url`` if there is one."""
    text = (ROOT / "dagster_home" / "dagster.yaml").read_text()
    if url is None:
        return text
    start, end = text.index("run_storage:"), text.index("python_logs:")
    return text[:start] + POSTGRES + text[end:]


def register(folder: Path, sites: int, url: str | None) -> list[str]:
    """Write sites.geojson and dagster home; returns the site-season keys."""
    (folder / "data").mkdir(parents=True)
    (folder / "home").mkdir()
    (folder / "home" / "dagster.yaml").write_text(dagster_settings(url))
    last = datetime.now(UTC).year
    years = range(last - SEASONS + 1, last + 1)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-120 + number * 240 / sites, 35 + number % 20]},
            "properties": {"sitename": f"site{number:03d}", "seasons": {str(year): {} for year in years}},
        }
        for number in range(sites)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "data" / "sites.geojson").write_text(text)
    return [f"site{number:03d}_{year}" for number in range(sites) for year in years]


def fill(instance: Any, graph: Any) -> int:
    """Record a materialisation of every partition of every asset; returns how many."""
    import dagster as dg
    from dagster._core.events import DagsterEvent, StepMaterializationData
    from dagster._core.events.log import EventLogEntry
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage, count = instance.event_log_storage, 0
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        for key in graph.toposorted_asset_keys:
            grid = graph.get(key).partitions_def
            names = grid.get_partition_keys() if grid is not None else [None]
            rows = []
            for name in names[:-1]:
                made = dg.AssetMaterialization(key, partition=name, tags={"dagster/data_version": "1"})
                step = StepMaterializationData(made)
                event = DagsterEvent("ASSET_MATERIALIZATION", "", event_specific_data=step)
                entry = EventLogEntry(  # type: ignore[no-untyped-call]
                    error_info=None, level=20, user_message="", run_id="", timestamp=time.time(), dagster_event=event
                )
                rows.append(storage._event_to_row(entry))
            with storage.index_connection() as connection:
                for first in range(0, len(rows), 1000):
                    connection.execute(SqlEventLogStorageTable.insert(), rows[first : first + 1000])
            made = dg.AssetMaterialization(key, partition=names[-1], tags={"dagster/data_version": "1"})
            instance.report_runless_asset_event(made)
            count += len(names)
    return count


def timed(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Shortest wall time in seconds of ``times`` calls, and the last result."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def measure(folder: Path, sites: int, url: str | None, filled: bool) -> Iterator[Row]:
    """Before any service runs."""
    keys = [] if filled else register(folder, sites, url)
    os.environ["DAGSTER_HOME"] = str((folder / "home").resolve())
    os.environ["SATFUSION_DATA_ROOT"] = str((folder / "data").resolve())
    loading = [sys.executable, "-c", "import satfusion_assets.definitions as d; d.defs.get_repository_def()"]
    yield "code location loads", f"{timed(lambda: subprocess.run(loading, check=True))[0]:.2f} s", "< 5 s"

    import dagster as dg

    from satfusion_assets.definitions import defs
    from satfusion_assets.orchestration.automation import SENSORS
    from satfusion_assets.pipeline.partitions import SITE_SEASON
    from satfusion_assets.pipeline.platform import Platform

    with dg.DagsterInstance.get() as instance:
        sites_file = SENSORS[0]

        def context() -> dg.SensorEvaluationContext:
            return dg.build_sensor_context(instance, resources={"platform": Platform()})

        if keys:
            took, _ = timed(lambda: sites_file(context()), 1)
            yield f"sites_file, {len(keys)} new partitions", f"{took:.2f} s", "< 1 s"
            took, _ = timed(lambda: instance.add_dynamic_partitions(SITE_SEASON, keys), 1)
            yield f"adding {len(keys)} partitions", f"{took:.2f} s", ""
            graph = defs.resolve_asset_graph()
            took, count = timed(lambda: fill(instance, graph), 1)
            yield f"writing {count} materialisations in bulk", f"{took:.0f} s", ""
        took, _ = timed(lambda: sites_file(context()))
        yield "sites_file, nothing new", f"{took:.2f} s", "< 1 s"
        yield from automation(defs, instance, "< 2 s" if url else "< 1 s")


def automation(defs: Any, instance: Any, limit: str) -> Iterator[Row]:
    """What the code server does in a tick of the sensor. Dagster's own helper for tests of conditions takes longer: it
    writes its cursor where nothing remembers the partitions, and asks for them a thousand times."""
    import dagster as dg

    from satfusion_assets.orchestration.automation.conditions import carry_downstream

    memory, cursor, repository = [], None, defs.get_repository_def()
    for number in range(6):
        began, cpu = time.perf_counter(), time.process_time()
        with dg.build_sensor_context(instance, cursor=cursor, repository_def=repository) as context:
            cursor = carry_downstream.evaluate_tick(context).cursor
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        memory.append(psutil.Process().memory_info().rss / 1e6)
        yield f"carry_downstream, tick {number + 1}", f"{took:.2f} s, CPU {cpu:.2f} s", limit if number else ""
    yield "memory after each tick", " ".join(f"{one:.0f}" for one in memory) + " MB", "flat"


def ticks(client: Client, limit: str) -> Iterator[Row]:
    """The sensor as the daemon runs it: from the start of its tick to the end, the way to the code server included."""
    sensor = {"repositoryLocationName": "satfusion", "repositoryName": "__repository__"}
    client.ask(START, s=sensor | {"sensorName": "carry_downstream"})
    deadline, took = time.monotonic() + 240, list[float]()
    while len(took) < 4 and time.monotonic() < deadline:
        time.sleep(5)
        found = client.ask(TICKS, s=sensor | {"name": "carry_downstream"})["instigationStateOrError"]["ticks"]
        took = [one["endTimestamp"] - one["timestamp"] for one in reversed(found) if one["endTimestamp"]]
    client.ask(STOP, id=client.ask(TICKS, s=sensor | {"name": "carry_downstream"})["instigationStateOrError"]["id"])
    yield "carry_downstream by the daemon, each tick", " ".join(f"{one:.2f}" for one in took) + " s", limit


def pages(client: Client) -> Iterator[Row]:
    """The GraphQL behind a partition page and the lineage page."""
    for asset in ("raw_s2", "prepared_bti", "fused"):
        took, _ = timed(partial(client.ask, PAGE, k={"path": [asset]}))
        yield f"partition page of {asset} (GraphQL)", f"{took:.2f} s", "< 2 s"
    took, _ = timed(lambda: client.ask(LINEAGE))
    yield "lineage page, all assets (GraphQL)", f"{took:.2f} s", "< 2 s"


def backfill(client: Client) -> Iterator[Row]:
    """100 new site-seasons asked for as the lineage page does; what their runs would cost is another question."""
    keys = [f"site{number:03d}_2008" for number in range(100)]
    client.add_partitions(keys)
    began = time.monotonic()
    asked = client.backfill(client.assets(), keys)
    yield "backfill of 100 new site-seasons: asked for", f"{time.monotonic() - began:.1f} s", ""
    for runs, what in ((1, "its first run is queued"), (100, "100 runs are queued")):
        while sum(client.state(asked).runs.values()) < runs:
            if time.monotonic() - began > 120:
                yield what, "not within 120 s", ""
                return
            time.sleep(0.5)
        yield what, f"{time.monotonic() - began:.0f} s", ""


def connections(url: str) -> Iterator[Row]:
    """PostgreSQL's, of code server, webserver and daemon."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        yield "connections at rest", f"{cursor.fetchall()[0][0]}", "< 50"


def served(folder: Path, url: str | None) -> Iterator[Row]:
    """What is asked of running services: webserver, code server and daemon."""
    services = Services(folder, settings=dagster_settings(url))
    try:
        client = services.start_all()
        yield from pages(client)
        if url:
            time.sleep(30)
            yield from connections(url)
        yield from ticks(client, "< 2 s" if url else "< 1 s")
        yield from backfill(client)
    finally:
        services.stop()


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own; its address, which Dagster's settings name too."""
    server = Postgres(ThisMachine(), folder.absolute() / "postgres", 8190)
    server.start()
    os.environ["SATFUSION_POSTGRES_URL"] = server.url
    try:
        yield server.url
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sites", type=int, nargs="?", default=151)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--filled", action="store_true")
    chosen = parser.parse_args()
    with database(chosen.folder) if chosen.postgres else nullcontext() as url:
        rows = measure(chosen.folder, chosen.sites, url, chosen.filled)
        for what, value, limit in rows if chosen.filled else chain(rows, served(chosen.folder, url)):
            sys.stdout.write(f"| {what} | {value} | {limit} |\n")


if __name__ == "__main__":
    main()
