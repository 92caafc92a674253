"""``satfusion clean``: what an installation that runs for years need not keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer
from rich.console import Console

from satfusion_assets.cli.home import dagster_instance

MOST_DAYS: Final = 36_500.0
"""A hundred years; there are no days for a time before the first."""


def clean(
    runs_days: Annotated[float, typer.Option(min=0, max=MOST_DAYS, help="how long the records of runs are kept")] = 90,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=24 * MOST_DAYS, help="how long replaced versions in a bucket are kept")
    ] = 24,
    dry_run: Annotated[bool, typer.Option(help="say what would be deleted, and delete nothing")] = False,
) -> None:
    """Delete records of old runs, litter of killed publications and replaced versions. What any partition's latest
    version rests on stays; paths to it that were deleted are made again."""
    from satfusion_assets.orchestration.instance.retention import forget, unneeded_runs
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.store.bucket import BucketStore
    from satfusion_assets.store.collect import Collected, collect
    from satfusion_assets.store.products import ProductStore

    console, store = Console(), Platform().store
    before = datetime.now(UTC) - timedelta(days=runs_days)
    with dagster_instance() as instance:
        runs = list(unneeded_runs(instance, before))
        for run in runs if not dry_run else ():
            forget(instance, run)
    said = [f"{len(runs)} runs of before {before:%Y-%m-%d}"]
    if isinstance(store, BucketStore):
        grace, total = timedelta(hours=grace_hours), Collected()
        for scope in store.scopes():
            total += collect(store, scope, grace=grace, dry_run=dry_run)
        said.append(f"{total.entries} replaced versions, {total.contents} contents ({total.size / 1e6:.1f} MB)")
    elif not dry_run:
        said.append(f"what {len(store.recover())} killed publications left")
    if isinstance(store, ProductStore) and not dry_run and (lacking := store.repair_names()):
        console.print(
            f"Their paths were deleted and are there again: {', '.join(lacking)}.", highlight=False, soft_wrap=True
        )
    verb = "would be deleted" if dry_run else "deleted"
    console.print(f"{'; '.join(said)}: {verb}.", highlight=False, soft_wrap=True)
