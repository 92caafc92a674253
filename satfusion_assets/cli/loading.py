"""Loading what a command needs, without the collector of cycles in the way, and with memory that goes back."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

SELDOM: Final = 20_000
"""New objects after which the collector looks for cycles, of which a run leaves few: at Python's own 700 it looks some
twelve hundred times while four scenarios are made, a thirtieth of their CPU."""
HEAPS: Final = 2
"""Heaps of the C library: by itself it makes up to eight a core for threads, and each keeps what was freed in it."""
LARGE: Final = 1 << 20
"""Bytes from which an array has memory of its own, which goes back when it is freed: by itself the C library takes up
to 32 MB from a heap once one as large was freed. There are some hundred of such arrays a scenario."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""The options' numbers in glibc's malloc.h; the environment calls them MALLOC_MMAP_THRESHOLD_ and MALLOC_ARENA_MAX."""


@contextmanager
def kept_for_good() -> Iterator[None]:
    """A block of imports and definitions, which stay until the process ends.

    Python's collector would go through them while they come, and again whenever it looks at everything: with Dagster
    and the scientific libraries that is a tenth of what a season's materialisation takes.
    """
    _give_back()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(SELDOM)
        gc.enable()


def _give_back() -> None:
    """An eighth of a command's memory; where the C library is another, it stays as it is."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE)
