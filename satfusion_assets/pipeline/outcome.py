"""What a stage says of the product that it published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from satfusion_assets.store import Manifest


@dataclass(frozen=True)
class Outcome:
    """Everything worth showing of one publication.

    manifest: the version that is now current. numbers: counts and shares, None = not available. notes: short texts.
    tables: rows by title.
    """

    manifest: Manifest
    numbers: Mapping[str, int | float | None] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
