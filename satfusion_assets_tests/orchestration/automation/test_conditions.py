"""A raw update reaches everything downstream of its partition, nothing else, and once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from satfusion_assets.definitions import defs
from satfusion_assets.pipeline.partitions import SITE_SEASON, product_of, scenario_key, strategy_key
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

HERE, THERE = SiteSeason("innsbruck", 2024), SiteSeason("forthgr", 2024)
RAW = ("raw_s2", "raw_s3", "raw_phenocam")
GRAPH = defs.resolve_asset_graph()
DERIVED = sorted(key.to_user_string() for key in GRAPH.materializable_asset_keys if GRAPH.get(key).parent_keys)
OF_EACH_GRID = ("camera_phenology", "prepared_itb", "processed", "metrics", "score_table")
"""One asset of each grid and of each way from one grid to another: all others follow by the same conditions."""
OFTEN_LATER = [("raw_s3", 1), ("raw_phenocam", 2), ("prepared_bti", 2)]
LIMIT = 40
"""Ticks after which a cascade must have come to rest."""


def keys_of(asset: str, site_season: SiteSeason) -> list[str | None]:
    """All partitions of ``asset`` in one site-season; a table of all site-seasons has none (None)."""
    names = GRAPH.get(dg.AssetKey(asset)).partitions_def
    if names is None:
        return [None]
    dimensions = names.partition_dimension_names if isinstance(names, dg.MultiPartitionsDefinition) else []
    if "strategy" in dimensions:
        return [strategy_key(site_season, strategy) for strategy in Strategy]
    if "scenario" in dimensions:
        return [scenario_key(site_season, scenario) for scenario in SCENARIOS]
    return [site_season.key]


class Stage:
    """An instance on which runs are played: what automation requests is materialised before the next tick."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.version = 0
        self.versions: dict[tuple[str, str | None], str] = {}
        self.read: dict[tuple[str, str | None], Mapping[str, str]] = {}
        self._cursor = None

    def copied_to(self, instance: dg.DagsterInstance) -> Stage:
        """The same on an instance with the same events."""
        stage = Stage(instance)
        stage.version, stage._cursor = self.version, self._cursor
        stage.versions, stage.read = dict(self.versions), dict(self.read)
        return stage

    def materialise(
        self,
        asset: str,
        key: str | None,
        version: str | None = None,
        passed: bool = True,
        made_from: Mapping[str, str] | None = None,
    ) -> None:
        """Record a materialisation of one partition (a new data version unless one is given) and failed checks.

        made_from: what it says that it read; None = it does not say.
        """
        self.version += 1
        self.versions[asset, key] = version or str(self.version)
        self.read[asset, key] = made_from if made_from is not None else self.consumed(asset, key)
        tags = {"dagster/data_version": self.versions[asset, key]}
        metadata = {} if made_from is None else {"made_from": dg.MetadataValue.json(dict(made_from))}
        event = dg.AssetMaterialization(asset, partition=key, tags=tags, metadata=metadata)
        self.instance.report_runless_asset_event(event)
        if not passed and key is not None:
            self._fail_checks(dg.AssetKey(asset), key)

    def _fail_checks(self, asset: dg.AssetKey, key: str) -> None:
        filtered = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[key])
        record = self.instance.fetch_materializations(filtered, limit=1).records[0]
        target = AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for check in (one for one in GRAPH.get_check_keys_for_assets({asset}) if GRAPH.get(one).partitions_def):
            self.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    check.asset_key, check.name, False, {}, partition=key, target_materialization_data=target
                )
            )

    def inputs_of(self, asset: str, key: str | None) -> list[tuple[str, str | None]]:
        """The partitions that one partition is made from, as far as they exist."""
        places = []
        for parent in sorted(GRAPH.get(dg.AssetKey(asset)).parent_keys):
            if key is None:
                of = [place for place in self.versions if place[0] == parent.to_user_string()]
            else:
                with dg.partition_loading_context(dynamic_partitions_store=self.instance):
                    found = GRAPH.get_parents_partitions(dg.AssetKey(asset), key).parent_partitions
                of = [(parent.to_user_string(), item.partition_key) for item in found if item.asset_key == parent]
            places += [place for place in of if place in self.versions]
        return places

    def consumed(self, asset: str, key: str | None) -> dict[str, str]:
        """What a run that starts now reads, as a manifest names it."""
        scope = product_of(asset, key, GRAPH.get(dg.AssetKey(asset)).partitions_def).scope
        return {
            product_of(*place, GRAPH.get(dg.AssetKey(place[0])).partitions_def).reference(scope): self.versions[place]
            for place in self.inputs_of(asset, key)
        }

    def outdated(self, site_season: SiteSeason) -> set[tuple[str, str | None]]:
        """What was made from other versions than there are now."""
        places = [(asset, key) for asset in DERIVED for key in keys_of(asset, site_season)]
        return {place for place in places if self.read[place] != self.consumed(*place)}

    def answer(self, requested: set[tuple[str, str | None]]) -> None:
        """Materialise what a tick requested, as runs do: inputs first."""
        for key in GRAPH.toposorted_asset_keys:
            for asset, partition in sorted(requested, key=str):
                if asset == key.to_user_string():
                    self.materialise(asset, partition)

    def everything(self, *site_seasons: SiteSeason) -> None:
        for key in GRAPH.toposorted_asset_keys:
            asset = key.to_user_string()
            for site_season in site_seasons:
                for partition in keys_of(asset, site_season):
                    self.materialise(asset, partition)

    def tick(self) -> set[tuple[str, str | None]]:
        """What one evaluation requests, as (asset, partition)."""
        partitions = self.instance.get_dynamic_partitions(SITE_SEASON)
        with pytest.MonkeyPatch.context() as patch:  # an evaluation asks for them a thousand times
            patch.setattr(self.instance, "get_dynamic_partitions", lambda partitions_def_name: partitions)
            result = dg.evaluate_automation_conditions(defs, self.instance, cursor=self._cursor)
        self._cursor = result.cursor  # type: ignore[assignment]
        return {(asset, key) for asset in DERIVED for key in result.get_requested_partitions(dg.AssetKey(asset))}

    def settle(
        self, outcome: Callable[[str, str | None], str | None] = lambda asset, key: None
    ) -> Counter[tuple[str, str | None]]:
        """Tick and materialise until nothing is requested any more; how often each partition was made."""
        made: Counter[tuple[str, str | None]] = Counter()
        quiet = 0
        for _ in range(LIMIT):
            requested = self.tick()
            for key in GRAPH.toposorted_asset_keys:
                for asset, partition in sorted(requested, key=str):
                    if asset == key.to_user_string():
                        self.materialise(asset, partition, outcome(asset, partition))
            made.update(requested)
            quiet = 0 if requested else quiet + 1
            if quiet == 2:
                return made
        raise AssertionError(f"no rest after {LIMIT} ticks: {made.most_common(5)}")


