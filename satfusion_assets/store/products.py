"""Atomic publishing of products into a folder, and consistent reading from it.

Layout below the data root, for a site-season::

    {site}/{season}/.satfusion/{product}/versions/{id}/...   a version: its files and manifest.json
    {site}/{season}/.satfusion/{product}/current             symbolic link to the current version
    {site}/{season}/raw/s2/20240101_0.geotiff                contract path: link through ``current``
    {site}/{season}/packs/aggressive_sigma20.zarr            the same for a whole pack
    tables/...                                               the same for products that all site-seasons share
    {site}/{season}/.satfusion/cache/{name}/                 what acquisition keeps between runs
    .satfusion/pending/{product key}@{id}                    a publication under way

A version is written whole, then one rename of ``current`` makes all its files and its manifest visible at once,
through the contract's paths as well. A kill leaves the old version or the new one, plus litter that ``recover``
removes; so does a loss of power, because everything is on the disk before the rename and the rename before the old
version is deleted. Versions in use are leased with ``flock``, which the kernel releases when a process dies.
"""

from __future__ import annotations

import errno
import logging
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from satfusion_assets.store import durable, markers
from satfusion_assets.store.interface import Store
from satfusion_assets.store.kept import KeptFiles
from satfusion_assets.store.leases import (
    HIDDEN,
    VERSIONS,
    discard_unless_in_use,
    exclusive,
    in_use,
    lease_for_reading,
    lease_for_writing,
)
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
from satfusion_assets.store.names import CURRENT, ContractNames, links_of
from satfusion_assets.store.recent import WRITTEN
from satfusion_assets.store.sealing import TABLES, names_in, sealed
from satfusion_assets.store.tags import file_tags
from satfusion_assets.store.version import Draft, View, replace_by
from satfusion_assets.vocabulary.errors import InvalidInput, ProductCorrupt, ProductMissing, StoreError, StoreFull
from satfusion_assets.vocabulary.sites import SiteSeason

log = logging.getLogger(__name__)

_STAGED: Final = "current.new"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


