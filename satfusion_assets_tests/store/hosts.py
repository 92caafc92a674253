"""A bucket, and the store as a machine has it whose products lie there."""

from __future__ import annotations

from pathlib import Path

from satfusion_assets.store import Product, Store
from satfusion_assets.store.blobs import Blobs, Waits
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.sites import SiteSeason

INNSBRUCK = SiteSeason("innsbruck", 2024)
FUSED = Product("fused", INNSBRUCK, "aggressive_sigma20")
RAW = Product("raw_s2", INNSBRUCK)
OLD = {"fusion/REFL_20240101.tif": b"old", "fusion/REFL_20240102.tif": b"old"}
NEW = {"fusion/REFL_20240102.tif": b"new", "fusion/REFL_20240103.tif": b"new"}
PATIENT = Waits(request_s=5, in_all_s=60)
ROOMY = 10**9


def on_host(where: str, cache: Path, *, waits: Waits = PATIENT, limit: int = ROOMY) -> BucketStore:
    """The store as one machine has it, whose disk is ``cache``."""
    return BucketStore(Blobs(where, waits), VersionCache(cache, limit))


def publish(store: Store, product: Product, files: dict[str, bytes]) -> str:
    with store.publish(product) as draft:
        for name, content in files.items():
            draft.write_bytes(name, content)
    assert draft.manifest is not None
    return draft.manifest.version


def content(store: Store, product: Product) -> dict[str, bytes]:
    with store.read(product) as view:
        return {name: path.read_bytes() for name, path in zip(view.names(), view.files(), strict=True)}
