"""What the manifest of a version says, wherever the version lies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Final

from satfusion_assets.store.leases import LEASE
from satfusion_assets.store.manifest import MANIFEST, FileRecord, Manifest, Product, data_version
from satfusion_assets.store.version import View

TABLES: Final = "tables"
"""Folder of the products that all site-seasons share, beside the sites' folders."""


def sealed(
    product: Product,
    files: Mapping[str, FileRecord],
    parameters: dict[str, Any],
    inputs: Sequence[View],
    code_version: int,
) -> Manifest:
    """The manifest of a version with these ``files``, made now by this software."""
    contents = {name: files[name] for name in sorted(files)}
    return Manifest(
        product=product.name,
        variant=product.variant,
        site_season=product.scope.key,
        version=data_version(contents, parameters),
        software=_software(),
        code_version=code_version,
        parameters=parameters,
        inputs={view.product.reference(product.scope): view.version for view in inputs},
        files=contents,
    )


def names_in(folder: Path) -> Iterator[str]:
    """Contract paths of the files of the version in ``folder``."""
    for inside, _, files in os.walk(folder):
        below = inside[len(str(folder)) + 1 :].replace(os.sep, "/")
        for file in files:
            name = f"{below}/{file}" if below else file
            if name not in (LEASE, MANIFEST):
                yield name


def _software() -> str:
    return f"satfusion {package_version('satfusion')}"