class ProductStore(Store):
    """All products below one data root."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()

    # -- reading ---------------------------------------------------------------------------------------------

    def manifest(self, product: Product) -> Manifest | None:
        """Manifest of the current version, None when the product was never published."""
        path = self._home(product) / CURRENT / MANIFEST
        return Manifest.read(path) if path.exists() else None

    @contextmanager
    def read(self, product: Product) -> Iterator[View]:
        """Lease the current version for reading; ProductMissing when there is none."""
        with self._lease_current(product) as folder:
            yield View(product, folder)

    def verify(self, product: Product) -> list[str]:
        """One sentence for each file that is missing or differs from the manifest; empty = whole."""
        problems = []
        with self._lease_current(product) as folder:
            for name, record in Manifest.read(folder / MANIFEST).files.items():
                path = folder / name
                if not path.is_file():
                    problems.append(f"{name} is missing.")
                elif FileRecord.of(path) != record:
                    problems.append(f"{name} differs from its manifest.")
        return problems

    def products(self, scope: Scope) -> list[Manifest]:
        """Manifests of everything published for a site-season, or of what all site-seasons share.

        A damaged one hides none of the others: it is named in the log, and left out until its product is made again.
        """
        found = []
        for path in sorted(self.folder(scope).glob(f"{HIDDEN}/*/{CURRENT}/{MANIFEST}")):
            try:
                found.append(Manifest.read(path))
            except ProductCorrupt as error:
                log.warning("%s", error)
        return found

    def scopes(self) -> list[Scope]:
        found: list[Scope] = [ALL_SEASONS] if (self.root / TABLES / HIDDEN).is_dir() else []
        for folder in sorted(self.root.glob(f"*/*/{HIDDEN}")):
            with suppress(InvalidInput):
                found.append(SiteSeason.parse(f"{folder.parent.parent.name}_{folder.parent.name}"))
        return found

    def holds_products(self, scope: Scope) -> bool:
        """Whether anything was published for ``scope``, readable or not."""
        return any(self.folder(scope).glob(f"{HIDDEN}/*/{CURRENT}"))

    def folder(self, scope: Scope) -> Path:
        """The folder with the contract's paths of a site-season; ``tables`` for what all of them share."""
        if isinstance(scope, AllSeasons):
            return self.root / TABLES
        return self.root / scope.site / str(scope.season)

    def place(self, scope: Scope) -> str:
        return str(self.folder(scope))

    def cache(self, site_season: SiteSeason, name: str) -> Path:
        """The folder that acquisition may keep between runs."""
        return self.kept(site_season, name).folder

    def kept(self, site_season: SiteSeason, name: str) -> KeptFiles:
        return KeptFiles(self.folder(site_season) / HIDDEN / "cache" / name)

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
        identity, published = uuid.uuid4().hex, False
        folder = self._home(product) / VERSIONS / identity
        marker = markers.place(self._pending, product, identity)
        try:
            self.recover(product)
            with self._locked(product):
                markers.write(marker, product)
                lease = lease_for_writing(folder)
            with lease:
                draft = Draft(product, folder, file_tags(product, parameters or {}, inputs, code_version))
                yield draft
                files = self._settle(draft, folder, inputs)
                manifest = original or sealed(product, files, parameters or {}, inputs, code_version)
                if manifest.files != files:
                    raise ProductCorrupt(f"{product.key} was not copied as its manifest has it; copy it again.")
                self._seal(product, folder, manifest)
                self._make_current(product, identity, manifest)
                draft.manifest, published = manifest, True
                for names, stack in draft.stacks:
                    WRITTEN.hold([manifest.files[name].sha256 for name in names], stack)
        except OSError as error:
            explained = self._explained(error, product)
            if explained is None:
                raise
            raise explained from error
        finally:
            self._end(product, marker, published)

    def remove(self, product: Product) -> None:
        """Unpublish ``product`` and delete its files."""
        with self._locked(product):
            manifest = self._readable_manifest(product)
            home = self._home(product)
            (home / CURRENT).unlink(missing_ok=True)
            durable.sync_folder(home)
            if manifest is not None:
                self._names(product).unlink(links_of(manifest.files))
            self._discard_unused(product)

    def recover(self, product: Product | None = None) -> list[str]:
        """Clear what killed publications left, of one product or of all; returns their keys."""
        recovered = []
        for marker in markers.markers(self._pending, product):
            interrupted = marker.product
            with self._locked(interrupted):
                if in_use(self._home(interrupted) / VERSIONS / marker.identity):
                    continue
            self._end(interrupted, marker.path, published=False)
            recovered.append(interrupted.key)
            log.warning("Cleared an interrupted publication of %s; its current version is whole.", interrupted.key)
        return recovered

    def repair_names(self) -> list[str]:
        """Make the contract's paths anew that somebody deleted; returns the keys of the products that lacked some."""
        lacking = []
        for scope in self.scopes():
            for manifest in self.products(scope):
                product = Product(manifest.product, scope, manifest.variant)
                with self._locked(product):
                    current = self._readable_manifest(product)
                    if current is not None and self._names(product).link(current.files):
                        lacking.append(product.key)
        return lacking

    def foreign_markers(self) -> list[Path]:
        """What lies among the markers of publications and is none."""
        return markers.foreign(self._pending)

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _pending(self) -> Path:
        return self.root / HIDDEN / "pending"

    def _home(self, product: Product) -> Path:
        return self.folder(product.scope) / HIDDEN / product.slug

    def _locked(self, product: Product) -> AbstractContextManager[None]:
        return exclusive(self._home(product) / "lock")

    def _names(self, product: Product) -> ContractNames:
        return ContractNames(self.folder(product.scope), product.slug)

    def _settle(self, draft: Draft, folder: Path, inputs: Sequence[View]) -> dict[str, FileRecord]:
        """Size and hash of every file of the version; all of them are on the disk then, equal contents once."""
        names = sorted(names_in(folder))
        files = {name: draft.record(name) for name in names}
        own = {name: record for name, record in files.items() if name not in draft.shared}
        durable.sync(folder / name for name in own.keys() - self._share(draft.product, folder, own, inputs))
        return files

    def _seal(self, product: Product, folder: Path, manifest: Manifest) -> None:
        """Write the manifest; every file and folder of the version is on the disk then."""
        durable.write(folder / MANIFEST, f"{manifest.model_dump_json(indent=1)}\n".encode())
        inside = [path for path in folder.rglob("*") if path.is_dir()]
        durable.sync([*inside, folder, folder.parent, self._home(product)])

    def _share(
        self, product: Product, folder: Path, files: Mapping[str, FileRecord], inputs: Sequence[View]
    ) -> set[str]:
        """Give files whose content an input, or another variant of the product, has on the disk that file instead;
        returns their names. The file system counts the names of a file, so that no version needs another to stay.
        """
        among = {record.sha256 for record in files.values()}
        held = {record: path for view in inputs for record, path in view.contents(among)}
        for home in sorted(self._home(product).parent.glob(f"{product.name}*")):
            held |= self._contents(home, among)
        found = {name: held[record] for name, record in files.items() if record in held}
        return {name for name, path in found.items() if replace_by(folder / name, path, files[name])}

    def _contents(self, home: Path, among: Collection[str]) -> dict[FileRecord, Path]:
        """Contents of the current version below ``home`` whose hash is ``among`` these. Nobody leases it: its files may
        go at any moment."""
        current = (home / CURRENT).resolve()
        try:
            manifest = Manifest.read(current / MANIFEST)
        except ProductCorrupt:
            return {}
        return {record: current / name for name, record in manifest.files.items() if record.sha256 in among}

    def _make_current(self, product: Product, identity: str, manifest: Manifest) -> None:
        home, names = self._home(product), self._names(product)
        with self._locked(product):
            previous = self._readable_manifest(product)
            durable.sync(names.link(manifest.files))
            staged = home / _STAGED
            staged.unlink(missing_ok=True)
            staged.symlink_to(Path(VERSIONS) / identity)
            staged.replace(home / CURRENT)
            durable.sync_folder(home)
            if previous is not None:
                names.unlink(links_of(previous.files) - links_of(manifest.files))

    def _end(self, product: Product, marker: Path, published: bool) -> None:
        """Tidy up after a publication, whether it succeeded or not."""
        try:
            self._tidy(product, marker, published)
        except OSError as error:
            log.warning("What is left of writing %s is cleared the next time (%s).", product.key, error)

    def _tidy(self, product: Product, marker: Path, published: bool) -> None:
        """Clear what is not the current version's. The marker goes last: until then ``recover`` can do this."""
        with self._locked(product):
            if not published:
                self._repair_names(product)
            self._discard_unused(product)
        marker.unlink(missing_ok=True)

    def _repair_names(self, product: Product) -> None:
        """Make the contract's paths those of the current version, whatever a kill or a failure left."""
        (self._home(product) / _STAGED).unlink(missing_ok=True)
        current, names = self._readable_manifest(product), self._names(product)
        wanted = set(current.files) if current is not None else set()
        names.link(wanted)
        for version in self._versions(product):
            if stray := links_of(names_in(version)) - links_of(wanted):
                names.unlink(stray)

    def _versions(self, product: Product) -> list[Path]:
        folder = self._home(product) / VERSIONS
        return sorted(folder.iterdir()) if folder.exists() else []

    def _discard_unused(self, product: Product) -> None:
        """Delete every version but the current one and those that somebody still reads or writes."""
        current = self._home(product) / CURRENT
        keep = current.resolve() if current.is_symlink() else None
        for version in self._versions(product):
            if version.resolve() != keep:
                discard_unless_in_use(version)

    def _explained(self, error: OSError, product: Product) -> StoreError | None:
        """What the disk refused, in words; None where the disk is not to blame."""
        if error.errno in _FULL:
            return StoreFull(
                f"The disk of {self.root} is full while writing {product.key}; free some space and do the same "
                f"again (what was published is untouched)."
            )
        if error.errno in _REFUSED and str(error.filename).startswith(str(self.root)):
            return StoreError(
                f"{error.filename} cannot be written ({error.strerror}); make it writable and do the same "
                f"again (what was published of {product.key} is untouched)."
            )
        return None

    @contextmanager
    def _lease_current(self, product: Product) -> Iterator[Path]:
        current = self._home(product) / CURRENT
        while current.is_symlink():
            folder = current.resolve()
            with ExitStack() as stack:
                try:
                    stack.enter_context(lease_for_reading(folder))
                except FileNotFoundError:
                    if current.resolve() == folder and not folder.exists():
                        break
                    continue  # replaced between looking and leasing: look again
                yield folder
                return
        raise ProductMissing(f"{product.key} has not been materialised; materialise that partition first.")
