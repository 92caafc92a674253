"""The best scenario against the camera, the others thin behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from satfusion_assets.pipeline.metrics.files import METRICS_FILE
from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Image, Numbers
from satfusion_assets.pipeline.pictures.seasons import greenness, headline, xy
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import SCENARIOS
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    """The best scenario against the camera, the others thin behind it."""
    temporal = view.read_json(METRICS_FILE)["temporal"]
    scored = {item: temporal[item.score_key] for item in SCENARIOS if temporal.get(item.score_key)}
    known = {item: scores["nse"] for item, scores in scored.items() if scores["nse"] is not None}
    if not known:
        return None
    best = max(known, key=lambda item: known[item])
    season, fused = view.product.site_season, {}
    for item in scored:
        with store.read(PROCESSED.of(season, item.key)) as series:
            fused[item] = gcc_series(series, item, "fusion")
    title = f"best of {len(scored)}: {best.key}, {headline(scored[best])}"
    chart = greenness(store, season, title, list(fused.values()))
    days, low, high = _envelope(list(fused.values()))
    chart.band(days, low, high, palette.FUSED, f"range of {len(fused)} scenarios")
    chart.line(*xy(fused[best]), palette.FUSED, f"fused, {best.key}", width=2.2)
    return chart.drawn()


def _envelope(series: Sequence[DailySeries]) -> tuple[Numbers, Numbers, Numbers]:
    """Lowest and highest value of each day that any series has."""
    days = np.unique(np.concatenate([one.days for one in series]))
    table = np.full((len(series), len(days)), np.nan)
    for row, one in zip(table, series, strict=True):
        row[np.searchsorted(days, one.days)] = one.values
    return days.astype("datetime64[D]").astype(int), np.nanmin(table, axis=0), np.nanmax(table, axis=0)
