"""The contract's paths: links through ``current``, one a file, but one for a whole pack.

A pack's link leads to a folder, so that resolving it once gives all of its files in one version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from satfusion_assets.store.leases import HIDDEN, PACK
from satfusion_assets.vocabulary.errors import StoreError

CURRENT: Final = "current"
SIDECAR: Final = ".aux.xml"
RASTERS: Final = (".tif", ".tiff", ".geotiff")


def links_of(names: Iterable[str]) -> set[str]:
    """The links that make the files ``names`` visible."""
    return {_link_of(name) for name in names}


def _link_of(name: str) -> str:
    pack, inside, _ = name.partition(f"{PACK}/")
    return pack + PACK if inside else name


def remove_sidecar(path: Path) -> None:
    """Remove what GDAL's programs noted beside a raster: statistics of the pixels that were there before."""
    if path.suffix in RASTERS:
        path.with_name(f"{path.name}{SIDECAR}").unlink(missing_ok=True)


class ContractNames:
    """The links of one product below its scope's folder ``base``; slug: the product's."""

    def __init__(self, base: Path, slug: str) -> None:
        self._base = base
        self._slug = slug

    def link(self, names: Iterable[str]) -> set[Path]:
        """Make every file of ``names`` visible; returns the folders that changed. StoreError where a name is taken."""
        changed: set[Path] = set()
        by_folder: dict[Path, list[str]] = {}
        for name in sorted(links_of(names)):
            by_folder.setdefault((self._base / name).parent, []).append(name)
        for folder, inside in by_folder.items():
            # Looked at once: a season has hundreds of names in a folder, and asking for each takes a second.
            folder.mkdir(parents=True, exist_ok=True)
            there = {path.name for path in folder.iterdir()}
            news = [name for name in inside if self._link_in(folder, name, there)]
            if news:
                changed |= {parent for parent in (folder, *folder.parents) if parent.is_relative_to(self._base)}
        return changed

    def _link_in(self, folder: Path, name: str, there: Collection[str]) -> bool:
        """Make ``name`` visible in its ``folder``, which holds ``there``; whether that was news."""
        own = name.rpartition("/")[2]
        if f"{own}{SIDECAR}" in there:
            remove_sidecar(folder / own)
        if own in there:
            return self._link(name)
        (folder / own).symlink_to(self._target(name))
        return True

    def unlink(self, links: Collection[str]) -> None:
        """Remove the product's own of ``links``, and the folders that are empty then."""
        for name in links:
            path = self._base / name
            if self._is_own(path):
                path.unlink()
                remove_sidecar(path)
            elif name.endswith(PACK) and path.is_dir() and not path.is_symlink():
                self._unlink_files(path)
        for parent in sorted({(self._base / name).parent for name in links}, reverse=True):
            self._remove_empty_folders(parent)

    def _link(self, name: str) -> bool:
        path = self._base / name
        target = self._target(name)
        if path.is_symlink():
            owner = path.readlink()
            if str(owner) == target:
                return False
            if path.exists():
                raise StoreError(f"{path} belongs to another product ({owner}); two products share a name.")
            path.unlink()
        elif path.is_dir() and name.endswith(PACK):
            self._unlink_files(path)
        if path.exists():
            raise StoreError(f"{path} is a file that satfusion did not write; move it away and try again.")
        path.parent.mkdir(exist_ok=True, parents=True)  # it may have gone with the links of before
        path.symlink_to(target)
        return True

    def _target(self, name: str) -> str:
        """Where the link of ``name`` leads, from its folder."""
        return f"{'../' * name.count('/')}{HIDDEN}/{self._slug}/{CURRENT}/{name}"

    def _is_own(self, path: Path) -> bool:
        return path.is_symlink() and f"{HIDDEN}/{self._slug}/{CURRENT}/" in path.readlink().as_posix()

    def _unlink_files(self, folder: Path) -> None:
        """A pack as stores were laid out before, with a link for each of its files."""
        for path in sorted(folder.rglob("*"), reverse=True):
            if self._is_own(path):
                path.unlink()
            elif path.is_dir():
                self._remove_empty_folders(path)
        self._remove_empty_folders(folder)

    def _remove_empty_folders(self, folder: Path) -> None:
        """Remove ``folder`` and its parents below the base as far as they are empty."""
        while folder != self._base:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or already gone
            folder = folder.parent
