"""The viewer's fence around products that lie in a bucket: names come from manifests, files when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from satfusion_assets.store import ALL_SEASONS, Product, Scope, View
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.log import Publication
from satfusion_assets.store.sealing import TABLES
from satfusion_assets.viewer.files import Fence
from satfusion_assets.viewer.listings import Listings
from satfusion_assets.vocabulary.errors import InvalidInput, ProductMissing
from satfusion_assets.vocabulary.sites import SiteSeason

_SEASONS_KNOWN: Final = 64
"""Seasons whose names are kept in memory, some megabytes each."""


@dataclass(frozen=True)
class _Names:
    """What there is of a scope. owners: slug of the product of each file. folders: names in each folder."""

    owners: Mapping[str, str]
    folders: Mapping[str, frozenset[str]]


class BucketFence(Fence):
    """The products of ``store`` as paths below its cache's folder, where none of them lies by these names."""

    def __init__(self, store: BucketStore) -> None:
        super().__init__(store.local.root)
        self.store = store
        self._known = lru_cache(_SEASONS_KNOWN)(_names_of)
        self.current = Listings(store.current)
        self.folders = Listings(store.blobs.folders)

    @property
    def places(self) -> tuple[str, ...]:
        return (*super().places, self.store.blobs.where)

    @contextmanager
    def snapshot(self) -> Iterator[Fence]:
        with ExitStack() as leases:
            yield BucketSnapshot(self, leases)

    def names_of(self, entries: tuple[_Known, ...]) -> _Names:
        return self._known(entries)


@dataclass(frozen=True)
class _Known:
    """An entry of a log, known by who wrote it: its manifest is too long to compare."""

    slug: str
    identity: str
    entry: Publication = field(compare=False)


class BucketSnapshot(Fence):
    """Every product in the one version that was current when its season was first looked at, or up to ``LISTING_S``
    before."""

    def __init__(self, fence: BucketFence, leases: ExitStack) -> None:
        super().__init__(fence.root)
        self._fence = fence
        self._store = fence.store
        self._leases = leases
        self._current: dict[Scope, dict[str, Publication]] = {}
        self._sites: list[str] | None = None
        self._indices: dict[Scope, _Names] = {}
        self._views: dict[tuple[Scope, str], View] = {}

    def real(self, path: Path) -> Path:
        """The file of the contract's ``path`` on this disk, or the pack whole; ``path`` where there is no such."""
        scope, name = self._split(path)
        if scope is None:
            return path
        names = self._names(scope)
        if name in names.owners:
            return self._view(scope, names.owners[name]).path(name)
        if name.endswith(".zarr") and name in names.folders:
            return self._view(scope, names.owners[f"{name}/zarr.json"]).folder(name)
        return path

    def bring(self, paths: Sequence[Path]) -> None:
        wanted: dict[tuple[Scope, str], list[str]] = {}
        for path in paths:
            scope, name = self._split(path)
            if scope is not None and (owner := self._names(scope).owners.get(name)) is not None:
                wanted.setdefault((scope, owner), []).append(name)
        for (scope, slug), names in wanted.items():
            self._view(scope, slug).bring(names)

    def listed(self, folder: Path) -> list[str]:
        scope, name = self._split(folder)
        if scope is not None:
            return sorted(self._names(scope).folders.get(name, ()))
        inside = folder.relative_to(self.root).as_posix()
        if self._sites is None:
            self._sites = self._fence.folders("")
        return self._fence.folders(inside) if inside in self._sites else []

    def is_folder(self, path: Path) -> bool:
        scope, name = self._split(path)
        return scope is not None and name in self._names(scope).folders

    def is_file(self, path: Path) -> bool:
        scope, name = self._split(path)
        return scope is not None and name in self._names(scope).owners

    def size(self, path: Path) -> int:
        scope, name = self._split(path)
        manifest = None
        if scope is not None and name in self._names(scope).owners:
            manifest = self._entries(scope)[self._names(scope).owners[name]].manifest
        if manifest is None:
            raise ProductMissing(f"{self.relative(path)} is not there; materialise it, then reload.")
        return manifest.files[name].size

    def file(self, relative: str) -> Path:
        self.refuse_unless_plain(relative)
        path = self.root / relative
        if not self.is_file(path):
            raise ProductMissing(f"{relative} is not there; materialise it, then reload.")
        return self.real(path)

    def _split(self, path: Path) -> tuple[Scope | None, str]:
        """Whose ``path`` is, and its contract name; None above all seasons."""
        parts = path.relative_to(self.root).parts
        if parts[:1] == (TABLES,):
            return ALL_SEASONS, "/".join(parts[1:])
        try:
            return SiteSeason.parse("_".join(parts[:2])), "/".join(parts[2:])
        except InvalidInput:
            return None, ""

    def _entries(self, scope: Scope) -> dict[str, Publication]:
        if scope not in self._current:
            self._current[scope] = self._fence.current(scope)
        return self._current[scope]

    def _names(self, scope: Scope) -> _Names:
        if scope not in self._indices:
            entries = sorted(self._entries(scope).items())
            known = tuple(_Known(slug, entry.identity, entry) for slug, entry in entries)
            self._indices[scope] = self._fence.names_of(known)
        return self._indices[scope]

    def _view(self, scope: Scope, slug: str) -> View:
        if (scope, slug) not in self._views:
            entry = self._entries(scope)[slug]
            view = self._store.hold(Product.referred(slug, scope), entry)
            self._views[scope, slug] = self._leases.enter_context(view)
        return self._views[scope, slug]


def _names_of(entries: tuple[_Known, ...]) -> _Names:
    owners: dict[str, str] = {}
    folders: dict[str, set[str]] = {"": set()}
    for known in entries:
        for name in known.entry.manifest.files if known.entry.manifest is not None else ():
            owners[name] = known.slug
            inside, last = name, True
            while last:
                inside, _, child = inside.rpartition("/")
                last = bool(inside)
                folders.setdefault(inside, set()).add(child)
    return _Names(owners, {folder: frozenset(names) for folder, names in folders.items()})
