"""What steps print is copied to the terminal by processes beside the command, which Ctrl-C is not meant for.

Dagster starts two for each stream, in the command's own group of processes, and a terminal sends Ctrl-C to the whole
group: they ended first, with a traceback each, and took along what the command says of its end.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Apart(subprocess.Popen[Any]):
    """A child in a session of its own."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"start_new_session": True} | options)


@contextmanager
def copied_apart() -> Iterator[None]:
    """A block whose children are in sessions of their own; who starts them ends them, as before."""
    usual = subprocess.Popen
    subprocess.Popen = _Apart  # type: ignore[misc]
    try:
        yield
    finally:
        subprocess.Popen = usual  # type: ignore[misc]
