"""The pack that a new one takes the place of, so that readers of that one notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from satfusion_assets.store import Product, Store
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing


@contextmanager
def replaced_pack(store: Store, product: Product, folder: str) -> Iterator[Path | None]:
    """The pack at ``folder`` of the product's current version, None where there is none."""
    with ExitStack() as reading:
        try:
            before = reading.enter_context(store.read(product)).path(f"{folder}/zarr.json").parent
        except (ProductMissing, ProductCorrupt):
            before = None
        yield before
