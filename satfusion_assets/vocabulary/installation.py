"""Where this package lies: in a checkout, or installed from a wheel; and where each keeps what it makes.

A wheel carries the files that stand beside the package in a checkout (``hatch_build.py``), in the same order of
folders, below ``installed/``. A checkout keeps its data where the command is given; an installed package, which people
use from any folder, keeps everything in one place of the user's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
INSTANCE: Final = Path("dagster_home") / "dagster.yaml"
"""Dagster's settings; what a checkout is known by as well."""
WORKSPACE: Final = Path("deploy") / "workspace.yaml"
VIEWER: Final = Path("webapp") / "dist"


def checkout(package: Path = _PACKAGE) -> Path | None:
    """The checkout that the package lies in, None where it is installed."""
    folder = package.parent
    return folder if (folder / INSTANCE).is_file() and (folder / "pyproject.toml").is_file() else None


def beside_package(name: Path, package: Path = _PACKAGE) -> Path:
    """A file that a checkout has beside the package and a wheel carries inside it."""
    return (checkout(package) or package / "installed") / name


def home(package: Path = _PACKAGE) -> Path:
    """What relative names of data stand below: the current folder in a checkout, else the user's data folder."""
    if checkout(package) is not None:
        return Path()
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "satfusion"
