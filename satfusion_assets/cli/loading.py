"""Loading what a command needs, without the collector of cycles in the way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_good() -> Iterator[None]:
    """A block of imports and definitions, which stay until the process ends.

    Python's collector would go through them while they come, and again whenever it looks at everything: with Dagster
    and the scientific libraries that is a tenth of what a season's materialisation takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
