"""What the tables over all site-seasons share: which products they gather, and how a frame is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from satfusion_assets.export.dictionary import TABLES, Columns, csv_text, dictionary_table
from satfusion_assets.pipeline.records import ProductRecord
from satfusion_assets.pipeline.registry import REGISTRY
from satfusion_assets.store import ALL_SEASONS, Draft, Product, Store, View
from satfusion_assets.vocabulary.errors import ProductMissing
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd


def is_complete(store: Store, table: Product, site_seasons: Iterable[SiteSeason]) -> bool:
    """Whether ``table`` is made from the current version of everything that it gathers today, and of nothing else."""
    manifest, record = store.manifest(table), REGISTRY[table.name]
    found = {product.reference(ALL_SEASONS) for product in _sources(store, record, site_seasons)}
    changed = any(store.changes(table, code_version=record.code_version))
    return manifest is not None and found == set(manifest.inputs) and not changed


def gathered(
    stack: ExitStack, store: Store, table: ProductRecord, site_seasons: Iterable[SiteSeason]
) -> Sequence[View]:
    """What ``table`` gathers, leased in ``stack``; ProductMissing when there is nothing yet."""
    products = _sources(store, table, site_seasons)
    if not products:
        raise ProductMissing(
            f"No site-season has {table.inputs[0].product.name} yet, so there is nothing to tabulate; materialise one "
            f"first."
        )
    return [stack.enter_context(store.read(product)) for product in products]


def _sources(store: Store, table: ProductRecord, site_seasons: Iterable[SiteSeason]) -> list[Product]:
    found = [
        product
        for site_season in sorted(site_seasons)
        for record in REGISTRY.inputs(table)
        for product in record.products(site_season)
    ]
    return [product for product in found if store.manifest(product) is not None]


def write_frame(draft: Draft, frame: pd.DataFrame, columns: Columns, csv: str, parquet: str | None = None) -> None:
    """Write a typed frame as CSV, and as Parquet where that is wanted."""
    draft.write_bytes(csv, csv_text(frame, columns).encode())
    if parquet is not None:
        frame.to_parquet(draft.path(parquet), index=False)


def write_dictionary(draft: Draft, name: str, *tables: str) -> None:
    """Write what the columns of ``tables`` mean beside them."""
    frame = dictionary_table({table: TABLES[table] for table in tables})
    draft.write_bytes(name, frame.to_csv(index=False, lineterminator="\n").encode())


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is not there."""
    import pandas as pd

    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
