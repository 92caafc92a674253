"""Where compiled kernels are kept between processes; every room that has any imports this first.

numba knows a kept kernel by its own file alone and would go on with it after a change of what it calls in another; so
the kernels of one state of this package share a folder of their own, named by all their sources, and a changed source
is a new folder.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import numba

from satfusion_assets.vocabulary.kept import PACKAGE, kept_folder

_COMPILES: Final = re.compile(r"^(?:from|import) numba", re.MULTILINE)
_IMPORT: Final = re.compile(r"^from satfusion_assets((?:\.\w+)+) import", re.MULTILINE)


def kernel_sources(folder: Path = PACKAGE) -> set[Path]:
    """The modules below ``folder`` that compile anything, and all that they take functions or constants from."""
    texts = {path: path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}
    found: set[Path] = set()
    following = [path for path, text in texts.items() if _COMPILES.search(text)]
    while following:
        path = following.pop()
        if path in found:
            continue
        found.add(path)
        for name in _IMPORT.findall(texts[path]):
            inner = folder.joinpath(*name.split(".")[1:])
            following += [place for place in (inner.with_suffix(".py"), inner / "__init__.py") if place in texts]
    return found


def kernels_digest(folder: Path = PACKAGE) -> str:
    """Digest of all ``kernel_sources``."""
    digest = hashlib.sha256()
    for path in sorted(kernel_sources(folder)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def kernels_folder(given: str) -> str:
    """Where kernels are kept: below ``given`` (NUMBA_CACHE_DIR), else beside the sources, else in the user's cache."""
    return str((Path(given) if given else kept_folder()) / f"kernels-{kernels_digest()}")


numba.config.CACHE_DIR = kernels_folder(numba.config.CACHE_DIR)  # type: ignore[attr-defined]
