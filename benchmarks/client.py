"""An outside client of the running platform: backfills launched and followed through GraphQL alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from satfusion_assets.pipeline.registry import REGISTRY

FINAL: Final = ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED", "FAILED", "CANCELED")
EXPECTED: Final = {name: len(REGISTRY[name].grid.variants) for name in REGISTRY.names}
"""Partitions of each asset in one site-season."""


@dataclass(frozen=True)
class Finished:
    """How a backfill ended. targeted, made: partitions of each asset; runs: status -> count."""

    status: str
    wall_s: float
    targeted: dict[str, int]
    made: dict[str, int]
    runs: dict[str, int]

    def complaint(self, site_seasons: int = 1) -> str:
        """What is wrong with it, '' = nothing: a final state alone says little, for what was never targeted is not
        missed."""
        expected = {asset: EXPECTED[asset] * site_seasons for asset in self.targeted}
        if self.status != "COMPLETED_SUCCESS":
            return f"It ended {self.status}; runs {self.runs}, made {self.made}."
        if self.targeted != expected:
            return f"It targeted {self.targeted}, not {expected}."
        return "" if self.made == expected else f"It made {self.made}, not {expected}."


class Client:
    """GraphQL of the webserver at ``url``."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)

    def ask(self, query: str, **variables: Any) -> Any:
        """Answer of one query; RuntimeError when it is an error."""
        answer = self._http.post("/graphql", json={"query": query, "variables": variables}).json()
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:2000])
        return answer["data"]

    def assets(self) -> list[str]:
        """Names of all partitioned assets."""
        nodes = self.ask("{assetNodes{assetKey{path} isPartitioned isMaterializable}}")["assetNodes"]
        return sorted(node["assetKey"]["path"][-1] for node in nodes if node["isPartitioned"])

    def add_partitions(self, keys: Iterable[str], location: str = "satfusion") -> None:
        """Site-season keys, as the UI's dialog adds them."""
        for key in keys:
            self.ask(
                "mutation($s:RepositorySelector!,$k:String!){addDynamicPartition(repositorySelector:$s,"
                'partitionsDefName:"site_season",partitionKey:$k){__typename}}',
                s={"repositoryLocationName": location, "repositoryName": "__repository__"},
                k=key,
            )

    def backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Launch what the lineage page's "Materialize all" launches; returns the backfill's id."""
        return self._launch({"assetSelection": [{"path": [name]} for name in assets], "partitionNames": partitions})

    def backfill_of(self, partitions: Mapping[str, Sequence[str]]) -> str:
        """Launch some partitions of each asset; returns the backfill's id."""
        chosen = [
            {
                "assetKey": {"path": [asset]},
                "partitions": {"ranges": [{"start": key, "end": key} for key in keys]},
            }
            for asset, keys in partitions.items()
        ]
        return self._launch({"partitionsByAssets": chosen})

    def _launch(self, parameters: dict[str, Any]) -> str:
        answer = self.ask(
            "mutation($p:LaunchBackfillParams!){launchPartitionBackfill(backfillParams:$p){__typename "
            "... on LaunchBackfillSuccess{backfillId} ... on PythonError{message}}}",
            p=parameters,
        )["launchPartitionBackfill"]
        if "backfillId" not in answer:
            raise RuntimeError(str(answer))
        return str(answer["backfillId"])

    def state(self, backfill: str) -> Finished:
        """Where a backfill stands."""
        found = self.ask(
            "query($id:String!){partitionBackfillOrError(backfillId:$id){... on PartitionBackfill{status timestamp "
            "endTimestamp assetBackfillData{assetBackfillStatuses{... on AssetPartitionsStatusCounts{"
            "assetKey{path} numPartitionsTargeted numPartitionsMaterialized}}}}}"
            'runsOrError(filter:{tags:[{key:"dagster/backfill",value:$id}]}){... on Runs{results{status}}}}',
            id=backfill,
        )
        record = found["partitionBackfillOrError"]
        if "status" not in record:
            raise RuntimeError(f"The UI does not know how backfill {backfill} stands; its database may not answer.")
        assets = (record["assetBackfillData"] or {"assetBackfillStatuses": []})["assetBackfillStatuses"]
        rows = {row["assetKey"]["path"][-1]: row for row in assets}
        statuses = [run["status"] for run in found["runsOrError"]["results"]]
        return Finished(
            status=record["status"],
            wall_s=(record["endTimestamp"] or time.time()) - record["timestamp"],
            targeted={name: row["numPartitionsTargeted"] for name, row in sorted(rows.items())},
            made={name: row["numPartitionsMaterialized"] for name, row in sorted(rows.items())},
            runs={status: statuses.count(status) for status in sorted(set(statuses))},
        )

    def wait(self, backfill: str, seconds: float = 3600) -> Finished:
        """The end of a backfill; TimeoutError says where it stood."""
        end = time.monotonic() + seconds
        while True:
            try:
                state = self.state(backfill)
            except (httpx.HTTPError, RuntimeError):  # the webserver or its database is being restarted
                state = None
            if state is not None and state.status in FINAL:
                return state
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:.0f} s: {state}")
            time.sleep(1)


def main() -> None:
    """``python -m benchmarks.client URL SITE_SEASON...``: backfill from raw to evaluation, and judge the result."""
    import sys

    url, *keys = sys.argv[1:]
    client = Client(url)
    client.add_partitions(keys)
    finished = client.wait(client.backfill(client.assets(), keys))
    sys.stdout.write(f"{finished}\n")
    if complaint := finished.complaint(len(keys)):
        sys.exit(complaint)


if __name__ == "__main__":
    main()
