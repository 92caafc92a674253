"""Whether this process may publish into a bucket: asked right before anything is made current."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_asked: list[Callable[[], None]] = []


@contextmanager
def publishing_only_while(confirm: Callable[[], None]) -> Iterator[None]:
    """Ask ``confirm``, which raises when the right is lost, before every publication of this process in the block."""
    _asked.append(confirm)
    try:
        yield
    finally:
        _asked.remove(confirm)


def confirm_publishing() -> None:
    """Return when this process may publish; raises what whoever took the right away has to say."""
    for confirm in _asked:
        confirm()
