"""Leases on version folders: advisory locks that the kernel releases when their holder dies."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

LEASE: Final = ".lease"


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


@contextmanager
def lease_for_reading(folder: Path) -> Iterator[None]:
    """Keep ``folder`` on disk meanwhile; FileNotFoundError when it is already gone."""
    with (folder / LEASE).open("r") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def in_use(folder: Path) -> bool:
    """Whether anybody reads or writes ``folder``."""
    try:
        with (folder / LEASE).open("r") as file:
            return not _try_lock(file)
    except FileNotFoundError:
        return False


def remove_unless_in_use(folder: Path) -> None:
    """Delete ``folder`` while nobody can start to read it."""
    try:
        with (folder / LEASE).open("r") as file:
            if _try_lock(file):
                shutil.rmtree(folder)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
