"""Where Dagster keeps its own records, and the instance that the command line shares with the UI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg

import satfusion_assets
from satfusion_assets.vocabulary.errors import InvalidInput

VARIABLE: Final = "DAGSTER_HOME"


def dagster_home() -> Path:
    """DAGSTER_HOME, or the checkout's ``dagster_home`` when it is not set; exported for child processes."""
    named = os.environ.get(VARIABLE, "")
    if not named.strip():
        home = Path(satfusion_assets.__file__).parents[1] / "dagster_home"
        if not (home / "dagster.yaml").exists():
            raise InvalidInput(
                f"{VARIABLE} is not set and there is no checkout with a dagster_home folder; set {VARIABLE} to a "
                "folder that holds a dagster.yaml."
            )
        os.environ[VARIABLE] = str(home)
        return home
    if not Path(named).is_absolute() or not Path(named).is_dir():
        raise InvalidInput(f"{VARIABLE} is {named!r}; give the absolute path of a folder that holds a dagster.yaml.")
    return Path(named)


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The instance of ``dagster_home``: what is materialised here shows in the UI."""
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        yield instance
