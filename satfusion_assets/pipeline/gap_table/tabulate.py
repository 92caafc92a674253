"""The tables of all gap benchmarks, remade from whatever has been materialised so far."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

from satfusion_assets.export.dictionary import GAP_SEASONS, GAP_SUMMARY, GAPS
from satfusion_assets.export.gap_tables import gap_summary, gap_table, latex_summary, season_table
from satfusion_assets.pipeline.coarse_source import columns
from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.gap_table.product import GAP_TABLE
from satfusion_assets.pipeline.gathering import gathered, records, write_dictionary, write_frame
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.table_files import TableLayout
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.sites import SiteSeason


def tabulate_gaps(store: Store, site_seasons: Iterable[SiteSeason]) -> Outcome:
    """Publish ``gap_table``: the gap benchmarks of all site-seasons that have one; ProductMissing when none has."""
    with ExitStack() as stack:
        views = gathered(stack, store, GAP_TABLE, site_seasons)
        reports = [view.read_json(GapLayout().metrics) | columns(view) for view in views]
        gaps, seasons = gap_table(reports), season_table(reports)
        summary = gap_summary(gaps)
        with publish(store, GAP_TABLE.of(), inputs=views) as draft:
            write_frame(draft, gaps, GAPS, TableLayout.gaps("csv"), TableLayout.gaps("parquet"))
            csv, parquet = TableLayout.gap_seasons("csv"), TableLayout.gap_seasons("parquet")
            write_frame(draft, seasons, GAP_SEASONS, csv, parquet)
            write_frame(draft, summary, GAP_SUMMARY, TableLayout.gap_summary("csv"))
            draft.write_bytes(TableLayout.gap_summary("tex"), latex_summary(summary).encode())
            write_dictionary(draft, TableLayout.gap_columns(), "gaps", "gaps_season", "gaps_summary")
    assert draft.manifest is not None
    gcc = summary[summary["quantity"] == "gcc"].drop(columns="quantity")
    numbers = {"site_seasons": len(views), "rows": len(gaps)}
    return Outcome(draft.manifest, numbers=numbers, tables={"gcc_by_gap_length": records(gcc)})
