"""Where Dagster keeps its own records, and the instance that the command line shares with the UI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from satfusion_assets.store.leases import exclusive
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.installation import INSTANCE, beside_package, checkout, home

if TYPE_CHECKING:
    import dagster as dg

VARIABLE: Final = "DAGSTER_HOME"
_OPENING: Final = "opening.lock"


def dagster_home() -> Path:
    """DAGSTER_HOME; not set: the checkout's ``dagster_home``, or an installed package's, made when first asked for.

    Exported for child processes. InvalidInput when DAGSTER_HOME is set to what is no folder.
    """
    named = os.environ.get(VARIABLE, "")
    if not named.strip():
        folder = (checkout() or home()) / "dagster_home"
        if not (folder / INSTANCE.name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(beside_package(INSTANCE), folder)
        os.environ[VARIABLE] = str(folder)
        return folder
    if not Path(named).is_absolute() or not Path(named).is_dir():
        raise InvalidInput(f"{VARIABLE} is {named!r}; give the absolute path of a folder that holds a dagster.yaml.")
    return Path(named)


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The instance of ``dagster_home``: what is materialised here shows in the UI.

    Commands that are started together open it one after the other: Dagster makes its tables the first time, and fails
    where another process makes them at the same moment.
    """
    import dagster as dg

    with exclusive(dagster_home() / _OPENING):
        opened = dg.DagsterInstance.get()
    with opened as instance:
        yield instance
