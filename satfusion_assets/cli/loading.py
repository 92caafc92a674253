"""Loading what a command needs, without the collector of cycles in the way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SELDOM: Final = 20_000
"""New objects after which the collector looks for cycles, of which a run leaves few: at Python's own 700 it looks some
twelve hundred times while four scenarios are made, a thirtieth of their CPU."""


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
        gc.set_threshold(SELDOM)
        gc.enable()
