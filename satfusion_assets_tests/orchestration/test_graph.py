"""The graph's shape: grids, lineage from metrics back to the raw products of the same site-season, and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.asset_backfill import AssetBackfillData

from satfusion_assets.definitions import defs
from satfusion_assets.pipeline.partitions import SITE_SEASON, scenario_key, strategy_key
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Method, Mode, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

HERE, THERE = SiteSeason("innsbruck", 2024), SiteSeason("forthgr", 2024)


@pytest.fixture(autouse=True)
def two_site_seasons() -> Iterator[None]:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(SITE_SEASON, [HERE.key, THERE.key])
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        yield


def parents(asset: str, key: str) -> set[tuple[str, str]]:
    """(asset, partition) of everything that one partition of ``asset`` is made from."""
    found = defs.resolve_asset_graph().get_parents_partitions(dg.AssetKey(asset), key).parent_partitions
    return {(item.asset_key.to_user_string(), str(item.partition_key)) for item in found}


def test_every_definition_loads() -> None:
    dg.Definitions.validate_loadable(defs)


def test_a_scenario_descends_from_its_own_strategy_and_mode() -> None:
    for scenario in SCENARIOS:
        source = "prepared_itb" if scenario.mode is Mode.ITB else "prepared_bti"
        sources = {source, "prepared_bti"} if scenario.method is Method.KRIGING else {source}
        expected = {(name, str(strategy_key(HERE, scenario.strategy))) for name in sources}
        assert parents("fused", scenario_key(HERE, scenario)) == expected


def test_the_roll_up_gathers_all_scenarios_of_its_site_season() -> None:
    found = parents("metrics", HERE.key)
    scored = {key for asset, key in found if asset == "scenario_metrics"}
    assert scored == {str(scenario_key(HERE, scenario)) for scenario in SCENARIOS}
    assert {key for asset, key in found if asset in ("raw_phenocam", "preselected")} == {HERE.key}


def test_metrics_lead_back_to_each_raw_product_of_the_same_site_season_and_to_no_other() -> None:
    seen, todo = set(), {("metrics", HERE.key)}
    while todo:
        node = todo.pop()
        seen.add(node)
        todo |= parents(*node) - seen
    raw = {node for node in seen if node[0].startswith("raw_")}
    assert raw == {("raw_s2", HERE.key), ("raw_s3", HERE.key), ("raw_phenocam", HERE.key)}
    assert not [node for node in seen if THERE.key in node[1]]


def test_a_change_of_one_raw_product_reaches_every_scenario_of_its_site_season() -> None:
    graph = defs.resolve_asset_graph()
    children = graph.get_children_partitions(dg.AssetKey("raw_s2"), HERE.key)
    prepared = {str(item.partition_key) for item in children if item.asset_key == dg.AssetKey("prepared_bti")}
    assert prepared == {str(strategy_key(HERE, strategy)) for strategy in Strategy}


def targeted(selection: list[str], *names: str) -> set[tuple[str, str]]:
    """(asset, partition) of all that a backfill of ``selection`` makes, ``names`` being the partitions of its roots."""
    graph = defs.resolve_asset_graph()
    store = dg.DagsterInstance.ephemeral()
    store.add_dynamic_partitions(SITE_SEASON, [HERE.key, THERE.key])
    keys = [dg.AssetKey(name) for name in selection]
    backfill = AssetBackfillData.from_asset_partitions(graph, names, keys, store, 0.0, all_partitions=False)
    return {
        (item.asset_key.to_user_string(), str(item.partition_key))
        for item in backfill.target_subset.iterate_asset_partitions()
    }


def descendants(asset: str, *names: str) -> set[tuple[str, str]]:
    """The partitions ``names`` of ``asset`` and all that is made from them, found partition by partition."""
    graph = defs.resolve_asset_graph()
    seen, todo = set(), {AssetKeyPartitionKey(dg.AssetKey(asset), name) for name in names}
    while todo:
        node = todo.pop()
        seen.add(node)
        for child in graph.get(node.asset_key).child_keys:
            if graph.get(child).partitions_def is not None:
                todo |= graph.get_children_partitions(node.asset_key, node.partition_key) - seen
    return {(item.asset_key.to_user_string(), str(item.partition_key)) for item in seen}


def partitioned_assets() -> list[str]:
    graph = defs.resolve_asset_graph()
    keys = [key for key in graph.materializable_asset_keys if graph.get(key).partitions_def is not None]
    return sorted(key.to_user_string() for key in keys)


def test_a_backfill_of_everything_makes_each_partition_of_its_site_season() -> None:
    per_asset = Counter(asset for asset, _ in targeted(partitioned_assets(), HERE.key))
    variants = {"prepared_bti": 2, "prepared_itb": 2}
    variants |= dict.fromkeys(("fused", "processed", "scenario_metrics", "phenology", "pack"), len(SCENARIOS))
    assert per_asset == {asset: variants.get(asset, 1) for asset in partitioned_assets()}


@pytest.mark.parametrize("root", partitioned_assets())
def test_a_backfill_from_any_asset_down_makes_all_that_descends_from_it_and_nothing_else(root: str) -> None:
    """Dagster looks at each asset once, breadth first: partitions that a second path adds later would be forgotten."""
    grid = defs.resolve_asset_graph().get(dg.AssetKey(root)).partitions_def
    names = [key for key in grid.get_partition_keys() if HERE.key in key]
    expected = descendants(root, *names)
    assert targeted(sorted({asset for asset, _ in expected}), *names) == expected


def test_every_asset_is_described_owned_grouped_and_versioned() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.group_name != "default", spec.key
        assert spec.code_version, spec.key
        assert spec.kinds, spec.key
