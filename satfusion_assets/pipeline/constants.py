"""The constants of the package's modules, by module, kept between processes.

They are read from the modules themselves, and some of these take a second to import (numba, scipy, zarr): too long for
a command that finds nothing to do. What is kept is known by the digest of all sources. A module that is loaded anyway
is asked itself, so that what is kept never speaks against the process that it is in, nor comes from a process that
changed a constant.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import os
import pkgutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import cache
from importlib import import_module
from numbers import Number
from types import ModuleType
from typing import Any, Final

import numpy as np

from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.vocabulary.kept import PACKAGE, kept_folder, sources_digest

PORTIONS: Final = frozenset(
    {"CHUNK", "LANES", "DAYS_AT_ONCE", "HALO", "STRIDE", "WIDE_STRIDE", "FEW_SCENES", "KEPT_ROWS", "_PORTION", "_SPANS"}
)
"""Constants that say how much is done at once, and change no number."""
_FILE: Final = "constants.json"


def constants(parts: Sequence[str]) -> list[Mapping[str, Any]]:
    """The constants of each module of ``parts``, modules or packages of the package: name -> value, as JSON gives it
    back.
    """
    modules = {module for part in parts for module in modules_of(part)}
    if any(not _loaded(module) and module not in _kept() for module in modules):
        _keep({module for part in _all_parts() for module in modules_of(part) if not _loaded(module)})
    return [constants_of(module) if _loaded(module) else _kept()[module] for module in sorted(modules)]


def modules_of(part: str) -> Iterator[str]:
    """Module ``part`` of the package and all modules below it, by their names; none of them is imported."""
    yield part
    for inner in pkgutil.iter_modules([str(PACKAGE.joinpath(*part.split(".")))]):
        yield from modules_of(f"{part}.{inner.name}")


def _all_parts() -> set[str]:
    """The parts of all products' records, by all methods."""
    shapings = [record.shaping(variant) for record in REGISTRY.products for variant in record.grid.variants]
    return {part for shaping in shapings for part in shaping.thresholds}


def _loaded(module: str) -> bool:
    return _name(module) in sys.modules


def _name(module: str) -> str:
    return f"satfusion_assets.{module}"


@cache
def _kept() -> dict[str, Mapping[str, Any]]:
    """What is kept of the present sources; nothing where it is unreadable, or of others."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((kept_folder() / _FILE).read_text("utf-8"))
        if said["sources"] == sources_digest():
            return dict(said["modules"])
    return {}


def _keep(modules: Collection[str]) -> None:
    """Read ``modules``, none of which was loaded before, and keep their constants where the disk allows."""
    for module in modules:
        import_module(_name(module))
    _kept().update({module: constants_of(module) for module in modules})
    text = json.dumps({"sources": sources_digest(), "modules": _kept()}, sort_keys=True)
    with suppress(OSError):
        kept_folder().mkdir(parents=True, exist_ok=True)
        staged = kept_folder() / f"{_FILE}.{os.getpid()}"
        staged.write_text(text, "utf-8")
        staged.replace(kept_folder() / _FILE)


def constants_of(module: str) -> dict[str, Any]:
    """The own constants of a loaded module that hold a number."""
    loaded = sys.modules[_name(module)]
    return {
        name: json.loads(json.dumps(plain(value)))
        for name in sorted(_assigned(loaded) - PORTIONS)
        if name.lstrip("_").isupper() and holds_number(value := getattr(loaded, name))
    }


def _assigned(module: ModuleType) -> set[str]:
    """Names that the module's source assigns, as opposed to those that it imports."""
    targets = [
        target
        for node in ast.parse(inspect.getsource(module)).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
    ]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def holds_number(value: Any) -> bool:
    """Whether a constant is a number or a collection or record with one."""
    if isinstance(value, Number | np.ndarray):
        return True
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(holds_number(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return any(holds_number(item) for item in value.values())
    return isinstance(value, tuple | list | frozenset | set) and any(holds_number(item) for item in value)


def plain(value: Any) -> Any:
    """A constant as JSON can hold it; what is no value (a function in a record) by its name."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return getattr(value, "__qualname__", str(value))