@contextmanager
def new_stage() -> Iterator[Stage]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [HERE.key, THERE.key])
        yield Stage(instance)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with new_stage() as stage:
        yield stage


@pytest.fixture(scope="module")
def at_rest() -> Iterator[Stage]:
    with new_stage() as stage:
        stage.everything(HERE, THERE)
        assert not stage.settle()
        yield stage


@pytest.fixture
def settled(at_rest: Stage) -> Iterator[Stage]:
    """Both site-seasons complete, automation on and at rest: a copy of what was made once."""
    with dg.DagsterInstance.ephemeral() as instance:
        _events_of(at_rest.instance).backup(_events_of(instance))
        yield at_rest.copied_to(instance)


def _events_of(instance: dg.DagsterInstance) -> sqlite3.Connection:
    """The database that holds an ephemeral instance's events and partitions."""
    return instance.event_log_storage._held_conn.connection.dbapi_connection  # type: ignore[attr-defined]


def named(asset: str, key: str | None) -> tuple[str, str | None]:
    return asset, key if key is None else str(key)


def downstream(asset: str, *beside: str) -> set[tuple[str, str | None]]:
    """Every partition of HERE that descends from ``asset``, without those of the assets ``beside``."""
    selected = dg.AssetSelection.assets(asset).downstream(include_self=False).resolve(GRAPH)
    names = {key.to_user_string() for key in selected} - set(beside)
    return {named(name, key) for name in names for key in keys_of(name, HERE)}


