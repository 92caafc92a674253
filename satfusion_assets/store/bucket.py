"""Products in a bucket that several machines share.

Layout below the prefix, for a site-season::

    {site}/{season}/.satfusion/objects/{sha256}              a content, written once whatever products hold it
    {site}/{season}/.satfusion/log/{product}/{n}.json        a version: manifest and own name (``store/log.py``)
    {site}/{season}/.satfusion/cache/{name}/                 what acquisition keeps between runs
    tables/.satfusion/...                                    the same for products that all site-seasons share

A version is its manifest. Contents come first; the entry of the log, which is created and never overwritten, makes all
of it visible at once. A kill leaves contents that nothing speaks of, which ``store/collect.py`` deletes after a while.
Readers keep to the manifest that they began with, and to files of it on their own disk (``store/version_cache.py``).
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from satfusion_assets.store.blobs import Blobs
from satfusion_assets.store.interface import Store
from satfusion_assets.store.kept import KeptFiles, SharedFiles
from satfusion_assets.store.leases import HIDDEN, lease_for_writing
from satfusion_assets.store.log import ProductLogs, Publication, new_identity
from satfusion_assets.store.manifest import (
    ALL_SEASONS,
    FIRST_CODE,
    MANIFEST,
    AllSeasons,
    FileRecord,
    Manifest,
    Product,
    Scope,
)
from satfusion_assets.store.permission import confirm_publishing
from satfusion_assets.store.sealing import TABLES, names_in, sealed
from satfusion_assets.store.tags import file_tags
from satfusion_assets.store.version import Draft, View
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.vocabulary.errors import InvalidInput, ProductCorrupt, ProductMissing, StoreFull
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)

OBJECTS: Final = "objects"
CACHE: Final = "cache"
GRACE: Final = timedelta(hours=24)
"""How long a version that was replaced, and a content that nothing speaks of, are kept: longer than any run takes."""
_AT_ONCE: Final = 8
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class BucketStore(Store):
    """All products below the prefix of ``blobs``, with ``cache`` for what is read and written on this machine.

    confirm: asked before anything is made current; it raises when this process has lost the right to publish.
    """

    def __init__(self, blobs: Blobs, cache: VersionCache, confirm: Callable[[], None] = confirm_publishing) -> None:
        self.blobs = blobs
        self.local = cache
        self._confirm = confirm
        self._probed = False
        self._entries: dict[tuple[Scope, str, int], Publication] = {}

    # -- reading ---------------------------------------------------------------------------------------------

    def manifest(self, product: Product) -> Manifest | None:
        return self._current(product).manifest

    @contextmanager
    def read(self, product: Product) -> Iterator[View]:
        with self.hold(product, self._current(product)) as view:
            yield view

    @contextmanager
    def hold(self, product: Product, entry: Publication) -> Iterator[View]:
        """The version of ``entry``; ProductMissing when it says that there is none."""
        manifest = entry.manifest
        if manifest is None:
            raise ProductMissing(f"{product.key} has not been materialised; materialise that partition first.")
        base = folder_of(product.scope)
        with self.local.hold(self.local.folder(base, product, entry.identity), entry) as folder:
            yield View(
                product, folder, lambda names: self.local.bring(folder, manifest, names, self._fetching(product.scope))
            )

    def verify(self, product: Product) -> list[str]:
        manifest = self._current(product).manifest
        if manifest is None:
            raise ProductMissing(f"{product.key} has not been materialised; materialise that partition first.")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda record: self._object(product.scope, record), manifest.files.values()))
        problems = []
        for (name, record), content in zip(manifest.files.items(), found, strict=True):
            if content is None:
                problems.append(f"{name} is missing.")
            elif FileRecord.holding(content) != record:
                problems.append(f"{name} differs from its manifest.")
        return problems

    def current(self, scope: Scope) -> dict[str, Publication]:
        """The current entry of every product of ``scope`` that was not removed, by slug; unreadable ones are logged."""
        heads = ProductLogs(self.blobs, folder_of(scope)).heads()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            entries = pool.map(lambda item: self._readable(scope, *item), heads.items())
            found = zip(heads, entries, strict=True)
            return {slug: entry for slug, entry in found if entry is not None and entry.manifest is not None}

    def scopes(self) -> list[Scope]:
        found: list[Scope] = []
        for site in self.blobs.folders():
            if site == TABLES:
                found.append(ALL_SEASONS)
                continue
            for season in self.blobs.folders(site) if not site.startswith(".") else ():
                try:
                    found.append(SiteSeason.parse(f"{site}_{season}"))
                except InvalidInput:
                    log.warning("%s/%s in %s is no site-season; it is left alone.", site, season, self.blobs.where)
        return found

    def products(self, scope: Scope) -> list[Manifest]:
        current = self.current(scope)
        return [entry.manifest for _, entry in sorted(current.items()) if entry.manifest is not None]

    def holds_products(self, scope: Scope) -> bool:
        return bool(self.current(scope))

    def place(self, scope: Scope) -> str:
        return f"{self.blobs.where}/{folder_of(scope)}"

    def kept(self, site_season: SiteSeason, name: str) -> KeptFiles:
        inside = f"{folder_of(site_season)}/{HIDDEN}/{CACHE}/{name}"
        return SharedFiles(self.local.root / inside, self.blobs, inside)

    # -- publishing ------------------------------------------------------------------------------------------

    @contextmanager
    def publish(
        self,
        product: Product,
        *,
        parameters: dict[str, Any] | None = None,
        inputs: Sequence[View] = (),
        code_version: int = FIRST_CODE,
        original: Manifest | None = None,
    ) -> Iterator[Draft]:
        self._probe()
        identity = new_identity()
        folder = self.local.folder(folder_of(product.scope), product, identity)
        published = False
        try:
            with lease_for_writing(folder):
                draft = Draft(product, folder, file_tags(product, parameters or {}, inputs, code_version))
                yield draft
                files = {name: draft.record(name) for name in names_in(folder)}
                manifest = original or sealed(product, files, parameters or {}, inputs, code_version)
                if manifest.files != files:
                    raise ProductCorrupt(f"{product.key} was not copied as its manifest has it; copy it again.")
                self._upload(product.scope, folder, files)
                self._confirm()
                entry = Publication(identity=identity, manifest=manifest)
                ProductLogs(self.blobs, folder_of(product.scope)).append(product.slug, entry)
                (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), "utf-8")
                draft.manifest, published = manifest, True
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise StoreFull(
                f"The disk of {self.local.root} is full while writing {product.key}; free some space or lower "
                f"SATFUSION_STORE_CACHE_GB and do the same again (what was published is untouched)."
            ) from error
        finally:
            if not published:
                self.local.discard(folder)

    def remove(self, product: Product) -> None:
        self._probe()
        self._confirm()
        if self._current(product).manifest is not None:
            ProductLogs(self.blobs, folder_of(product.scope)).append(product.slug, Publication(manifest=None))

    def recover(self, product: Product | None = None) -> list[str]:
        """Refuse a server that cannot be relied on, and clear drafts that killed publications left on this machine."""
        self._probe()
        for folder in self.local.drafts():
            self.local.discard(folder)
        return []

    def foreign_markers(self) -> list[Path]:
        return []

    # -- inside ----------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        if not self._probed:
            self.blobs.refuse_unless_conditional()
            self._probed = True

    def _current(self, product: Product) -> Publication:
        """The current entry; one without a manifest where there is none."""
        logs = ProductLogs(self.blobs, folder_of(product.scope))
        while number := logs.heads(product.slug).get(product.slug):
            if (entry := self._entry(product.scope, product.slug, number)) is not None:
                return entry
        return Publication(manifest=None)

    def _readable(self, scope: Scope, slug: str, number: int) -> Publication | None:
        try:
            return self._entry(scope, slug, number)
        except ProductCorrupt as error:
            log.warning("%s", error)
            return None

    def _entry(self, scope: Scope, slug: str, number: int) -> Publication | None:
        """An entry, which never changes: it is asked for once."""
        key = (scope, slug, number)
        if key not in self._entries:
            entry = ProductLogs(self.blobs, folder_of(scope)).read(slug, number)
            if entry is None:
                return None
            self._entries[key] = entry
        return self._entries[key]

    def _fetching(self, scope: Scope) -> Callable[[FileRecord, Callable[[bytes], object]], bool]:
        return lambda record, write: self.blobs.download(object_name(scope, record), write)

    def _object(self, scope: Scope, record: FileRecord) -> bytes | None:
        return self.blobs.read(object_name(scope, record))

    def _upload(self, scope: Scope, folder: Path, files: Mapping[str, FileRecord]) -> None:
        """Put contents that are not there. One that is there and old is put again, since it may be about to be deleted
        for want of anything that speaks of it."""
        by_content = {record: folder / name for name, record in files.items()}
        young = datetime.now(UTC) - GRACE / 2

        def upload(item: tuple[FileRecord, Path]) -> None:
            name = object_name(scope, item[0])
            there = self.blobs.about(name)
            if there is None or there.modified < young or there.size != item[0].size:
                self.blobs.put(name, item[1])

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="upload") as pool:
            list(pool.map(upload, by_content.items()))


def folder_of(scope: Scope) -> str:
    """The folder of a scope below the prefix."""
    return TABLES if isinstance(scope, AllSeasons) else f"{scope.site}/{scope.season}"


def object_name(scope: Scope, record: FileRecord) -> str:
    """Where a content lies."""
    return f"{folder_of(scope)}/{HIDDEN}/{OBJECTS}/{record.sha256}"
