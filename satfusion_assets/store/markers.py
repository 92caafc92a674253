"""Markers of publications under way: ``.satfusion/pending/{product key}@{id}``, each a product in JSON.

What lies there and is no marker (a file that a file manager left, an empty one of a full disk or an older satfusion) is
nobody's publication: it is passed over, and ``satfusion doctor`` names it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from satfusion_assets.store import durable
from satfusion_assets.store.manifest import Product, parse_scope
from satfusion_assets.vocabulary.errors import InvalidInput

_NAME: Final = re.compile(r"[a-z0-9_]+")
_VARIANT: Final = re.compile(r"[a-z0-9_]*")
_IDENTITY: Final = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True)
class Marker:
    """A publication under way, or what a killed one left."""

    path: Path
    product: Product
    identity: str
    """Name of the version folder."""


def place(folder: Path, product: Product, identity: str) -> Path:
    """Where the marker of a publication lies."""
    return folder / f"{product.key}@{identity}"


def write(path: Path, product: Product) -> None:
    """Note a publication before anything of it exists, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}")
    fields = [product.name, product.scope.key, product.variant]
    durable.write(staged, json.dumps(fields).encode())
    staged.replace(path)
    durable.sync_folder(path.parent)


def markers(folder: Path, product: Product | None = None) -> Iterator[Marker]:
    """Markers below ``folder``, of one product or of all."""
    prefix = "" if product is None else f"{product.key}@"
    for path in _entries(folder):
        if path.name.startswith(prefix) and (marker := _read(path)) is not None:
            yield marker


def foreign(folder: Path) -> list[Path]:
    """What lies among the markers and is none."""
    return [path for path in _entries(folder) if _read(path) is None and os.path.lexists(path)]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _read(path: Path) -> Marker | None:
    """None where ``path`` is no marker, or not one any more because its publication ended meanwhile."""
    key, _, identity = path.name.rpartition("@")
    try:
        name, scope, variant = json.loads(path.read_text("utf-8"))
        if not (_NAME.fullmatch(name) and _VARIANT.fullmatch(variant) and _IDENTITY.fullmatch(identity)):
            return None
        product = Product(name, parse_scope(scope), variant)
    except (OSError, ValueError, TypeError, RecursionError, InvalidInput):
        return None
    return Marker(path, product, identity) if product.key == key else None