def test_switching_automation_on_starts_nothing(stage: Stage) -> None:
    stage.everything(HERE)
    assert not stage.settle()


@pytest.mark.parametrize("raw", [pytest.param(raw, marks=pytest.mark.slow if raw == "raw_s3" else ()) for raw in RAW])
def test_a_raw_update_remakes_all_that_descends_from_its_partition_once(settled: Stage, raw: str) -> None:
    settled.materialise(raw, HERE.key)
    assert settled.settle() == Counter(dict.fromkeys(downstream(raw), 1))


def test_raw_updates_at_the_same_time_remake_everything_once(settled: Stage) -> None:
    for raw in RAW:
        settled.materialise(raw, HERE.key)
    expected = set().union(*(downstream(raw) for raw in RAW))
    assert settled.settle() == Counter(dict.fromkeys(expected, 1))


def test_a_camera_update_while_scenes_are_on_their_way_waits_for_them(settled: Stage) -> None:
    settled.materialise("raw_s2", HERE.key)
    first = settled.tick()
    settled.materialise("raw_phenocam", HERE.key)
    for asset, key in first:
        settled.materialise(asset, key)
    made = settled.settle() + Counter(first)
    assert max(made.values()) == 1
    assert set(made) == downstream("raw_s2") | downstream("raw_phenocam")


def test_a_run_that_found_nothing_new_moves_nothing(stage: Stage) -> None:
    stage.everything(HERE)
    stage.materialise("raw_s2", HERE.key, "same")
    stage.settle()
    stage.materialise("raw_s2", HERE.key, "same")
    assert not stage.settle()


def test_products_that_come_out_the_same_end_the_cascade(settled: Stage) -> None:
    kept = {
        (asset, str(key)): f"{asset}{key}" for asset in ("prepared_bti", "prepared_itb") for key in keys_of(asset, HERE)
    }
    for (asset, key), version in kept.items():
        settled.materialise(asset, key, version)
    settled.settle()
    settled.materialise("raw_s3", HERE.key)
    made = settled.settle(lambda asset, key: kept.get((asset, str(key))))
    assert {asset for asset, _ in made} & {"fused", "processed", "scenario_metrics"} == set()


def test_a_failed_blocking_check_holds_everything_downstream_of_its_partition_back(settled: Stage) -> None:
    settled.materialise("raw_s2", HERE.key, passed=False)
    assert not settled.settle()
    settled.materialise("raw_s2", THERE.key)
    made = settled.settle()
    assert made
    assert all(key is None or THERE.key in key for _, key in made)


def test_a_new_site_season_is_made_whole_as_soon_as_its_raw_products_are_there(settled: Stage) -> None:
    new = SiteSeason("vindeln2", 2024)
    settled.instance.add_dynamic_partitions(SITE_SEASON, [new.key])
    assert not settled.settle(), "nothing to be made from yet"
    for raw in RAW:
        settled.materialise(raw, new.key)
    made = settled.settle()
    assert set(made) == {named(asset, key) for asset in DERIVED for key in keys_of(asset, new)}
    assert max(made.values()) == 1


@pytest.mark.parametrize(("source", "table"), [("metrics", "score_table"), ("gap_benchmark", "gap_table")])
def test_a_changed_season_remakes_the_table_once_although_others_are_missing(
    settled: Stage, source: str, table: str
) -> None:
    settled.instance.add_dynamic_partitions(SITE_SEASON, ["vindeln2_2024"])
    assert not settled.settle()
    settled.materialise(source, HERE.key)
    settled.materialise(source, THERE.key)
    assert settled.settle() == {(table, None): 1}


def test_a_table_is_made_as_soon_as_there_is_something_to_gather(stage: Stage) -> None:
    assert not stage.settle(), "no site-season has anything"
    stage.materialise("metrics", HERE.key)
    assert stage.settle()["score_table", None] == 1


