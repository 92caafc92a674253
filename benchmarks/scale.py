"""151 sites, 8 seasons, 8 scenarios: what thousands of partitions cost where people and sensors look.

``python -m benchmarks.scale FOLDER`` writes docs/scale.md. Materialisations are written to the instance in bulk;
products are not made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parents[1]
SITES, SEASONS = 151, 8
PAGE: Final = """query($k:AssetKeyInput!){assetNodeOrError(assetKey:$k){... on AssetNode{id
 assetPartitionStatuses{... on MultiPartitionStatuses{primaryDimensionName
 ranges{primaryDimStartKey primaryDimEndKey secondaryDim{... on DefaultPartitionStatuses{materializedPartitions}}}}
 ... on DefaultPartitionStatuses{materializedPartitions failedPartitions}}
 partitionKeysByDimension{name partitionKeys}}}}"""
LINEAGE: Final = """{assetNodes{id assetKey{path} partitionStats{numMaterialized numFailed numPartitions
 numMaterializing} assetMaterializations(limit:1){timestamp runId} staleStatus}}"""


def register(folder: Path) -> list[str]:
    """Write sites.geojson and dagster home; returns the site-season keys."""
    (folder / "data").mkdir(parents=True)
    (folder / "home").mkdir()
    (folder / "home" / "dagster.yaml").write_text((ROOT / "dagster_home" / "dagster.yaml").read_text())
    last = datetime.now(UTC).year
    years = range(last - SEASONS + 1, last + 1)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-120 + number * 1.5, 35 + number % 20]},
            "properties": {"sitename": f"site{number:03d}", "seasons": {str(year): {} for year in years}},
        }
        for number in range(SITES)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "data" / "sites.geojson").write_text(text)
    return [f"site{number:03d}_{year}" for number in range(SITES) for year in years]


def fill(instance: Any, graph: Any) -> int:
    """Record a materialisation of every partition of every asset; returns how many."""
    import dagster as dg
    from dagster._core.events import DagsterEvent, StepMaterializationData
    from dagster._core.events.log import EventLogEntry

    storage, count = instance.event_log_storage, 0
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        for key in graph.toposorted_asset_keys:
            grid = graph.get(key).partitions_def
            names = grid.get_partition_keys() if grid is not None else [None]
            entries = []
            for name in names[:-1]:
                made = dg.AssetMaterialization(key, partition=name, tags={"dagster/data_version": "1"})
                entries.append(
                    EventLogEntry(  # type: ignore[no-untyped-call]
                        error_info=None,
                        level=20,
                        user_message="",
                        run_id="",
                        timestamp=time.time(),
                        dagster_event=DagsterEvent(
                            "ASSET_MATERIALIZATION", "", event_specific_data=StepMaterializationData(made)
                        ),
                    )
                )
            with storage.index_connection() as connection:
                for entry in entries:
                    connection.execute(storage.prepare_insert_event(entry))
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


def measure(folder: Path) -> list[tuple[str, str, str]]:
    """Rows (what, measured, asked for)."""
    keys = register(folder)
    os.environ["DAGSTER_HOME"] = str((folder / "home").resolve())
    os.environ["SATFUSION_DATA_ROOT"] = str((folder / "data").resolve())
    rows = []
    loading = [sys.executable, "-c", "import satfusion_assets.definitions as d; d.defs.get_repository_def()"]
    rows.append(("code location loads", f"{timed(lambda: subprocess.run(loading, check=True))[0]:.2f} s", "< 5 s"))

    import dagster as dg

    from satfusion_assets.definitions import defs
    from satfusion_assets.orchestration.automation import SENSORS
    from satfusion_assets.pipeline.partitions import SITE_SEASON
    from satfusion_assets.pipeline.platform import Platform

    with dg.DagsterInstance.get() as instance:
        sites_file = SENSORS[0]

        def context() -> dg.SensorEvaluationContext:
            return dg.build_sensor_context(instance, resources={"platform": Platform()})

        took, _ = timed(lambda: sites_file(context()), 1)
        rows.append(("sites_file, 1 208 new partitions", f"{took:.2f} s", "< 1 s"))
        took, _ = timed(lambda: instance.add_dynamic_partitions(SITE_SEASON, keys), 1)
        rows.append(("adding 1 208 partitions", f"{took:.2f} s", ""))
        graph = defs.resolve_asset_graph()
        took, count = timed(lambda: fill(instance, graph), 1)
        rows.append((f"writing {count} materialisations in bulk", f"{took:.0f} s", ""))
        took, _ = timed(lambda: sites_file(context()))
        rows.append(("sites_file, nothing new", f"{took:.2f} s", "< 1 s"))
        rows += automation(defs, instance)
    return rows


def automation(defs: Any, instance: Any) -> list[tuple[str, str, str]]:
    import dagster as dg

    memory, cursor, rows = [], None, []
    for number in range(6):
        start = time.perf_counter()
        result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
        took, cursor = time.perf_counter() - start, result.cursor
        memory.append(psutil.Process().memory_info().rss / 1e6)
        rows.append((f"carry_downstream, tick {number + 1}", f"{took:.2f} s", "< 1 s" if number else ""))
    rows.append(("memory after each tick", " ".join(f"{one:.0f}" for one in memory) + " MB", "flat"))
    return rows


def pages(folder: Path) -> list[tuple[str, str, str]]:
    """The GraphQL behind a partition page and the lineage page, against a running webserver and code server."""
    from benchmarks.operation import Services

    services = Services(folder, hollow=False)
    try:
        client = services.start_all()
        rows = []
        for asset in ("raw_s2", "prepared_bti", "fused"):
            took, _ = timed(partial(client.ask, PAGE, k={"path": [asset]}))
            rows.append((f"partition page of {asset} (GraphQL)", f"{took:.2f} s", "< 2 s"))
        took, _ = timed(lambda: client.ask(LINEAGE))
        rows.append(("lineage page, all assets (GraphQL)", f"{took:.2f} s", "< 2 s"))
        return rows
    finally:
        services.stop()


def main() -> None:
    folder = Path(sys.argv[1])
    rows = measure(folder)
    rows += pages(folder)
    table = "\n".join(f"| {what} | {value} | {limit} |" for what, value, limit in rows)
    (ROOT / "docs" / "scale.md").write_text(
        "# Thousands of partitions\n\n"
        f"{SITES} sites, {SEASONS} seasons, 8 scenarios: {SITES * SEASONS * 8} fused partitions, every one "
        "materialised. Written by `python -m benchmarks.scale FOLDER`.\n\n"
        f"| what | measured | asked for |\n|---|---|---|\n{table}\n",
        "utf-8",
    )
    sys.stdout.write(table + "\n")


if __name__ == "__main__":
    main()
