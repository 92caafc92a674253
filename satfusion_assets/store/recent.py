"""Stacks of images that this process wrote or read last, for the stages that read them next: nothing is decoded that is
held.

They are known by the hashes of their files, so that a stack can never be taken for another version's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from satfusion_assets.store.stacks import Images

Made = TypeVar("Made", bound=Sized)

WRITTEN_BYTES: Final = 256_000_000
"""What is held at most of what was written: the fused images of a reflectance scenario of the usual size are 66 MB."""
READ_BYTES: Final = 64_000_000
"""And of what was read: a strategy's prepared images are 30 MB."""
ENCODED_BYTES: Final = 8_000_000
"""And of what was encoded: Sentinel-2 and Sentinel-3 of a strategy and mode are 3 MB in a pack."""


class RecentStacks:
    """The latest stacks by the SHA-256 of each of their files, ``most`` bytes in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, ...], Images] = OrderedDict()
        self._lock = threading.Lock()

    def hold(self, hashes: Sequence[str], stack: Images) -> None:
        """Keep ``stack`` (n, ...), whose files have these n hashes; the oldest go where it would be too much.

        The stack must not be changed from then on.
        """
        if stack.nbytes <= self._most:
            with self._lock:
                self._held[tuple(hashes)] = stack
                while sum(held.nbytes for held in self._held.values()) > self._most:
                    self._held.popitem(last=False)

    def find(self, hashes: Sequence[str]) -> Images | None:
        """The images of files with these hashes, to be looked at and not changed; None where no stack held has them one
        after another.
        """
        wanted = tuple(hashes)
        with self._lock:
            for of, stack in self._held.items():
                if not wanted or wanted[0] not in of:
                    continue
                start = of.index(wanted[0])
                if of[start : start + len(wanted)] == wanted:
                    return stack[start : start + len(wanted)]
        return None

    def keep(self, hashes: Iterable[str]) -> None:
        """Hold no stack but those of which every file has one of these hashes."""
        wanted = {*hashes}
        with self._lock:
            for of in [of for of in self._held if not wanted.issuperset(of)]:
                del self._held[of]


class RecentlyEncoded(Generic[Made]):
    """What was encoded last, by what it is made of: scenarios of one strategy have much alike. most: bytes in all, of
    things whose length is their bytes."""

    def __init__(self, most: int = ENCODED_BYTES) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Made] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Made | None:
        with self._lock:
            return self._held.get(key)

    def hold(self, key: Hashable, made: Made) -> None:
        """Keep ``made``; the oldest go where it would be too much."""
        with self._lock:
            self._held[key] = made
            while sum(map(len, self._held.values())) > self._most:
                self._held.popitem(last=False)


WRITTEN: Final = RecentStacks(WRITTEN_BYTES)
"""Of this process."""
READ: Final = RecentStacks(READ_BYTES)
