"""Days in the names of files."""

from __future__ import annotations

from datetime import date


def stamp(day: date) -> str:
    """``20240131``: how days are written in file names."""
    return f"{day:%Y%m%d}"


def day_of(name: str) -> date:
    """The day in a contract file name: ``..._20240131_REFL.tif``, ``20240131_0.geotiff``."""
    base = name.rsplit("/", 1)[-1]
    for part in base.replace(".", "_").split("_"):
        if len(part) == 8 and part.isdigit():
            return date(int(part[:4]), int(part[4:6]), int(part[6:]))
    raise ValueError(f"{name} carries no day")
