"""A product's record as Dagster takes it: the arguments of its asset, and the keys of its partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from satfusion_assets.pipeline.partitions import (
    by_scenario,
    by_site_season,
    by_strategy,
    same_site_season,
    strategy_to_scenario,
)
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord
from satfusion_assets.vocabulary.links import viewer_url
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

OWNERS: Final = ["team:satfusion"]
GRIDS: Final[Mapping[Grid, dg.PartitionsDefinition[Any] | None]] = {
    Grid.SITE_SEASON: by_site_season,
    Grid.STRATEGY: by_strategy,
    Grid.SCENARIO: by_scenario,
    Grid.ALL: None,
}


def described(record: ProductRecord) -> dict[str, Any]:
    """Arguments of ``dg.asset`` for the function that makes ``record``."""
    return {
        "partitions_def": GRIDS[record.grid],
        "deps": [dependency(record, item) for item in record.inputs],
        "pool": record.pool,
        "group_name": record.group,
        "kinds": set(record.kinds),
        "owners": OWNERS,
        "code_version": str(record.code_version),
        "tags": {"sensor": record.sensor},
        "metadata": {"dagster/column_schema": schema(record.columns)} if record.columns else {},
    }


def dependency(record: ProductRecord, item: Input) -> dg.AssetDep:
    """The partitions of an input that a partition of ``record`` is made from."""
    return dg.AssetDep(item.product.name, partition_mapping=_mapping(item.product.grid, record.grid, item))


def _mapping(above: Grid, below: Grid, item: Input) -> dg.PartitionMapping | None:
    if below is Grid.ALL:
        return dg.AllPartitionMapping()
    if above is below:
        return None  # Dagster's own: the same partition
    if (above, below) == (Grid.STRATEGY, Grid.SCENARIO):
        return strategy_to_scenario(*item.scenarios)
    return same_site_season


def schema(columns: Mapping[str, str]) -> dg.TableSchema:
    """The columns as Dagster shows them."""
    split = ((name, *text.split(": ", 1)) for name, text in columns.items())
    return dg.TableSchema([dg.TableColumn(name, kind, description=meaning) for name, kind, meaning in split])


def view(platform: Platform, site_season: SiteSeason, scenario: Scenario | None = None, **where: Any) -> str:
    """Address of the viewer's page on a partition; ``where``: page, stage as ``viewer_url`` takes them."""
    return viewer_url(platform.settings.viewer_url, site_season.site, site_season.season, scenario, **where)