@pytest.mark.parametrize(
    ("later", "ticks"),
    [
        pytest.param(asset, ticks, marks=() if (asset, ticks) in OFTEN_LATER else pytest.mark.slow)
        for asset in (*RAW, *DERIVED)
        if GRAPH.get(dg.AssetKey(asset)).child_keys
        for ticks in ((1, 2, 3, 4) if asset == "raw_s3" else (2,))
    ],
)
def test_no_change_is_lost_whenever_it_comes(settled: Stage, later: str, ticks: int) -> None:
    """``later`` changes between the end of what a tick requested and the next tick, some ticks after raw_s2 did."""
    settled.materialise("raw_s2", HERE.key)
    for _ in range(ticks):
        settled.answer(settled.tick())
    settled.materialise(later, keys_of(later, HERE)[0])
    settled.settle()
    assert settled.outdated(HERE) == set()


@pytest.mark.parametrize(
    "asset", [pytest.param(asset, marks=() if asset in OF_EACH_GRID else pytest.mark.slow) for asset in DERIVED]
)
def test_an_input_that_changes_while_an_asset_is_made_is_not_taken_for_consumed(settled: Stage, asset: str) -> None:
    """The run read the old version and ended after the change: the log's order says nothing, the manifest does."""
    key = keys_of(asset, HERE)[0]
    parent, parent_key = settled.inputs_of(asset, key)[0]
    before = settled.consumed(asset, key)
    settled.materialise(parent, parent_key)
    settled.materialise(asset, key, made_from=before)
    made = settled.settle()
    assert made[named(asset, key)] == 1
    assert settled.outdated(HERE) == set()


def test_what_fails_is_not_asked_for_again_before_its_inputs_change(settled: Stage) -> None:
    settled.materialise("raw_s2", HERE.key)
    assert ("preselected", HERE.key) in settled.tick()
    later = [settled.tick() for _ in range(4)]
    assert not any(("preselected", HERE.key) in requested for requested in later), "its run failed: nothing was made"
    settled.materialise("raw_s2", HERE.key)
    assert ("preselected", HERE.key) in settled.tick()


def test_what_changed_while_automation_was_off_is_carried_on_when_it_is_switched_on(stage: Stage) -> None:
    stage.everything(HERE, THERE)
    stage.materialise("raw_s3", HERE.key)
    made = stage.settle()
    assert set(made) == downstream("raw_s3")
    assert max(made.values()) == 1


def test_the_first_look_reads_the_latest_events_of_each_asset_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does not grow with the number of products that descend from one."""
    stage.everything(HERE)
    asked: Counter[dg.AssetKey] = Counter()
    read = stage.instance.get_latest_storage_id_by_partition

    def counted(asset_key: dg.AssetKey, *arguments: Any) -> Mapping[str, int]:
        if len(arguments) == 1:  # of all partitions
            asked[asset_key] += 1
        return read(asset_key, *arguments)

    monkeypatch.setattr(stage.instance, "get_latest_storage_id_by_partition", counted)
    assert stage.tick() == set()
    assert set(asked.values()) == {1}


def test_the_sensor_is_evaluated_where_the_code_is_and_remembers(stage: Stage) -> None:
    """As the code server does it: the cursor goes through the database as text."""
    sensor = defs.resolve_sensor_def("carry_downstream")
    stage.everything(HERE)
    cursor, requested = None, []
    for version in ("1st", "2nd"):
        for _ in range(2):
            context = dg.build_sensor_context(
                instance=stage.instance,
                cursor=cursor,
                repository_def=defs.get_repository_def(),
                sensor_name=sensor.name,
            )
            data = sensor.evaluate_tick(context)
            cursor = data.cursor
            requested.append([request.partition_key for request in data.run_requests or []])
        stage.materialise("raw_phenocam", HERE.key, version)
    assert requested[:2] == [[], []]
    assert HERE.key in requested[2], "camera_phenology and what is made from it; the scenarios' scores as a backfill"
