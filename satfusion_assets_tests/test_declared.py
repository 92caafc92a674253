"""Whatever the code imports is named in pyproject.toml, not only brought along by something that is."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
OURS: Final = ("satfusion_assets", "satfusion_assets_tests", "benchmarks", "deploy", "docs_site")
BESIDE: Final = {"arch"}
"""Measured beside our own where it is installed; no part of the environment."""
DECLARED: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@cache
def imported(folder: Path) -> list[tuple[str, Path]]:
    """(top-level module, file) of every import that is not ours nor Python's."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            tops = {name.partition(".")[0] for name in names} - BESIDE - set(OURS) - sys.stdlib_module_names
            found += [(top, path) for top in tops]
    return found


@cache
def distributions() -> dict[str, set[str]]:
    """Which packages each installed top-level module comes with."""
    known = packages_distributions()
    return {top: {name.lower().replace("_", "-") for name in names} for top, names in known.items()}


def beyond(folder: str, *extras: str) -> list[tuple[str, Path]]:
    """Imports below a folder that neither the default install nor the extras name."""
    known, of_module = declared(*extras), distributions()
    return [(top, path) for top, path in imported(ROOT / folder) if top in of_module and not of_module[top] & known]


def declared(*extras: str) -> set[str]:
    wanted = DECLARED["dependencies"] + [line for extra in extras for line in DECLARED["optional-dependencies"][extra]]
    return {re.split(r"[\[<>=~!; ]", line)[0].lower().replace("_", "-") for line in wanted}


@pytest.mark.parametrize(
    ("folder", "extras"), [("satfusion_assets", ("cluster",)), *((name, ("cluster", "dev")) for name in OURS[1:])]
)
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    assert not {f"{top} ({path.relative_to(ROOT)})" for top, path in beyond(folder, *extras)}


def test_the_default_install_imports_nothing_of_the_cluster() -> None:
    rooms = {path.relative_to(ROOT / "satfusion_assets").parts[:2] for _, path in beyond("satfusion_assets")}
    assert rooms == {("orchestration", "cluster")}
