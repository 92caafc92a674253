"""Versions of a bucket's products on this machine: what is read is fetched once, checked, and kept within a limit.

A version lies below the cache's folder as it would in a folder store, under a lease while anybody reads or writes it. A
file that has its place is whole: it was hashed while it came, and got its name when it had all come.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from satfusion_assets.store.leases import HIDDEN, LEASE, VERSIONS, discard_unless_in_use, in_use
from satfusion_assets.store.log import Publication
from satfusion_assets.store.manifest import MANIFEST, FileRecord, Manifest, Product
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
"""Files that are fetched side by side."""
_LOOK_EACH: Final = 64 * 2**20
"""Bytes fetched after which the cache's size is looked at again."""

Fetch = Callable[[FileRecord, Callable[[bytes], object]], bool]
"""Gives the content with this hash to a writer, piece by piece; False where it is gone."""


class VersionCache:
    """Versions below ``root``, at most about ``limit`` bytes of them besides those in use."""

    def __init__(self, root: Path, limit: int) -> None:
        self.root = root
        self._limit = limit
        self._fetched = _LOOK_EACH
        self._lock = threading.Lock()

    def folder(self, base: str, product: Product, identity: str) -> Path:
        """Where a version of ``product`` lies. base: its scope's folder."""
        return self.root / base / HIDDEN / product.slug / VERSIONS / identity

    @contextmanager
    def hold(self, folder: Path, entry: Publication) -> Iterator[Path]:
        """The version of ``entry`` for a block: its manifest is there, its files come when they are asked for."""
        with _leased(folder):
            if not (folder / MANIFEST).exists() and entry.manifest is not None:
                staged = folder / f".{MANIFEST}.{os.getpid()}.{threading.get_ident()}"
                staged.write_text(entry.manifest.model_dump_json(indent=1), "utf-8")
                staged.replace(folder / MANIFEST)
            yield folder

    def bring(self, folder: Path, manifest: Manifest, names: Collection[str], fetch: Fetch) -> None:
        """Make sure that the files ``names`` of the version in ``folder`` are there."""
        missing = [name for name in names if not (folder / name).is_file()]
        if not missing:
            return
        self._make_room(sum(manifest.files[name].size for name in missing))
        with ThreadPoolExecutor(min(_AT_ONCE, len(missing)), thread_name_prefix="fetch") as pool:
            list(pool.map(lambda name: _bring(folder / name, manifest.files[name], fetch), missing))

    def discard(self, folder: Path) -> None:
        """Delete a version that nobody uses."""
        discard_unless_in_use(folder)

    def drafts(self) -> list[Path]:
        """Versions that were never published, and that nobody writes any more."""
        return [one for one in self._versions() if not (one / MANIFEST).exists() and not in_use(one)]

    def _versions(self) -> list[Path]:
        return [path for path in self.root.glob(f"**/{HIDDEN}/*/{VERSIONS}/*") if path.is_dir()]

    def _make_room(self, size: int) -> None:
        """Discard what was not used for longest, when enough was fetched since the last look for that to matter."""
        with self._lock:
            self._fetched += size
            if self._fetched < _LOOK_EACH:
                return
            self._fetched = 0
            sizes = {folder: _size(folder) for folder in self._versions()}
            excess = sum(sizes.values()) + size - self._limit
            for folder in sorted(sizes, key=_last_used):
                if excess <= 0:
                    return
                if not in_use(folder):
                    discard_unless_in_use(folder)
                    excess -= sizes[folder]


@contextmanager
def _leased(folder: Path) -> Iterator[None]:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = (folder / LEASE).open("a")
        except FileNotFoundError:
            continue  # discarded between making and opening it
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            if not _is_discarded(file):
                os.utime(folder / LEASE)
                yield
                return


def _is_discarded(file: IO[str]) -> bool:
    return os.fstat(file.fileno()).st_nlink == 0


def _bring(path: Path, record: FileRecord, fetch: Fetch) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    digest = hashlib.sha256()
    try:
        with staged.open("wb") as file:

            def write(piece: bytes) -> None:
                digest.update(piece)
                file.write(piece)

            there = fetch(record, write)
        if not there:
            raise ProductMissing(f"{path.name} is no longer in the bucket: its version was replaced; read it again.")
        if digest.hexdigest() != record.sha256:
            raise ProductCorrupt(f"{path.name} in the bucket differs from its manifest; materialise it again.")
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _last_used(folder: Path) -> float:
    try:
        return (folder / LEASE).stat().st_mtime
    except FileNotFoundError:
        return 0.0
