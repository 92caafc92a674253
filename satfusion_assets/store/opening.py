"""The store that the settings name: a folder, or a bucket."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from satfusion_assets.store.blobs import Blobs, Waits
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.interface import Store
from satfusion_assets.store.products import ProductStore
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.settings import Settings

CACHED: Final = ".bucket"
"""Folder below the data root for what is read from a bucket."""
_BYTES: Final = 1e9


def open_store(settings: Settings) -> Store:
    """The products of an installation. Nothing is asked of a bucket before something is read or published."""
    return ProductStore(settings.data_root) if settings.store is None else open_bucket(settings.store, settings)


def open_bucket(where: str, settings: Settings) -> BucketStore:
    """The products in the bucket at ``where``, with the cache and the retry policy of ``settings``."""
    cached = settings.store_cache or settings.data_root / CACHED
    policy = Waits(settings.store_timeout_s, settings.store_retry_s)
    # A forked run has connections of its own.
    return _bucket(os.getpid(), where, cached.absolute(), int(settings.store_cache_gb * _BYTES), policy)


@cache
def _bucket(process: int, where: str, cached: Path, limit: int, policy: Waits) -> BucketStore:
    return BucketStore(Blobs(where, policy), VersionCache(cached, limit))
