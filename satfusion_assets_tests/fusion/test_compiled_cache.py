"""A kept kernel is never older than anything that it calls."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import satfusion_assets
from satfusion_assets.vocabulary.kept_kernels import kernel_sources, kernels_digest

PACKAGE = Path(satfusion_assets.__file__).parent
FILL = """
import numpy as np
from satfusion_assets.evaluation.gaps import competitors
assert competitors.__file__.startswith({folder!r}), competitors.__file__
days = np.arange(0, 80, 4)
values = np.sin(days / 20.0).reshape(1, 1, -1).astype(np.float32)
out = np.full((1, 1, 80), np.nan, np.float32)
competitors.WHITTAKER.kernel(values, np.ones((1, 20), bool), days, np.arange(80), out)
print(out.round(4).tolist())
"""


def imports(path: Path) -> dict[str, set[str]]:
    """Names that a file takes from each module."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            found |= {alias.name: set() for alias in node.names}
    return found


def compiling() -> list[Path]:
    """Modules with kernels."""
    keeper = PACKAGE / "vocabulary" / "kept_kernels.py"
    found = [path for path in PACKAGE.rglob("*.py") if any(name.split(".")[0] == "numba" for name in imports(path))]
    return [path for path in found if path != keeper]


def test_kernels_lie_in_the_science_whose_import_says_where_they_are_kept() -> None:
    assert compiling()
    rooms = {path.relative_to(PACKAGE).parts[0] for path in compiling()}
    assert rooms == {"evaluation", "fusion", "phenology"}
    for room in rooms:
        assert "import kept_kernels" in (PACKAGE / room / "__init__.py").read_text("utf-8")
    assert Path(str(numba.config.CACHE_DIR)).name == f"kernels-{kernels_digest()}"  # type: ignore[attr-defined]


def test_what_kernels_take_from_other_modules_is_in_the_name_of_their_folder() -> None:
    """numba looks at the kernel's own file alone; a function or constant of another must be in the digest."""
    known = kernel_sources()
    for path in compiling():
        assert path in known
        for module in imports(path):
            if module.startswith("satfusion_assets."):
                place = PACKAGE.joinpath(*module.split(".")[1:])
                assert {place.with_suffix(".py"), place / "__init__.py"} & known, f"{path.name} takes from {module}"


def test_every_source_in_it_changes_the_digest(tmp_path: Path) -> None:
    copy = tmp_path / "package"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    whole = kernels_digest(copy)
    assert whole == kernels_digest()
    for path in kernel_sources(copy):
        source = path.read_text("utf-8")
        path.write_text(source + "# another\n", "utf-8")
        assert kernels_digest(copy) != whole, path
        path.write_text(source, "utf-8")


@pytest.mark.slow
def test_a_kernel_follows_a_change_of_what_it_calls_in_another_module(tmp_path: Path) -> None:
    """The benchmark's Whittaker calls the smoother's compiled functions, which are then changed."""
    copy = tmp_path / "satfusion_assets"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "viewer", "sandbox", "cli"))
    first = filled(tmp_path)
    smoother = copy / "phenology" / "whittaker.py"
    source = smoother.read_text("utf-8")
    assert source.count("z[i] /= d[i]") == 1
    smoother.write_text(source.replace("z[i] /= d[i]", "z[i] /= 2 * d[i]"), "utf-8")
    assert filled(tmp_path) != first


def filled(folder: Path) -> str:
    """What the competitor makes of a gap, in a process of its own that imports the copy in ``folder``."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    command = [sys.executable, "-c", FILL.format(folder=str(folder))]
    return subprocess.run(
        command, cwd=folder, env=environment | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    ).stdout
