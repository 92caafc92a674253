"""Where a process keeps what the next one would work out from the same sources again, and what tells sources apart."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]


def kept_folder() -> Path:
    """Beside the sources, else in the user's cache; it may not exist yet."""
    return PACKAGE / "__pycache__" if os.access(PACKAGE, os.W_OK) else Path.home() / ".cache" / "satfusion"


def sources_digest() -> str:
    """Digest of all modules of the package."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
