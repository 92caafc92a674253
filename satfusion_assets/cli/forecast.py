"""What a plan would make and why, and what that took the last time: said before anything is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.table import Table

from satfusion_assets.cli.plans import ASKS, ASKS_AGAIN, ASKS_FIRST, Run, why_due
from satfusion_assets.pipeline.costs import cost_of, total
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import ALL_SEASONS, Product

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class Due:
    """A product that a plan makes. why: reasons in words. seconds, megabytes: of the last time, None = never made."""

    product: Product
    why: tuple[str, ...]
    seconds: float | None
    megabytes: float | None


def forecast(platform: Platform, instance: dg.DagsterInstance, runs: Sequence[Run], *, rebuild: bool) -> list[Due]:
    """What ``runs`` make at most: a product that comes out as it was leaves what is made from it alone."""
    due: dict[Product, Due] = {}
    for run in runs:
        following = False
        for asset, product in zip(run.assets, run.products, strict=True):
            why = ["asked for"] if rebuild else why_due(platform, product)
            why = [ASKS_AGAIN] if run.config.get("again") else why
            why = why or [f"{source.slug} is made again" for source in _sources(platform, product) if source in due]
            why = why or [f"it gathers {source.slug}" for source in due if source.name in _gathered(product)]
            if why or following:
                following = True  # a run goes on from the first asset that is due
                why = why or ["what it is made with is made again"]
                due[product] = Due(product, tuple(why), _seconds(instance, asset, run), _megabytes(platform, product))
    return list(due.values())


def summary(due: Sequence[Due], of: int) -> str:
    """One or two sentences for the line before the work."""
    raw = [one for one in due if _asks(one)]
    made = [one for one in due if not _asks(one)]
    derived = of - len(raw)
    said = []
    if made:
        said += [f"{len(made)} of {derived} derived products are to be made.", _the_last_time(made)]
    elif derived:
        said.append(f"All {derived} derived products are up to date.")
    for why, count in Counter(one.why[0] for one in raw).items():
        said.append(f"{count} raw {'product' if count == 1 else 'products'}: {why}.")
    return " ".join(said)


def _the_last_time(made: Sequence[Due]) -> str:
    if all(one.megabytes is None for one in made):
        return "None was made before."
    known = [one.seconds for one in made if one.seconds is not None]
    took = f"{len(known)} of them took {_duration(sum(known))}" if known else "they took a time that is not recorded"
    return f"The last time {took}, {sum(one.megabytes or 0 for one in made):.0f} MB on disk."


def expected_seconds(runs: Sequence[Run], due: Sequence[Due]) -> list[float]:
    """Seconds that each run should take: as the last time, else as usual; nothing for what is up to date."""
    there = {one.product: one for one in due}
    return [
        sum(
            there[product].seconds or cost_of(product, _kept(there[product])).seconds
            for product in run.products
            if product in there
        )
        for run in runs
    ]


def cost(due: Sequence[Due]) -> Cost:
    """What making ``due`` costs: by the last time where there was one, else by the table of measured figures."""
    return total(
        replace(
            cost_of(one.product, _kept(one)),
            seconds=one.seconds or cost_of(one.product, _kept(one)).seconds,
            megabytes=one.megabytes or cost_of(one.product, _kept(one)).megabytes,
        )
        for one in due
    )


def _kept(one: Due) -> bool:
    """Whether a raw product is there and only asked for news."""
    return one.megabytes is not None and ASKS_AGAIN not in one.why


def _asks(one: Due) -> bool:
    return bool({ASKS, ASKS_AGAIN, ASKS_FIRST} & set(one.why))


def table(due: Sequence[Due]) -> Table:
    """One row an asset: how many partitions, why, and what they took."""
    shown = Table("product", "partitions", "why", "last time", "MB", highlight=False)
    for name in dict.fromkeys(one.product.name for one in due):
        of = [one for one in due if one.product.name == name]
        why = dict.fromkeys(reason for one in of for reason in one.why)
        seconds = [one.seconds for one in of if one.seconds is not None]
        size = sum(one.megabytes or 0 for one in of)
        took = _duration(sum(seconds)) if seconds else "-"
        shown.add_row(name, str(len(of)), "; ".join(list(why)[:3]), took, f"{size:.1f}")
    return shown


def _sources(platform: Platform, product: Product) -> list[Product]:
    """What the product was made from, the raw products apart: they may have nothing new."""
    manifest = platform.store.manifest(product)
    named = manifest.inputs if manifest is not None else {}
    sources = [Product.referred(reference, product.scope) for reference in named]
    return [source for source in sources if REGISTRY[source.name].asked_within is None]


def _gathered(product: Product) -> set[str]:
    """Names of what a table of all site-seasons is made from, also of those of which it knows nothing yet."""
    if product.scope != ALL_SEASONS:
        return set()
    return {record.name for record in REGISTRY.inputs(REGISTRY[product.name])}


def _seconds(instance: dg.DagsterInstance, asset: str, run: Run) -> float | None:
    import dagster as dg

    partitions = [run.partition_key] if run.partition_key is not None else None
    filtered = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=partitions)
    for record in instance.fetch_materializations(filtered, limit=1).records:
        said = record.asset_materialization.metadata.get("seconds") if record.asset_materialization else None
        return float(said.value) if isinstance(said, dg.FloatMetadataValue) and said.value is not None else None
    return None


def _megabytes(platform: Platform, product: Product) -> float | None:
    manifest = platform.store.manifest(product)
    return manifest.total_bytes / 1e6 if manifest is not None else None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
