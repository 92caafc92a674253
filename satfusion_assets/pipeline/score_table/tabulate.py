"""The table of all scores, remade from whatever has been materialised so far."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Final

from satfusion_assets.export.dictionary import SCORES
from satfusion_assets.export.score_tables import SeasonScores, latex_table, score_table
from satfusion_assets.pipeline.coarse_source import columns
from satfusion_assets.pipeline.gathering import gathered, records, write_dictionary, write_frame
from satfusion_assets.pipeline.metrics.files import METRICS_FILE, SKILL_FILE
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.provenance import publish
from satfusion_assets.pipeline.score_table.product import SCORE_TABLE
from satfusion_assets.pipeline.table_files import TableLayout
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.errors import ProductCorrupt
from satfusion_assets.vocabulary.sites import SiteSeason

SHOWN: Final = (
    "site", "season", "s3_level", "series", "n_samples", "nse_pc", "nrmse", "pearson_r",
    "calibrated_nse", "calibrated_nse_low", "calibrated_nse_high", "spearman_r", "lag_days",
)  # fmt: skip
"""Columns of the score table that the UI shows."""


def tabulate_scores(store: Store, site_seasons: Iterable[SiteSeason]) -> Outcome:
    """Publish ``score_table``: the scores of every site-season that has metrics; ProductMissing when none has."""
    with ExitStack() as stack:
        views = gathered(stack, store, SCORE_TABLE, site_seasons)
        frame = score_table(row for view in views for row in _rows(view))
        with publish(store, SCORE_TABLE.of(), inputs=views) as draft:
            write_frame(draft, frame, SCORES, TableLayout.scores("csv"), TableLayout.scores("parquet"))
            draft.write_bytes(TableLayout.scores("tex"), latex_table(frame).encode())
            write_dictionary(draft, TableLayout.score_columns(), "scores")
    assert draft.manifest is not None
    own = frame[frame["own_region"]]
    numbers = {"site_seasons": len(views), "rows": len(frame), "scored": int(own["nse_pc"].notna().sum())}
    return Outcome(draft.manifest, numbers=numbers, tables={"scores": records(own[list(SHOWN)])})


def _rows(metrics: View) -> list[dict[str, Any]]:
    site_season = metrics.product.site_season
    try:
        return SeasonScores(
            site_season, metrics.read_json(METRICS_FILE), metrics.read_json(SKILL_FILE), **columns(metrics)
        ).rows()
    except KeyError as error:
        raise ProductCorrupt(
            f"{METRICS_FILE} or {SKILL_FILE} of {site_season.key} lacks {error}, as an earlier version wrote it; "
            f"materialise metrics of {site_season.key} again."
        ) from error
