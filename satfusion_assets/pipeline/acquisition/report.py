"""What an acquisition tells its caller."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final, Protocol

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Called after each thing fetched or found in the cache: how many of how many, and which."""

    def __call__(self, done: int, total: int, name: str) -> None: ...


TELLINGS: Final = 10
"""Lines in which the log tells of a long fetch, however many things it fetches."""


def log_progress(done: int, total: int, name: str) -> None:
    """Progress to the log, for callers without a better place: every tenth of the way."""
    if done * TELLINGS // total != (done - 1) * TELLINGS // total:
        log.info("%d of %d fetched or found in the cache, the last one %s.", done, total, name)


@dataclass(frozen=True)
class SetAside:
    """Something of the archive that is not in the product.

    name: what it would be called there, '' when it has no name. source: the archive's name for it. kind: for
    counting. reason: one sentence.
    """

    name: str
    source: str
    kind: str
    reason: str
