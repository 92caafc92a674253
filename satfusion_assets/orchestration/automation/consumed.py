"""What a partition was last made from, held against what there is now.

Dagster's own conditions see changes pass by: what changed between two looks. A change that arrives in the same look as
the end of a run counts as handled, whether the run saw it or not. Here nothing passes by: the data versions that the
latest materialisation consumed are compared with those that its inputs have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import dagster as dg
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.asset_graph_view.entity_subset import EntitySubset

from satfusion_assets.pipeline.partitions import product_of, site_season_named

MADE_FROM: Final = "made_from"
"""Metadata of a materialisation: reference of each product that was read -> its data version."""
_MADE: Final = dg.DagsterEventType.ASSET_MATERIALIZATION
DATA_VERSION_TAG: Final = "dagster/data_version"
"""Dagster's documented tag of a materialisation with its data version."""
_AT_ONCE: Final = 500
"""Events asked for in one query."""

Key = str | None
"""A partition; None where an asset has none."""


@dataclass(frozen=True)
class Made:
    """The latest materialisation of a partition. event: its place in the event log. made_from: what it says that it
    read; None when it does not say."""

    event: int
    version: str
    made_from: Mapping[str, str] | None


class Ledger:
    """The latest materialisations as they stand in one evaluation, each read once."""

    def __init__(self, view: AssetGraphView) -> None:
        self._view = view
        self._made: dict[dg.AssetKey, dict[Key, Made | None]] = {}
        self._events: dict[dg.AssetKey, list[tuple[Key, str, int]]] = {}
        self._youngest: dict[dg.AssetKey, dict[str, int]] = {}

    def made(self, asset: dg.AssetKey, keys: Collection[Key]) -> Mapping[Key, Made]:
        """The latest materialisation of those of ``keys`` that have one."""
        known = self._made.setdefault(asset, {})
        unknown = {key for key in keys if key not in known}
        known |= dict.fromkeys(unknown)
        known |= {record.partition_key: _made(record) for record in self._latest(asset, unknown)}
        return {key: made for key in keys if (made := known[key]) is not None}

    def events(self, asset: dg.AssetKey) -> list[tuple[Key, str, int]]:
        """Every partition, its site-season and the place in the event log of its latest materialisation."""
        if asset not in self._events:
            if self._view.asset_graph.get(asset).partitions_def is None:
                found: list[tuple[Key, int]] = [(key, made.event) for key, made in self.made(asset, [None]).items()]
            else:
                found = [*self._view.instance.get_latest_storage_id_by_partition(asset, _MADE).items()]
            self._events[asset] = [(key, site_season_named(key), event) for key, event in found]
        return self._events[asset]

    def youngest(self, asset: dg.AssetKey) -> Mapping[str, int]:
        """Place in the event log of the latest materialisation in each site-season, and under "" in any."""
        if asset not in self._youngest:
            latest: dict[str, int] = {}
            for _, season, event in self.events(asset):
                if event > latest.get(season, 0):
                    latest[season] = event
            self._youngest[asset] = latest | {"": max(latest.values(), default=0)}
        return self._youngest[asset]

    def version_at(self, asset: dg.AssetKey, key: Key, event: int) -> str | None:
        """The data version that a partition had when ``event`` was logged; None when it was not there."""
        filtered = dg.AssetRecordsFilter(asset, [key] if key is not None else None, before_storage_id=event)
        records = self._view.instance.fetch_materializations(filtered, limit=1).records
        return _made(records[0]).version if records else None

    def _latest(self, asset: dg.AssetKey, keys: Collection[Key]) -> Iterator[dg.EventLogRecord]:
        instance = self._view.instance
        if None in keys:
            yield from instance.fetch_materializations(asset, limit=1).records
        partitions = sorted(key for key in keys if key is not None)
        for first in range(0, len(partitions), _AT_ONCE):
            wanted = set(partitions[first : first + _AT_ONCE])
            newest = list(instance.get_latest_storage_id_by_partition(asset, _MADE, wanted).values())
            if newest:
                filtered = dg.AssetRecordsFilter(asset, storage_ids=newest)
                yield from instance.fetch_materializations(filtered, limit=len(newest)).records


def _made(record: dg.EventLogRecord) -> Made:
    materialization = record.asset_materialization
    version = (materialization.tags or {}).get(DATA_VERSION_TAG) if materialization is not None else None
    said = materialization.metadata.get(MADE_FROM) if materialization is not None else None
    made_from = said.value if isinstance(said, dg.JsonMetadataValue) and isinstance(said.value, dict) else None
    return Made(record.storage_id, version if version is not None else str(record.storage_id), made_from)


