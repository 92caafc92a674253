"""Atomic publishing of products into a folder, and consistent reading from it.

Layout below the data root, for a site-season::

    {site}/{season}/.satfusion/{product}/versions/{id}/...   a version: its files and manifest.json
    {site}/{season}/.satfusion/{product}/current             symbolic link to the current version
    {site}/{season}/raw/s2/20240101_0.geotiff                contract path: link through ``current``
    tables/...                                               the same for products that all site-seasons share
    {site}/{season}/.satfusion/cache/{name}/                 what acquisition keeps between runs
    .satfusion/pending/{product key}@{id}                    a publication under way

A version is written whole, then one rename of ``current`` makes all its files and its manifest visible at once,
through the contract's paths as well. A kill leaves the old version or the new one, plus litter that ``recover``
removes. Versions in use are leased with ``flock``, which the kernel releases when a process dies.
"""

from __future__ import annotations

import errno
import json
import logging
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.metadata import version as package_version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from satfusion_assets.errors import ProductMissing, StoreError, StoreFull
from satfusion_assets.recipes import FIRST, code_version
from satfusion_assets.sites import SiteSeason
from satfusion_assets.store.leases import (
    LEASE,
    exclusive,
    in_use,
    lease_for_reading,
    lease_for_writing,
    remove_unless_in_use,
)
from satfusion_assets.store.manifest import (
    MANIFEST,
    AllSeasons,
    FileRecord,
    Manifest,
    Product,
    Scope,
    data_version,
    parse_scope,
)
from satfusion_assets.store.version import Draft, View

log = logging.getLogger(__name__)

