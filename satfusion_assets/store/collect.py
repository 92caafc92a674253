"""Garbage collection of a bucket: versions that were replaced long ago, and contents that nothing speaks of.

A reader in a bucket holds no lock, so what it may still need is kept for a while instead (``GRACE``). Nothing is
deleted that a kept entry names, and no content that was written within that time: it may belong to a publication under
way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from satfusion_assets.store.bucket import GRACE, OBJECTS, BucketStore, folder_of
from satfusion_assets.store.leases import HIDDEN
from satfusion_assets.store.log import ProductLogs
from satfusion_assets.store.manifest import Scope

_KEPT: Final = 2
"""Entries of a product that stay whatever their age: the current one and what it replaced."""


@dataclass(frozen=True)
class Collected:
    """What was deleted, or would be: entries of logs, contents, and the contents' bytes."""

    entries: int = 0
    contents: int = 0
    size: int = 0

    def __add__(self, other: Collected) -> Collected:
        return Collected(self.entries + other.entries, self.contents + other.contents, self.size + other.size)


def collect(store: BucketStore, scope: Scope, *, grace: timedelta = GRACE, dry_run: bool = False) -> Collected:
    """Delete what nobody can need any more of ``scope``; dry_run: only count it.

    Entries go before the contents that they alone name, so that a kill leaves no entry without its contents. Raises
    ProductCorrupt where a kept entry cannot be read: what it names is not known then, and nothing is deleted.
    """
    before = datetime.now(UTC) - grace
    logs, blobs = ProductLogs(store.blobs, folder_of(scope)), store.blobs
    gone: dict[str, list[int]] = {}
    named: set[str] = set()
    for slug in logs.heads():
        entries = logs.entries(slug)
        replaced = [age for _, age in entries[1:]]
        gone[slug] = [number for (number, _), age in zip(entries[:-_KEPT], replaced, strict=False) if age < before]
        for number, _ in entries[len(gone[slug]) :]:
            entry = logs.read(slug, number)
            if entry is not None and entry.manifest is not None:
                named |= {record.sha256 for record in entry.manifest.files.values()}
    contents = [
        blob
        for blob in blobs.below(f"{folder_of(scope)}/{HIDDEN}/{OBJECTS}")
        if blob.modified < before and blob.name.rpartition("/")[2] not in named
    ]
    if dry_run:
        return Collected(sum(map(len, gone.values())), len(contents), sum(blob.size for blob in contents))
    for slug, numbers in gone.items():
        logs.drop(slug, numbers)
    deleted = []
    for blob in contents:
        now = blobs.about(blob.name)
        if now is not None and now.modified < before:  # not written again since it was listed
            blobs.delete(blob.name)
            deleted.append(blob)
    return Collected(sum(map(len, gone.values())), len(deleted), sum(blob.size for blob in deleted))
