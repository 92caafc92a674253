"""What the package takes from Dagster's private modules is written down, each with its reason."""

import ast
import re
from pathlib import Path

import satfusion_assets

PACKAGE = Path(satfusion_assets.__file__).parent
PAGE = PACKAGE.parent / "docs" / "dagster-private.md"
MOST = 12


def test_the_page_lists_every_private_module_of_dagster_and_every_name_taken_from_it() -> None:
    listed = {
        module: set(re.findall(r"`([^`]+)`", names))
        for module, names in re.findall(r"^\| `(dagster\._[^`]+)` \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    }
    assert listed == _imported()
    assert len(listed) <= MOST


def _imported() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster._"):
                found.setdefault(str(node.module), set()).update(name.name for name in node.names)
            elif isinstance(node, ast.Constant) and re.fullmatch(r"dagster\._[\w.]+", str(node.value)):
                found.setdefault(str(node.value), set())  # a module named for something else to load
            elif isinstance(node, ast.Import):
                whole = {name.name for name in node.names if name.name.startswith("dagster._")}
                assert not whole, f"{path.name} imports {whole} whole; name what it needs."
    return found