HIDDEN: Final = ".satfusion"
TABLES: Final = "tables"
"""Folder of the products that all site-seasons share, beside the sites' folders."""
_STAGED: Final = "current.new"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class ProductStore:
    """All products below one data root."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()

    # -- reading ---------------------------------------------------------------------------------------------

    def manifest(self, product: Product) -> Manifest | None:
        """Manifest of the current version, None when the product was never published."""
        path = self._home(product) / "current" / MANIFEST
        return Manifest.read(path) if path.exists() else None

    def is_current(self, product: Product, chosen: Mapping[str, Any] | None = None) -> bool:
        """Whether ``product`` exists, was made by its present code with the ``chosen`` parameters, and each input still
        has the version it was made from."""
        return next(self.changes(product, chosen), None) is None

    def changes(self, product: Product, chosen: Mapping[str, Any] | None = None) -> Iterator[str]:
        """What is not as it was when ``product`` was made, in words; nothing when it is current.

        What a manifest does not speak of, because no version of then wrote it, is not held against it.
        """
        manifest = self.manifest(product)
        if manifest is None:
            yield "never made"
            return
        now = code_version(product.name)
        if manifest.code_version != now:
            yield f"its code was version {manifest.code_version}, is {now}"
        for name, value in (chosen or {}).items():
            before = manifest.parameters.get(name)
            if before != value and (name in manifest.parameters or manifest.code_version > FIRST):
                yield f"{name} was {before}, is {value}"
        for reference, version in manifest.inputs.items():
            source = self.manifest(Product.referred(reference, product.scope))
            if source is None or source.version != version:
                yield f"{reference} has changed"

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
        """Manifests of everything published for a site-season, or of what all site-seasons share."""
        found = sorted(self.folder(scope).glob(f"{HIDDEN}/*/current/{MANIFEST}"))
        return [Manifest.read(path) for path in found]

    def folder(self, scope: Scope) -> Path:
        """The folder with the contract's paths of a site-season; ``tables`` for what all of them share."""
        if isinstance(scope, AllSeasons):
            return self.root / TABLES
        return self.root / scope.site / str(scope.season)

    def cache(self, site_season: SiteSeason, name: str) -> Path:
        """A folder that acquisition may keep between runs; not a product."""
        path = self.folder(site_season) / HIDDEN / "cache" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    # -- publishing ------------------------------------------------------------------------------------------

    @contextmanager
    def publish(
        self,
        product: Product,
        *,
        parameters: dict[str, Any] | None = None,
        inputs: Sequence[View] = (),
    ) -> Iterator[Draft]:
        """Write a new version of ``product``; it replaces the current one when the block ends without an error.

        Raises StoreFull when the disk is full; whatever goes wrong, the current version stays as it was.
        """
        self.recover(product)
        identity = uuid.uuid4().hex
        folder = self._home(product) / "versions" / identity
        marker = self._pending / f"{product.key}@{identity}"
        try:
            with self._locked(product):
                _write_marker(marker, product)
                lease = lease_for_writing(folder)
            with lease:
                draft = Draft(product, folder)
                yield draft
                draft.manifest = self._seal(product, folder, parameters or {}, inputs)
                self._make_current(product, identity, draft.manifest)
        except OSError as error:
            if error.errno in _FULL:
                raise StoreFull(
                    f"The disk of {self.root} is full while writing {product.key}; free some space and materialise "
                    f"that partition again (the previous version is untouched)."
                ) from error
            raise
        finally:
            self._discard_unused(product)
            marker.unlink(missing_ok=True)

    def remove(self, product: Product) -> None:
        """Unpublish ``product`` and delete its files."""
        with self._locked(product):
            manifest = self.manifest(product)
            (self._home(product) / "current").unlink(missing_ok=True)
            if manifest is not None:
                self._unlink_names(product, manifest.files)
        self._discard_unused(product)

    def recover(self, product: Product | None = None) -> list[str]:
        """Clear what killed publications left, of one product or of all; returns their keys."""
        prefix = f"{product.key}@" if product is not None else ""
        recovered = []
        for marker in sorted(self._pending.glob(f"{prefix}*")) if self._pending.exists() else []:
            interrupted = _read_marker(marker)
            if interrupted is None:
                continue
            folder = self._home(interrupted) / "versions" / marker.name.rpartition("@")[2]
            with self._locked(interrupted):
                if in_use(folder):
                    continue
                self._repair_names(interrupted)
            self._discard_unused(interrupted)
            marker.unlink(missing_ok=True)
            recovered.append(interrupted.key)
            log.warning("Cleared an interrupted publication of %s; its current version is whole.", interrupted.key)
        return recovered

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _pending(self) -> Path:
        return self.root / HIDDEN / "pending"

    def _home(self, product: Product) -> Path:
        return self.folder(product.scope) / HIDDEN / product.slug

    def _locked(self, product: Product) -> AbstractContextManager[None]:
        return exclusive(self._home(product) / "lock")

    def _seal(self, product: Product, folder: Path, parameters: dict[str, Any], inputs: Sequence[View]) -> Manifest:
        files = {name: FileRecord.of(folder / name) for name in sorted(_names_in(folder))}
        manifest = Manifest(
            product=product.name,
            variant=product.variant,
            site_season=product.scope.key,
            version=data_version(files, parameters),
            software=_software(),
            code_version=code_version(product.name),
            parameters=parameters,
            inputs={view.product.reference(product.scope): view.version for view in inputs},
            files=files,
        )
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
        return manifest

    def _make_current(self, product: Product, identity: str, manifest: Manifest) -> None:
        with self._locked(product):
            previous = self.manifest(product)
            for name in manifest.files:
                self._link_name(product, name)
            staged = self._home(product) / _STAGED
            staged.symlink_to(Path("versions") / identity)
            staged.replace(self._home(product) / "current")
            if previous is not None:
                self._unlink_names(product, previous.files.keys() - manifest.files.keys())

    def _link_name(self, product: Product, name: str) -> None:
        path = self.folder(product.scope) / name
        up = Path(*[".."] * (len(PurePosixPath(name).parts) - 1))
        target = up / HIDDEN / product.slug / "current" / name
        if path.is_symlink():
            owner = path.readlink()
            if owner == target:
                return
            if path.exists():
                raise StoreError(f"{path} belongs to another product ({owner}); two products share a name.")
            path.unlink()
        elif path.exists():
            raise StoreError(f"{path} is a file that satfusion did not write; move it away and try again.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def _unlink_names(self, product: Product, names: Collection[str]) -> None:
        base = self.folder(product.scope)
        for name in names:
            path = base / name
            if path.is_symlink() and f"{HIDDEN}/{product.slug}/current/" in path.readlink().as_posix():
                path.unlink()
        for parent in sorted({base / Path(name).parent for name in names}, reverse=True):
            _remove_empty_folders(parent, base)

    def _repair_names(self, product: Product) -> None:
        """Make the contract's paths those of the current version, whatever a kill left between link and swap."""
        (self._home(product) / _STAGED).unlink(missing_ok=True)
        current = self.manifest(product)
        wanted = set(current.files) if current is not None else set()
        for name in wanted:
            self._link_name(product, name)
        for version in self._versions(product):
            self._unlink_names(product, set(_names_in(version)) - wanted)

    def _versions(self, product: Product) -> list[Path]:
        folder = self._home(product) / "versions"
        return sorted(folder.iterdir()) if folder.exists() else []

    def _discard_unused(self, product: Product) -> None:
        """Delete every version but the current one and those that somebody still reads or writes."""
        with self._locked(product):
            current = self._home(product) / "current"
            keep = current.resolve() if current.is_symlink() else None
            for version in self._versions(product):
                if version.resolve() != keep:
                    remove_unless_in_use(version)

    @contextmanager
    def _lease_current(self, product: Product) -> Iterator[Path]:
        current = self._home(product) / "current"
        while current.is_symlink():
            folder = current.resolve()
            with ExitStack() as stack:
                try:
                    stack.enter_context(lease_for_reading(folder))
                except FileNotFoundError:
                    continue  # replaced between looking and leasing: look again
                if (folder / MANIFEST).exists():
                    yield folder
                    return
        raise ProductMissing(f"{product.key} has not been materialised; materialise that partition first.")


def _software() -> str:
    return f"satfusion {package_version('satfusion')}"


def _names_in(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (LEASE, MANIFEST):
            yield name


def _remove_empty_folders(folder: Path, base: Path) -> None:
    """Remove ``folder`` and its parents below ``base`` as far as they are empty."""
    while folder != base:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or already gone
        folder = folder.parent


def _write_marker(marker: Path, product: Product) -> None:
    """Note a publication before anything of it exists, in one step."""
    marker.parent.mkdir(parents=True, exist_ok=True)
    staged = marker.with_name(f".{marker.name}")
    fields = [product.name, product.scope.key, product.variant]
    staged.write_text(json.dumps(fields), "utf-8")
    staged.replace(marker)


def _read_marker(marker: Path) -> Product | None:
    """The product a marker is about; None when its publication ended meanwhile."""
    try:
        name, scope, variant = json.loads(marker.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Product(name, parse_scope(scope), variant)
