"""The read-only, fenced view of the product store: paths from outside are checked here and nowhere else."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Final

from satfusion_assets.errors import InvalidInput, ProductCorrupt, ProductMissing

SUFFIXES: Final = frozenset(
    {
        ".geotiff",
        ".tif",
        ".tiff",
        ".json",
        ".geojson",
        ".csv",
        ".parquet",
        ".tex",
        ".md",
        ".txt",
        ".jpg",
        ".jpeg",
        ".png",
    }
)
TABLES: Final = "tables"
"""Folder of the tables over all site-seasons."""
_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class Fence:
    """The data root, and the rule for what below it may be read.

    A path is ``{site}/{season}/...`` or ``tables/...`` of plain names, none beginning with a dot; its suffix is a
    product's; and what it points to, symbolic links followed, lies inside the root. Anything else does not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def season(self, site: str, season: int) -> Path:
        """Folder of a site-season, which need not exist."""
        return self.root / site / str(season)

    def file(self, relative: str) -> Path:
        """The existing file behind ``relative``; ProductMissing for anything outside the fence."""
        parts = relative.split("/")
        plain = all(_PART.fullmatch(part) for part in parts) and ".." not in relative
        if not plain or not _is_place(parts) or not _is_product(parts):
            raise ProductMissing(f"{relative!r} is not a product of this store.")
        try:
            path = (self.root / relative).resolve(strict=True)
        except (OSError, RuntimeError):  # missing, or links that lead in a circle
            path = self.root
        if not path.is_relative_to(self.root) or not path.is_file():
            raise ProductMissing(f"{relative} is not there; materialise it, then reload.")
        return path

    def relative(self, path: Path) -> str:
        """``path`` as the address below the root that ``file`` accepts."""
        return path.relative_to(self.root).as_posix()


def _is_place(parts: list[str]) -> bool:
    """Below a site-season, or a table over all of them."""
    return (len(parts) == 2 and parts[0] == TABLES) or (len(parts) >= 3 and parts[1].isdecimal())


def _is_product(parts: list[str]) -> bool:
    in_pack = any(part.endswith(".zarr") for part in parts[2:-1])
    return in_pack or Path(parts[-1]).suffix.lower() in SUFFIXES


def read_json(path: Path, name: str) -> Any:
    """The contents of ``path``, every NaN and infinity as None; ProductCorrupt names the file by ``name``."""
    try:
        return _finite(json.loads(path.read_text("utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ProductCorrupt(f"{name} is not valid JSON ({error}); materialise it again.") from error
    except OSError as error:
        raise ProductMissing(f"{name} cannot be read ({error.strerror}); materialise it, then reload.") from error


def read_json_if_there(path: Path, name: str) -> Any | None:
    """As ``read_json``, None when there is no such file."""
    return read_json(path, name) if path.is_file() else None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def iso_day(compact: str) -> str:
    """``20240103`` as ``2024-01-03``; InvalidInput when it is not a date's shape."""
    if len(compact) != 8 or not compact.isdecimal():
        raise InvalidInput(f"{compact!r} is not a day written YYYYMMDD.")
    return f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"
