"""How well each method fills gaps, by their length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Chart, Image, span
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets.vocabulary.sites import Site

LOWEST_NSE: Final = -1.0


def draw(store: Store, site: Site, view: View) -> Image | None:
    """Skill of filling over the length of the gap: the median over transitions of NSE of withheld GCC."""
    report = view.read_json(GapLayout().metrics)
    gaps = [gap for gap in report["strategies"][str(Strategy.AGGRESSIVE)]["gaps"] if gap["transition"] != "natural"]
    lengths = sorted({gap["gap_days"] for gap in gaps})
    methods = list(dict.fromkeys(method for gap in gaps for method in gap["spatial"]))
    curves = {method: _by_length(gaps, method, lengths) for method in methods}
    if not any(np.isfinite(curve).any() for curve in curves.values()):
        return None
    fusions = [item.key for item in SCENARIOS if item.key in curves]
    chart = Chart(
        f"{view.product.site_season.key}: skill inside gaps, median over green-up, peak and green-down",
        "NSE of GCC against withheld Sentinel-2",
        (min(lengths) - 5, max(lengths) + 5),
        (max(LOWEST_NSE, span(*curves.values())[0]), 1.0),
        dates=False,
        x_label="length of the gap in days (below the axis: worse than shown)",
        x_ticks=[(float(days), f"{days}") for days in lengths],
        legend_rows=2,
    )
    chart.horizontal(0, "the mean of the withheld pixels", "#777")
    colours = [palette.FUSED, palette.S3, *palette.OTHERS, palette.S2, palette.EXCLUDED, palette.CAMERA]
    for colour, method in zip(colours, [*fusions, *(name for name in methods if name not in fusions)], strict=False):
        thick = 2.4 if method in fusions else 1.4
        chart.line(lengths, curves[method], colour, method, width=thick, gap=365)
        chart.points(lengths, curves[method], colour, hollow=method not in fusions, radius=3)
    return chart.drawn()


def _by_length(gaps: Sequence[Mapping[str, Any]], method: str, lengths: Sequence[int]) -> list[float]:
    def at(days: int) -> float:
        scores = [
            gap["spatial"].get(method, {}).get("gcc", {}).get("nse_s2") for gap in gaps if gap["gap_days"] == days
        ]
        known = [score for score in scores if score is not None]
        return median(known) if known else float("nan")

    return [at(days) for days in lengths]
