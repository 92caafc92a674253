"""Which products are older than they should be, partition by partition.

Judged from the manifests, because Dagster's own policy takes an asset as fresh as soon as any partition of it is: a
backfill of 2019 would make the running season look fresh. Closed seasons are never stale: nothing new can come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import Manifest, Product, Store
from satfusion_assets.vocabulary.sites import SiteSeason

FOLLOWS_WITHIN: Final = timedelta(days=1)
"""How soon after a change of its inputs a product has to be made again."""


@dataclass(frozen=True)
class Stale:
    """A partition that is not fresh. since: when it stopped being so; None = it never was there."""

    product: Product
    since: datetime | None
    why: str


def stale(
    store: Store, name: str, variants: Sequence[str], running: Sequence[SiteSeason], now: datetime
) -> Iterator[Stale]:
    """The partitions of product ``name`` among the ``running`` seasons that are not fresh at ``now``."""
    for site_season in running:
        for variant in variants:
            product = Product(name, site_season, variant)
            asked_within = REGISTRY[name].asked_within
            found = _raw(store, product, asked_within, now) if asked_within else _derived(store, product, now)
            if found is not None:
                yield found


def _raw(store: Store, product: Product, asked_within: timedelta, now: datetime) -> Stale | None:
    manifest = store.manifest(product)
    if manifest is None:
        return Stale(product, None, "was never acquired")
    due = manifest.created + asked_within
    if now <= due:
        return None
    return Stale(product, due, f"was last acquired {_ago(now - manifest.created)} ago")


def _derived(store: Store, product: Product, now: datetime) -> Stale | None:
    manifest = store.manifest(product)
    if manifest is None:
        raws = [store.manifest(raw.of(product.site_season)) for raw in REGISTRY.archives_of(REGISTRY[product.name])]
        waiting = any(raw is not None and now - raw.created > FOLLOWS_WITHIN for raw in raws)
        return Stale(product, None, "was never made, although its raw data are there") if waiting else None
    changed = [current for current in _inputs(store, product, manifest) if current is not None]
    due = min((current.created for current in changed), default=now) + FOLLOWS_WITHIN
    if now <= due:
        return None
    return Stale(product, due, f"an input changed {_ago(now - due + FOLLOWS_WITHIN)} ago")


def _inputs(store: Store, product: Product, manifest: Manifest) -> Iterator[Manifest | None]:
    """Current manifests of those inputs that are not the ones the product was made from."""
    for reference, version in manifest.inputs.items():
        current = store.manifest(Product.referred(reference, product.scope))
        if current is None or current.version != version:
            yield current


def _ago(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.seconds // 3600} hours"
