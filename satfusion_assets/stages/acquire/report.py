"""What an acquisition tells its caller."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from satfusion_assets.store import Manifest, Product

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Called after each thing fetched or found in the cache: how many of how many, and which."""

    def __call__(self, done: int, total: int, name: str) -> None: ...


def log_progress(done: int, total: int, name: str) -> None:
    """Progress to the log, for callers without a better place."""
    log.info("%d of %d: %s", done, total, name)


@dataclass(frozen=True)
class SetAside:
    """Something of the archive that is not in the product. name: scene or file. kind: for counting. reason: why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Acquired:
    """A published raw product.

    count: scenes, overpasses or pictures in it. fetched: asked of the archive in this run; the rest was in the
    cache. requests, bytes_read: data requests of this run. set_aside: what was left out and why.
    """

    product: Product
    manifest: Manifest
    count: int
    fetched: int
    requests: int
    bytes_read: int
    set_aside: Sequence[SetAside] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
