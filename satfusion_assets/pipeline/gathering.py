"""What the tables over all site-seasons share: which products they gather, and how a frame is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.store import ALL_SEASONS, Draft, Product, ProductStore, View
from satfusion_assets.vocabulary.errors import ProductMissing
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd


SOURCES: Final = {"score_table": "metrics", "gap_table": "gap_benchmark"}
"""Each table, and the product of a site-season that it gathers."""


def is_complete(store: ProductStore, table: Product, site_seasons: Iterable[SiteSeason]) -> bool:
    """Whether ``table`` is made from the current version of everything that it gathers today, and of nothing else."""
    manifest = store.manifest(table)
    found = {product.reference(ALL_SEASONS) for product in _sources(store, table.name, site_seasons)}
    return manifest is not None and found == set(manifest.inputs) and store.is_current(table)


def gathered(stack: ExitStack, store: ProductStore, table: str, site_seasons: Iterable[SiteSeason]) -> Sequence[View]:
    products = _sources(store, table, site_seasons)
    if not products:
        raise ProductMissing(
            f"No site-season has {SOURCES[table]} yet, so there is nothing to tabulate; materialise one first."
        )
    return [stack.enter_context(store.read(product)) for product in products]


def _sources(store: ProductStore, table: str, site_seasons: Iterable[SiteSeason]) -> list[Product]:
    products = [Product(SOURCES[table], site_season) for site_season in sorted(site_seasons)]
    return [product for product in products if store.manifest(product) is not None]


def write_frame(draft: Draft, frame: pd.DataFrame, csv: str, parquet: str) -> None:
    draft.write_bytes(csv, frame.to_csv(index=False).encode())
    frame.to_parquet(draft.path(parquet), index=False)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is not there."""
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
