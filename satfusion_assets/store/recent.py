"""Stacks of images that this process wrote last, for the stages that read them next: nothing is decoded that is held.

They are known by the hashes of their files, so that a stack can never be taken for another version's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

HELD_BYTES: Final = 128_000_000
"""What is held at most: the fused and the Sentinel-3 images of a site-season of the usual size are 90 MB."""

Key = tuple[str, ...]


class RecentStacks:
    """The latest stacks by the SHA-256 of each of their files, ``most`` bytes in all."""

    def __init__(self, most: int = HELD_BYTES) -> None:
        self._most = most
        self._held: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def hold(self, hashes: Sequence[str], stack: NDArray[Any]) -> None:
        """Keep ``stack`` (n, ...), whose files have these n hashes; the oldest go where it would be too much.

        The stack is kept as it is, and must not be changed from then on.
        """
        if stack.nbytes > self._most:
            return
        with self._lock:
            self._held[tuple(hashes)] = stack
            while sum(held.nbytes for held in self._held.values()) > self._most:
                self._held.popitem(last=False)

    def copy(self, hashes: Sequence[str]) -> NDArray[Any] | None:
        """A copy of the stack of files with these hashes; None where it is not held."""
        with self._lock:
            stack = self._held.get(tuple(hashes))
        return None if stack is None else stack.copy()


RECENT: Final = RecentStacks()
"""Of this process."""
