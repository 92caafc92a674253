"""Leases on version folders: advisory locks that the kernel releases when their holder dies."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

LEASE: Final = ".lease"
HIDDEN: Final = ".satfusion"
VERSIONS: Final = "versions"
PACK: Final = ".zarr"
"""Ending of folders whose missing files a reader takes for missing values."""
_SEALED_S: Final = 30 * 86_400.0
"""How long the names of a discarded pack are kept: longer than anybody keeps one open."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; waits for other holders. Not reentrant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lease_for_writing(folder: Path) -> IO[str]:
    """Create ``folder`` and lease it; closing the returned file ends the lease."""
    folder.mkdir(parents=True)
    file = (folder / LEASE).open("a")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def lease(folder: Path) -> IO[str]:
    """Keep ``folder`` on disk until the returned file is closed; FileNotFoundError when it is already gone."""
    file = (folder / LEASE).open("r")
    fcntl.flock(file, fcntl.LOCK_SH)
    if os.fstat(file.fileno()).st_nlink == 0:  # discarded while we waited
        file.close()
        raise FileNotFoundError(folder / LEASE)
    return file


@contextmanager
def lease_for_reading(folder: Path) -> Iterator[None]:
    """``lease`` for a block."""
    with lease(folder):
        yield


def version_of(path: Path) -> Path | None:
    """The version folder that the resolved ``path`` lies in; None outside a product store."""
    for folder in (path, *path.parents):
        home = folder.parent.parent
        if folder.parent.name == VERSIONS and home.parent.name == HIDDEN:
            return folder
    return None


def in_use(folder: Path) -> bool:
    """Whether anybody reads or writes ``folder``."""
    try:
        with (folder / LEASE).open("r") as file:
            return not _try_lock(file)
    except FileNotFoundError:
        return False


def discard_unless_in_use(folder: Path) -> None:
    """Delete ``folder`` while nobody can start to read it.

    Of a pack the files' names stay for a while, as links that lead nowhere: a reader without a lease that has one open
    gets an error then, where it would take a file that is gone for missing values.
    """
    try:
        with (folder / LEASE).open("r") as file:
            if _try_lock(file):
                _discard(folder)
    except FileNotFoundError:
        _discard(folder)


def _discard(folder: Path) -> None:
    (folder / LEASE).unlink(missing_ok=True)
    packs = [path for path in folder.rglob(f"*{PACK}") if path.is_dir()]
    if not packs or time.time() - folder.stat().st_mtime > _SEALED_S:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_dir():
            continue
        if any(pack in path.parents for pack in packs):
            _seal(path)
        else:
            path.unlink()


def _seal(path: Path) -> None:
    """Put a link to itself in the place of ``path``, in one step."""
    staged = path.with_name(f".{path.name}.sealed")
    staged.unlink(missing_ok=True)
    staged.symlink_to(path.name)
    staged.replace(path)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
