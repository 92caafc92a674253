"""Stage: tables over all site-seasons, remade from whatever has been materialised so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing
from satfusion_assets.export.gap_tables import gap_summary, gap_table, latex_summary, season_table
from satfusion_assets.export.score_tables import SeasonScores, latex_table, score_table
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets.pipeline.coarse_source import columns
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.store import ALL_SEASONS, Draft, Product, ProductStore, View
from satfusion_assets.store.layout import METRICS, SKILL, GapLayout, TableLayout

if TYPE_CHECKING:
    import pandas as pd

SOURCES: Final = {"score_table": "metrics", "gap_table": "gap_benchmark"}
"""Each table, and the product of a site-season that it gathers."""
SHOWN: Final = (
    "site", "season", "s3_level", "series", "n_samples", "nse_pc", "nrmse", "pearson_r",
    "calibrated_nse", "calibrated_nse_low", "calibrated_nse_high", "spearman_r", "lag_days",
)  # fmt: skip
"""Columns of the score table that the UI shows."""


def tabulate_scores(store: ProductStore, site_seasons: Iterable[SiteSeason]) -> Outcome:
    """Publish ``score_table``: the scores of every site-season that has metrics; ProductMissing when none has."""
    with ExitStack() as stack:
        views = _gathered(stack, store, "score_table", site_seasons)
        frame = score_table(row for view in views for row in _rows(view))
        with publish(store, Product("score_table", ALL_SEASONS), inputs=views) as draft:
            _write(draft, frame, TableLayout.scores("csv"), TableLayout.scores("parquet"))
            draft.write_bytes(TableLayout.scores("tex"), latex_table(frame).encode())
    assert draft.manifest is not None
    own = frame[frame["own_region"]]
    numbers = {"site_seasons": len(views), "rows": len(frame), "scored": int(own["nse_pc"].notna().sum())}
    return Outcome(draft.manifest, numbers=numbers, tables={"scores": _records(own[list(SHOWN)])})


def tabulate_gaps(store: ProductStore, site_seasons: Iterable[SiteSeason]) -> Outcome:
    """Publish ``gap_table``: the gap benchmarks of all site-seasons that have one; ProductMissing when none has."""
    with ExitStack() as stack:
        views = _gathered(stack, store, "gap_table", site_seasons)
        reports = [view.read_json(GapLayout().metrics) | columns(view) for view in views]
        gaps, seasons = gap_table(reports), season_table(reports)
        summary = gap_summary(gaps)
        with publish(store, Product("gap_table", ALL_SEASONS), inputs=views) as draft:
            _write(draft, gaps, TableLayout.gaps("csv"), TableLayout.gaps("parquet"))
            _write(draft, seasons, TableLayout.gap_seasons("csv"), TableLayout.gap_seasons("parquet"))
            draft.write_bytes(TableLayout.gap_summary("csv"), summary.to_csv(index=False).encode())
            draft.write_bytes(TableLayout.gap_summary("tex"), latex_summary(summary).encode())
    assert draft.manifest is not None
    gcc = summary[summary["quantity"] == "gcc"].drop(columns="quantity")
    numbers = {"site_seasons": len(views), "rows": len(gaps)}
    return Outcome(draft.manifest, numbers=numbers, tables={"gcc_by_gap_length": _records(gcc)})


def is_complete(store: ProductStore, table: Product, site_seasons: Iterable[SiteSeason]) -> bool:
    """Whether ``table`` is made from the current version of everything that it gathers today, and of nothing else."""
    manifest = store.manifest(table)
    found = {product.reference(ALL_SEASONS) for product in _sources(store, table.name, site_seasons)}
    return manifest is not None and found == set(manifest.inputs) and store.is_current(table)


def _gathered(stack: ExitStack, store: ProductStore, table: str, site_seasons: Iterable[SiteSeason]) -> Sequence[View]:
    products = _sources(store, table, site_seasons)
    if not products:
        raise ProductMissing(
            f"No site-season has {SOURCES[table]} yet, so there is nothing to tabulate; materialise one first."
        )
    return [stack.enter_context(store.read(product)) for product in products]


def _sources(store: ProductStore, table: str, site_seasons: Iterable[SiteSeason]) -> list[Product]:
    products = [Product(SOURCES[table], site_season) for site_season in sorted(site_seasons)]
    return [product for product in products if store.manifest(product) is not None]


def _rows(metrics: View) -> list[dict[str, Any]]:
    site_season = metrics.product.site_season
    try:
        return SeasonScores(
            site_season, metrics.read_json(METRICS), metrics.read_json(SKILL), **columns(metrics)
        ).rows()
    except KeyError as error:
        raise ProductCorrupt(
            f"{METRICS} or {SKILL} of {site_season.key} lacks {error}, as an earlier version wrote it; materialise "
            f"metrics of {site_season.key} again."
        ) from error


def _write(draft: Draft, frame: pd.DataFrame, csv: str, parquet: str) -> None:
    draft.write_bytes(csv, frame.to_csv(index=False).encode())
    frame.to_parquet(draft.path(parquet), index=False)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is not there."""
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
