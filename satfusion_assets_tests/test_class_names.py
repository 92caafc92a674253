"""One meaning a word: no two classes that the package shows have one name."""

import ast
from collections import defaultdict
from pathlib import Path

import satfusion_assets

PACKAGE = Path(satfusion_assets.__file__).parent


def test_no_class_name_stands_for_two_things() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(PACKAGE).as_posix())
    assert not {name: where for name, where in places.items() if len(where) > 1}
