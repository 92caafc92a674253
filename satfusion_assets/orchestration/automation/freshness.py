"""Freshness of every product as the UI shows it: one check an asset that looks at each running season.

Dagster's FreshnessPolicy is not used: any partition refreshes it, so that it would call an asset fresh whose running
season has stopped.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import dagster as dg

from satfusion_assets.orchestration.automation.seasons import running_seasons
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY

FRESH: Final = "fresh"
LOOK: Final = "look_at_freshness"
"""The job and its schedule."""
ROWS: Final = 100


def freshness_checks(assets: Iterable[dg.AssetsDefinition]) -> dg.AssetChecksDefinition:
    """The check of all partitioned ``assets`` that publish a product."""
    variants = {
        spec.key: REGISTRY[spec.key.path[-1]].grid.variants
        for asset in assets
        for spec in asset.specs
        if spec.partitions_def
    }
    specs = [
        dg.AssetCheckSpec(
            FRESH,
            asset=key,
            description=(
                "Running seasons only: raw data were asked for lately, everything else was made again within a day of "
                "a change of what it is made from. Closed seasons are never stale."
            ),
        )
        for key in variants
    ]

    @dg.multi_asset_check(name="freshness", specs=specs, can_subset=True)
    def freshness(
        context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> Iterator[dg.AssetCheckResult]:
        from satfusion_assets.pipeline.freshness import stale

        now = platform.now()
        running = running_seasons(platform.registry, now.date())
        for key in sorted({check.asset_key for check in context.selected_asset_check_keys}):
            late = list(stale(platform.store, key.path[-1], variants[key], running, now))
            says = f"{len(late)} partitions of {len(running)} running seasons are stale." if late else "Fresh."
            records = [
                dg.TableRecord({"partition": one.product.key, "why": one.why, "since": _when(one.since)})
                for one in late[:ROWS]
            ]
            yield dg.AssetCheckResult(
                check_name=FRESH,
                asset_key=key,
                passed=not late,
                severity=dg.AssetCheckSeverity.WARN,
                description=says,
                metadata={
                    "stale": len(late),
                    "running_seasons": len(running),
                    **({"partitions": dg.MetadataValue.table(records)} if records else {}),
                },
            )

    return freshness


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "always"


def freshness_schedule(checks: dg.AssetChecksDefinition) -> dg.ScheduleDefinition:
    """Looks every morning."""
    job = dg.define_asset_job(
        LOOK,
        selection=dg.AssetSelection.checks(*checks.check_keys),
        description="See for every product whether its running seasons are up to date.",
    )
    return dg.ScheduleDefinition(
        name=LOOK,
        job=job,
        cron_schedule="0 7 * * *",
        execution_timezone="UTC",
        description=job.description,
    )
