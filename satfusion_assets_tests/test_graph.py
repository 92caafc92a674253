"""The graph's shape: grids, lineage from metrics back to the raw products of the same site-season, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey

from satfusion_assets.definitions import defs
from satfusion_assets.partitions import SITE_SEASON, scenario_key, strategy_key
from satfusion_assets.scenarios import SCENARIOS, Mode, Strategy
from satfusion_assets.sites import SiteSeason

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
        expected = {(source, str(strategy_key(HERE, scenario.strategy)))}
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


def test_a_backfill_from_raw_targets_every_scenario() -> None:
    graph = defs.resolve_asset_graph()
    raw = dg.AssetKey("raw_s2")
    root = AssetGraphSubset.from_asset_partition_set({AssetKeyPartitionKey(raw, HERE.key)}, graph)
    targeted = graph.bfs_filter_subsets(lambda *_: True, root)
    for name in ("fused", "processed", "scenario_metrics"):
        keys = {str(key) for key in targeted.get_partitions_subset(dg.AssetKey(name)).get_partition_keys()}
        assert keys == {str(scenario_key(HERE, scenario)) for scenario in SCENARIOS}, name


def test_every_asset_is_described_owned_grouped_and_versioned() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.group_name != "default", spec.key
        assert spec.code_version, spec.key
        assert spec.kinds, spec.key
