"""What every asset of the graph shares."""

from __future__ import annotations

from typing import Any, Final

OWNERS: Final = ["team:satfusion"]
CODE_VERSION: Final = "1"
"""Raise it when a stage computes something else from the same inputs: partitions then show as unsynced."""


def stage(group: str, *kinds: str) -> dict[str, Any]:
    """Arguments of an asset in stage ``group``."""
    return {"group_name": group, "kinds": set(kinds), "owners": OWNERS, "code_version": CODE_VERSION}
