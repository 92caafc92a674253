"""The three partition grids and the mappings that carry lineage between them.

A product is partitioned by exactly what it depends on: ``site_season`` (raw, preselected, camera phenology,
roll-up), ``site_season x strategy`` (prepared), ``site_season x scenario`` (fused, processed, scenario metrics).
Dagster orders dimensions by name, so keys of two dimensions are only ever read by dimension.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import dagster as dg
from dagster import BetaWarning, PreviewWarning

from satfusion_assets.pipeline.records import Grid
from satfusion_assets.store import ALL_SEASONS, Product
from satfusion_assets.store.manifest import AllSeasons, Scope
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

warnings.filterwarnings("ignore", category=BetaWarning)  # mappings between grids
warnings.filterwarnings("ignore", category=PreviewWarning)

SITE_SEASON: Final = "site_season"
STRATEGY: Final = "strategy"
SCENARIO: Final = "scenario"

by_site_season = dg.DynamicPartitionsDefinition(name=SITE_SEASON)
by_strategy = dg.MultiPartitionsDefinition(
    {SITE_SEASON: by_site_season, STRATEGY: dg.StaticPartitionsDefinition([str(strategy) for strategy in Strategy])}
)
by_scenario = dg.MultiPartitionsDefinition(
    {SITE_SEASON: by_site_season, SCENARIO: dg.StaticPartitionsDefinition([scenario.key for scenario in SCENARIOS])}
)

same_site_season = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name=SITE_SEASON)
"""Between a site-season product and all variants of the same site-season, in either direction."""


def strategy_to_scenario(*scenarios: Scenario) -> dg.MultiPartitionMapping:
    """From a product per strategy to those of ``scenarios`` that have the strategy; others have no parent."""
    keys = {str(strategy): [item.key for item in scenarios if item.strategy is strategy] for strategy in Strategy}
    return dg.MultiPartitionMapping(
        {
            SITE_SEASON: dg.DimensionPartitionMapping(SITE_SEASON, dg.IdentityPartitionMapping()),
            STRATEGY: dg.DimensionPartitionMapping(SCENARIO, dg.StaticPartitionMapping(keys)),
        }
    )


def site_season_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext,
) -> SiteSeason:
    """The site-season of the partition that runs; InvalidInput when its key was never one of ours."""
    key = context.partition_key
    if isinstance(key, dg.MultiPartitionKey):
        return SiteSeason.parse(key.keys_by_dimension[SITE_SEASON])
    return SiteSeason.parse(key)


def strategy_of(context: dg.AssetExecutionContext) -> Strategy:
    """The strategy of the partition that runs."""
    return Strategy(_dimension(context, STRATEGY))


def scenario_of(context: dg.AssetExecutionContext) -> Scenario:
    """The scenario of the partition that runs."""
    return Scenario.parse(_dimension(context, SCENARIO))


def strategy_key(site_season: SiteSeason, strategy: Strategy) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({SITE_SEASON: site_season.key, STRATEGY: str(strategy)})


def scenario_key(site_season: SiteSeason, scenario: Scenario) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({SITE_SEASON: site_season.key, SCENARIO: scenario.key})


def partition_key(grid: Grid, scope: Scope, variant: str) -> str | None:
    """The key of one partition; None for what has no partitions."""
    if isinstance(scope, AllSeasons):
        return None
    if grid is Grid.STRATEGY:
        return strategy_key(scope, Strategy(variant))
    return scenario_key(scope, Scenario.parse(variant)) if grid is Grid.SCENARIO else scope.key


def product_of(name: str, key: str | None, grid: dg.PartitionsDefinition[Any] | None) -> Product:
    """The product that partition ``key`` of an asset on ``grid`` publishes; None = the asset has no partitions."""
    if key is None:
        return Product(name, ALL_SEASONS)
    if not isinstance(grid, dg.MultiPartitionsDefinition):
        return Product(name, SiteSeason.parse(key))
    dimensions = grid.get_partition_key_from_str(key).keys_by_dimension
    variant = next(dimensions[dimension] for dimension in (STRATEGY, SCENARIO) if dimension in dimensions)
    return Product(name, SiteSeason.parse(dimensions[SITE_SEASON]), variant)


def site_season_named(key: str | None) -> str:
    """The site-season's part of a partition key as text; empty for an asset without partitions."""
    for part in (key or "").split("|"):
        if part[-4:].isdigit() and "_" in part[-5:]:
            return part
    return ""


def _dimension(context: dg.AssetExecutionContext, name: str) -> str:
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise InvalidInput(f"Partition {key!r} has no {name}; choose one in the partition dialog.")
    return key.keys_by_dimension[name]
