"""The word for what the sandbox serves, in the fields that archives have for it: provider, licence, description."""

from __future__ import annotations

from typing import Any, Final

NOTICE: Final = "synthetic data: computed from an invented landscape, seen by no satellite and no camera"
LICENCE: Final = "CC0-1.0"
PROVIDERS: Final[list[dict[str, Any]]] = [
    {"name": f"satfusion sandbox, {NOTICE}", "roles": ["producer", "processor", "host"]}
]
