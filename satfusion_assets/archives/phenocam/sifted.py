"""What an archive lists, entry by entry: those that can be used, and those that cannot, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, overload

T = TypeVar("T")

FEW: Final = 3
SHARE: Final = 0.1
"""More bad entries than a few, and than this share of all, are not single bad entries: the whole is another format."""
LONGEST_QUOTE: Final = 80
"""Characters of an archive's own text that a reason repeats."""


@dataclass(frozen=True)
class LeftOut:
    """An entry that cannot be used. what: which one, in the archive's words. reason: a clause."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class Sifted(Sequence[T]):
    """The usable entries in order; ``left_out`` are the others."""

    kept: tuple[T, ...]
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, position: int) -> T: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[T]: ...
    def __getitem__(self, position: int | slice) -> T | Sequence[T]:
        return self.kept[position]

    @property
    def too_many_left_out(self) -> bool:
        """Whether so much is bad that the whole cannot be trusted."""
        bad = len(self.left_out)
        return bad > max(FEW, SHARE * (bad + len(self.kept))) or (bad > 0 and not self.kept)


def quoted(value: object) -> str:
    """``value`` for a message, never long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "..."
