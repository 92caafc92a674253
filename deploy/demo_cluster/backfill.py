"""What is asked of the cluster, through GraphQL as the UI does, and who did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.client import Client
from satfusion_assets.orchestration.cluster.queue import HOST_TAG
from satfusion_assets.pipeline.partitions import partition_key
from satfusion_assets.pipeline.records import STAGES, Grid, Stage
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

_RUNS: Final = (
    'query($id:String!){runsOrError(filter:{tags:[{key:"dagster/backfill",value:$id}]},limit:1000){... on Runs{results{'
    "runId status creationTime startTime endTime assetSelection{path} tags{key value}}}}}"
)


@dataclass(frozen=True)
class RunDone:
    """One run of a backfill.

    host: that executed it, '' = none yet. attempt: 0 for the first, then 1, 2 ... asked, began, ended: seconds since
    1970.
    """

    run_id: str
    status: str
    partition: str
    assets: tuple[str, ...]
    host: str
    attempt: int
    asked: float = 0.0
    began: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it has not ended."""
        return self.ended - self.began if self.began and self.ended else None


def ask_for(
    client: Client,
    seasons: Sequence[SiteSeason],
    scenarios: Sequence[Scenario],
    start: Stage = Stage.RAW,
    until: Stage = Stage.METRICS,
) -> str:
    """One backfill of ``seasons`` from stage ``start`` to ``until``, of ``scenarios`` alone; its id."""
    wanted = STAGES[STAGES.index(start) : STAGES.index(until) + 1]
    client.add_partitions([season.key for season in seasons])
    records = [REGISTRY[name] for name in REGISTRY.names]
    return client.backfill_of(
        {
            record.name: [key for season in seasons for key in _keys(record.grid, season, scenarios)]
            for record in records
            if record.stage in wanted and record.grid is not Grid.ALL and not record.on_demand
        }
    )


def runs_of(client: Client, backfill: str) -> list[RunDone]:
    """The runs of a backfill so far, those that were made again among them."""
    found = client.ask(_RUNS, id=backfill)["runsOrError"]["results"]
    return [_run(row) for row in reversed(found)]


def _keys(grid: Grid, season: SiteSeason, scenarios: Sequence[Scenario]) -> list[str]:
    variants = grid.variants
    if grid is Grid.SCENARIO:
        variants = tuple(scenario.key for scenario in scenarios)
    elif grid is Grid.STRATEGY:
        variants = tuple(sorted({str(scenario.strategy) for scenario in scenarios}))
    keys = [partition_key(grid, season, variant) for variant in variants]
    return [key for key in keys if key is not None]


def _run(row: Any) -> RunDone:
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    return RunDone(
        run_id=row["runId"],
        status=row["status"],
        partition=tags.get("dagster/partition", ""),
        assets=tuple(key["path"][-1] for key in row["assetSelection"] or ()),
        host=tags.get(HOST_TAG, ""),
        attempt=int(tags.get("dagster/retry_number", 0)),
        asked=row["creationTime"],
        began=row["startTime"],
        ended=row["endTime"],
    )