@dataclass
class Evaluation:
    """What the conditions of one evaluation tell one another; parents are evaluated before their children.

    moving: by asset, what waits to be made and can be. unsettled: that, what is being made, and all below either.
    """

    ledger: Ledger
    moving: dict[dg.AssetKey, EntitySubset[dg.AssetKey]] = field(default_factory=dict)
    unsettled: dict[dg.AssetKey, EntitySubset[dg.AssetKey]] = field(default_factory=dict)

    @classmethod
    def of(cls, view: AssetGraphView) -> Evaluation:
        """That of ``view``, which is made anew for every evaluation and takes this along when it goes."""
        found: Evaluation = vars(view).setdefault("_satfusion_evaluation", None) or cls(Ledger(view))
        vars(view)["_satfusion_evaluation"] = found
        return found


def behind(view: AssetGraphView, asset: dg.AssetKey, keys: Collection[Key]) -> dict[Key, str]:
    """Those of ``keys`` that were made from other versions than there are now, or never; with a digest of the inputs'
    present versions."""
    found = {}
    book, graph = Evaluation.of(view).ledger, view.asset_graph
    parents = {key: _parents(view, asset, key) for key in keys}
    wanted: dict[dg.AssetKey, set[Key]] = {}
    for places in parents.values():
        for parent, keys_of_parent in places.items():
            wanted.setdefault(parent, set()).update(keys_of_parent)
    current = {parent: book.made(parent, keys_of_parent) for parent, keys_of_parent in wanted.items()}
    own = book.made(asset, keys)
    for key in keys:
        inputs = {
            (parent, parent_key): made
            for parent, keys_of_parent in parents[key].items()
            for parent_key in keys_of_parent
            if (made := current[parent].get(parent_key)) is not None
        }
        scope = product_of(asset.path[-1], key, graph.get(asset).partitions_def).scope
        if (made := own.get(key)) is None:
            differs = True
        elif made.made_from is not None:
            differs = any(
                made.made_from.get(
                    product_of(parent.path[-1], parent_key, graph.get(parent).partitions_def).reference(scope)
                )
                != now.version
                for (parent, parent_key), now in inputs.items()
            )
        else:
            differs = any(
                now.event > made.event and book.version_at(parent, parent_key, made.event) != now.version
                for (parent, parent_key), now in inputs.items()
            )
        if differs:
            found[key] = _digest(inputs)
    return found


def perhaps_behind(view: AssetGraphView, asset: dg.AssetKey) -> set[Key]:
    """Partitions with an input in their site-season (a table: in any) that is younger than they are."""
    book = Evaluation.of(view).ledger
    inputs = [book.youngest(parent) for parent in view.asset_graph.get(asset).parent_keys]
    youngest = {season: max(one.get(season, 0) for one in inputs) for season in set().union(*inputs)}
    older = {key for key, season, event in book.events(asset) if event < youngest.get(season, 0)}
    return older.intersection(keys_of(view.get_full_subset(key=asset))) if older else older


def keys_of(subset: EntitySubset[dg.AssetKey]) -> list[Key]:
    """The partitions of a subset; of an asset without partitions None, when it is in."""
    if subset.is_partitioned:
        return [*sorted(subset.expensively_compute_partition_keys())]
    return [] if subset.is_empty else [None]


def subset_of(view: AssetGraphView, asset: dg.AssetKey, keys: Collection[Key]) -> EntitySubset[dg.AssetKey]:
    """The subset with ``keys``."""
    grid = view.asset_graph.get(asset).partitions_def
    if grid is None:
        return view.get_full_subset(key=asset) if keys else view.get_empty_subset(key=asset)
    return view.get_subset_from_partition_keys(asset, grid, {key for key in keys if key is not None})


def _parents(view: AssetGraphView, asset: dg.AssetKey, key: Key) -> dict[dg.AssetKey, list[Key]]:
    """The partitions that one partition is made from, by asset."""
    one = subset_of(view, asset, [key])
    return {
        parent: keys_of(view.compute_parent_subset(parent, one)) for parent in view.asset_graph.get(asset).parent_keys
    }


def _digest(inputs: Mapping[tuple[dg.AssetKey, Key], Made]) -> str:
    versions = sorted([parent.to_user_string(), key or "", made.version] for (parent, key), made in inputs.items())
    return hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:12]
