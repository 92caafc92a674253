"""Where Dagster keeps its own records, and the instance that the command line shares with the UI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

import satfusion_assets
from satfusion_assets.errors import InvalidInput


def dagster_home() -> Path:
    """DAGSTER_HOME, or the checkout's ``dagster_home`` when it is not set; exported for child processes."""
    if "DAGSTER_HOME" not in os.environ:
        home = Path(satfusion_assets.__file__).parents[1] / "dagster_home"
        if not (home / "dagster.yaml").exists():
            raise InvalidInput(
                "DAGSTER_HOME is not set and there is no checkout with a dagster_home folder; set DAGSTER_HOME to a "
                "folder that holds a dagster.yaml."
            )
        os.environ["DAGSTER_HOME"] = str(home)
    return Path(os.environ["DAGSTER_HOME"])


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The instance of ``dagster_home``: what is materialised here shows in the UI."""
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        yield instance
