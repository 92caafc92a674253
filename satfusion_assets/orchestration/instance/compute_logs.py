"""What steps print is copied to the terminal by processes beside the command, which Ctrl-C is not meant for.

Dagster starts two for each stream, in the command's own group of processes, and a terminal sends Ctrl-C to the whole
group: they ended first, with a traceback each, and took along what the command says of its end.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

from dagster._core.execution import compute_logs


@contextmanager
def copied_apart() -> Iterator[None]:
    """A block whose steps' output is copied by processes in sessions of their own; they end with it as before."""
    theirs = vars(compute_logs)
    theirs["subprocess"] = SimpleNamespace(Popen=partial(subprocess.Popen, start_new_session=True))
    try:
        yield
    finally:
        theirs["subprocess"] = subprocess
