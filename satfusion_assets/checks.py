"""Asset checks: each product held to its criteria, partition by partition, in the run that makes it.

A table over all site-seasons has no partitions, and no site to be judged by.

Vital criteria block: what breaks one is recorded, but nothing downstream is made from it. They can be run again alone,
from a partition's page.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from satfusion_assets.assets.reporting import table
from satfusion_assets.partitions import SCENARIO, STRATEGY, site_season_of
from satfusion_assets.resources import Platform
from satfusion_assets.store import ALL_SEASONS, Product

VARIANTS = (STRATEGY, SCENARIO)


def product_checks(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetChecksDefinition]:
    """One step of checks for every asset that publishes a product."""
    return [_checks_of(spec) for asset in assets for spec in asset.specs]


def _checks_of(spec: dg.AssetSpec) -> dg.AssetChecksDefinition:
    from satfusion_assets.stages.judge import Criterion, criteria, judge

    name = spec.key.path[-1]
    held_to: Mapping[str, Criterion] = {criterion.name: criterion for criterion in criteria(name)}
    specs = [
        dg.AssetCheckSpec(
            criterion.name,
            asset=spec.key,
            description=criterion.meaning,
            blocking=criterion.vital,
            partitions_def=spec.partitions_def,
        )
        for criterion in held_to.values()
    ]

    @dg.multi_asset_check(name=f"check_{name}", specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> Iterator[dg.AssetCheckResult]:
        product = _product_of(context, name, spec.partitions_def)
        site = None if product.scope == ALL_SEASONS else platform.site(product.site_season)
        wanted = {key.name for key in context.selected_asset_check_keys}
        chosen = [criterion for criterion in held_to.values() if criterion.name in wanted]
        for title, found in judge(platform.store, site, product, chosen).items():
            yield dg.AssetCheckResult(
                check_name=title,
                asset_key=spec.key,
                passed=found.passed,
                severity=dg.AssetCheckSeverity.ERROR if held_to[title].vital else dg.AssetCheckSeverity.WARN,
                description=found.says,
                metadata={**found.numbers, **({"offenders": table(found.offenders)} if found.offenders else {})},
            )

    return check


def _product_of(
    context: dg.AssetCheckExecutionContext, name: str, grid: dg.PartitionsDefinition[Any] | None
) -> Product:
    if grid is None:
        return Product(name, ALL_SEASONS)
    key = context.partition_key
    variant = ""
    if isinstance(key, dg.MultiPartitionKey):
        variant = next(key.keys_by_dimension[dimension] for dimension in VARIANTS if dimension in key.keys_by_dimension)
    return Product(name, site_season_of(context), variant)
