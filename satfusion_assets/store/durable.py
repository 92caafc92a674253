"""What is written is on the disk: files before the names that lead to them, names before what relies on them.

Nothing here is visible to a reader; it decides what a loss of power may leave behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_AT_ONCE: Final = 16
"""Waits for the disk that run side by side: a journal commits them together, a twentieth of the time one by one."""


def write(path: Path, content: bytes) -> None:
    """``content`` as the file ``path``, on the disk when this returns; its name needs ``sync_folder``."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(paths: Iterable[Path]) -> None:
    """Wait until the contents of the files, or the names in the folders, ``paths`` are on the disk."""
    waiting = list(paths)
    if len(waiting) < _AT_ONCE:
        for path in waiting:
            _sync(path)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_sync, waiting))


def sync_folder(folder: Path) -> None:
    """Wait until the names in ``folder`` are on the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
