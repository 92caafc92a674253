"""Asset checks: each product held to its criteria, partition by partition, in the run that makes it.

A table over all site-seasons has no partitions, and no site.

Vital criteria block: what breaks one is recorded, but nothing downstream is made from it. "Execute all" on an asset's
page, which knows no partitions, evaluates every partition that was made; Dagster takes no results of a run without a
partition, so those verdicts are reported partition by partition.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from satfusion_assets.pipeline.partitions import product_of
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.pipeline.reporting import table
from satfusion_assets.store import ALL_SEASONS

if TYPE_CHECKING:
    from satfusion_assets.pipeline.criteria import Criterion, Verdict

EVALUATED: Final = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value


def product_checks(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetChecksDefinition]:
    """One step of checks for every asset that publishes a product."""
    return [_checks_of(spec) for asset in assets for spec in asset.specs]


def _checks_of(spec: dg.AssetSpec) -> dg.AssetChecksDefinition:
    from satfusion_assets.pipeline.criteria import evaluate

    name = spec.key.path[-1]
    held_to = {criterion.name: criterion for criterion in REGISTRY.criteria(name)}
    specs = [
        dg.AssetCheckSpec(
            criterion.name,
            asset=spec.key,
            description=criterion.meaning,
            blocking=criterion.blocking,
            partitions_def=spec.partitions_def,
        )
        for criterion in held_to.values()
    ]

    @dg.multi_asset_check(name=f"check_{name}", specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> Iterator[dg.AssetCheckResult]:
        wanted = {key.name for key in context.selected_asset_check_keys}
        chosen = [criterion for criterion in held_to.values() if criterion.name in wanted]

        def verdicts(key: str | None) -> "Mapping[str, Verdict]":
            product = product_of(name, key, spec.partitions_def)
            site = None if product.scope == ALL_SEASONS else platform.site(product.site_season)
            return evaluate(platform.store, site, product, chosen)

        if spec.partitions_def is None or context.has_partition_key:
            key = context.partition_key if context.has_partition_key else None
            for title, verdict in verdicts(key).items():
                yield dg.AssetCheckResult(asset_key=spec.key, **_result(held_to[title], verdict))
            return
        keys = sorted(context.instance.get_materialized_partitions(spec.key))
        context.log.info(f"No partition was chosen, so all {len(keys)} of {name} that were made are evaluated.")
        found = [(key, title, verdict) for key in keys for title, verdict in verdicts(key).items()]
        for key, title, verdict in sorted(found, key=lambda one: not one[2].passed):  # the page shows the latest
            result = _result(held_to[title], verdict)
            evaluation = dg.AssetCheckEvaluation(
                asset_key=spec.key,
                partition=key,
                blocking=held_to[title].blocking,
                target_materialization_data=_evaluated(context.instance, spec.key, key),
                **result,
            )
            event = dg.DagsterEvent(EVALUATED, context.run.job_name, event_specific_data=evaluation)
            context.instance.report_dagster_event(event, context.run.run_id)
            if not verdict.passed:
                context.log.warning(f"{key}: {title}: {verdict.says}")

    return check


def _result(criterion: "Criterion", verdict: "Verdict") -> dict[str, Any]:
    """A verdict as Dagster takes it."""
    offenders = {"offenders": table(verdict.offenders)} if verdict.offenders else {}
    return {
        "check_name": criterion.name,
        "passed": verdict.passed,
        "severity": dg.AssetCheckSeverity.ERROR if criterion.blocking else dg.AssetCheckSeverity.WARN,
        "description": verdict.says,
        "metadata": {**verdict.numbers, **offenders},
    }


def _evaluated(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str
) -> AssetCheckEvaluationTargetMaterializationData:
    """Which materialisation of a partition is evaluated: its latest."""
    filtered = dg.AssetRecordsFilter(asset, asset_partitions=[partition])
    record = instance.fetch_materializations(filtered, limit=1).records[0]
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.event_log_entry.run_id, timestamp=record.timestamp
    )
