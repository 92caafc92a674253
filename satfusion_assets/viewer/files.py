"""The read-only, fenced view of the product store: paths from outside are checked here and nowhere else."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from satfusion_assets.store.leases import HIDDEN, lease
from satfusion_assets.store.names import CURRENT
from satfusion_assets.vocabulary.errors import InvalidInput, ProductCorrupt, ProductMissing

T = TypeVar("T")

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
LARGEST_JSON: Final = 64 * 2**20
"""Bytes of a JSON file that is still read; a season's largest has a few."""
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
        self.refuse_unless_plain(relative)
        try:
            path = (self.root / relative).resolve(strict=True)
        except (OSError, RuntimeError):  # missing, or links that lead in a circle
            path = self.root
        if not path.is_relative_to(self.root) or not path.is_file():
            raise ProductMissing(f"{relative} is not there; materialise it, then reload.")
        return path

    def refuse_unless_plain(self, relative: str) -> None:
        """ProductMissing where ``relative`` can be no product, whatever there is."""
        parts = relative.split("/")
        plain = all(_PART.fullmatch(part) for part in parts) and ".." not in relative
        if not plain or not _is_place(parts) or not _is_product(parts):
            raise ProductMissing(f"{relative!r} is not a product of this store.")

    @property
    def places(self) -> tuple[str, ...]:
        """Where the store lies, which no answer says."""
        return (str(self.root),)

    def bring(self, paths: Sequence[Path]) -> None:
        """Have the contract's ``paths`` at hand, since all of them will be read."""

    def listed(self, folder: Path) -> list[str]:
        """Names in the contract's ``folder``; none where there is no such. OSError when it cannot be listed."""
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def is_file(self, path: Path) -> bool:
        """Whether the contract's ``path`` can be read."""
        return self.real(path).is_file()

    def size(self, path: Path) -> int:
        """Bytes of the contract's file ``path``."""
        return path.stat().st_size

    def relative(self, path: Path) -> str:
        """``path`` as the address below the root that ``file`` accepts."""
        return path.relative_to(self.root).as_posix()

    def real(self, path: Path) -> Path:
        """Where the contract's ``path`` is read."""
        return path

    def json_if_there(self, path: Path) -> Any | None:
        """Contents of the contract's ``path``, None when there is no such file."""
        return read_json_if_there(self.real(path), self.relative(path))

    def checked(self, path: Path, shape: type[T]) -> T | None:
        """As ``json_if_there``, held against ``shape``; ProductCorrupt says what is otherwise."""
        found = self.json_if_there(path)
        try:
            return None if found is None else TypeAdapter(shape).validate_python(found)
        except (ValidationError, RecursionError) as error:
            raise ProductCorrupt(
                f"{self.relative(path)} has not the shape that it should ({_first(error)}); materialise it again."
            ) from error

    @contextmanager
    def snapshot(self) -> Iterator[Fence]:
        """The store for one question: every product in the one version that was current when it was first looked at."""
        with ExitStack() as leases:
            yield Snapshot(self.root, leases)


class Snapshot(Fence):
    """A fence that resolves each product's ``current`` once, and keeps that version on disk meanwhile."""

    def __init__(self, root: Path, leases: ExitStack) -> None:
        super().__init__(root)
        self._leases = leases
        self._pinned: dict[Path, Path] = {}

    def real(self, path: Path) -> Path:
        """Where ``path`` lies in the version of its product; ``path`` itself where it is no link of the store."""
        for part in (path, *path.parents):
            if part == self.root:
                break
            if part.is_symlink():
                target = Path(os.path.normpath(part.parent / part.readlink()))
                return self._in_version(target / path.relative_to(part)) or path
        return path

    def file(self, relative: str) -> Path:
        """As ``Fence.file``, in the version of this question."""
        super().file(relative)
        path = self.real(self.root / relative).resolve()
        if not path.is_relative_to(self.root) or not path.is_file():
            raise ProductMissing(f"{relative} is not there; materialise it, then reload.")
        return path

    def _in_version(self, target: Path) -> Path | None:
        """``{base}/.satfusion/{product}/current/{name}`` with the version in the place of ``current``."""
        parts = target.parts
        depth = next((n for n, part in enumerate(parts[:-3]) if part == HIDDEN and parts[n + 2] == CURRENT), None)
        if depth is None:
            return None
        home = Path(*parts[: depth + 2])
        if home not in self._pinned:
            self._pinned[home] = self._pin(home)
        return self._pinned[home].joinpath(*parts[depth + 3 :])

    def _pin(self, home: Path) -> Path:
        gone = None
        while True:
            version = (home / CURRENT).resolve()
            try:
                self._leases.enter_context(lease(version))
            except OSError:
                if version != gone:
                    gone = version  # replaced between looking and leasing: look again
                    continue
            return version


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    one = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg'][:200]}"


def _is_place(parts: list[str]) -> bool:
    """Below a site-season, or a table over all of them."""
    return (len(parts) == 2 and parts[0] == TABLES) or (len(parts) >= 3 and parts[1].isdecimal())


def _is_product(parts: list[str]) -> bool:
    in_pack = any(part.endswith(".zarr") for part in parts[2:-1])
    return in_pack or Path(parts[-1]).suffix.lower() in SUFFIXES


def read_json(path: Path, name: str) -> Any:
    """The contents of ``path``, every NaN and infinity as None; ProductCorrupt names the file by ``name``."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ProductCorrupt(f"{name} is larger than {LARGEST_JSON // 2**20} MiB; materialise it again.")
        return finite(json.loads(path.read_text("utf-8")))
    except RecursionError as error:
        raise ProductCorrupt(f"{name} is nested too deeply; materialise it again.") from error
    except ValueError as error:
        raise ProductCorrupt(f"{name} is not valid JSON ({error}); materialise it again.") from error
    except OSError as error:
        raise ProductMissing(f"{name} cannot be read ({error.strerror}); materialise it, then reload.") from error


def read_json_if_there(path: Path, name: str) -> Any | None:
    """As ``read_json``, None when there is no such file."""
    return read_json(path, name) if path.is_file() else None


def finite(value: Any) -> Any:
    """``value`` as every reader of JSON takes it: NaN and infinities as None, text that is Unicode."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, dict):
        return {finite(key): finite(item) for key, item in value.items()}
    return value


def iso_day(compact: str) -> str:
    """``20240103`` as ``2024-01-03``; InvalidInput when it is not a date's shape."""
    if len(compact) != 8 or not compact.isdecimal():
        raise InvalidInput(f"{compact!r} is not a day written YYYYMMDD.")
    return f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"
