"""Curves of a season with the camera's points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Chart, Numbers, number_of, span
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.raw_phenocam.series import camera_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.store import Store
from satfusion_assets.vocabulary.sites import SiteSeason

GCC_90: Final = "GCC of the camera (gcc_90, no unit)"


GCC: Final = "GCC at the camera's field (no unit)"


def greenness(store: Store, season: SiteSeason, title: str, shown: Sequence[DailySeries]) -> Chart:
    """A chart of GCC with the camera's points on it, where there is a camera."""
    product = RAW_PHENOCAM.of(season)
    seen = DailySeries.of([], [])
    if store.manifest(product) is not None:
        with store.read(product) as phenocam:
            seen = camera_series(phenocam)
    limits = span(seen.values, *(series.values for series in shown))
    chart = Chart(f"{season.key}: {title}", GCC, year(season), limits)
    chart.points(*xy(seen), palette.CAMERA, "camera (gcc_90)", radius=1.8)
    return chart


def headline(scores: Mapping[str, Any] | None) -> str:
    if not scores:
        return "not scored: fewer than two common days"
    words = [
        f"{name} {scores[key]:.3f}"
        for name, key in (("NSE", "nse"), ("r", "pearson_r"), ("RMSE", "rmse"))
        if scores[key] is not None
    ]
    return f"{', '.join(words)}, {scores['n_samples']} days"


def year(season: SiteSeason) -> tuple[float, float]:
    return number_of(season.start), number_of(season.end)


def days(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [number_of(row["date"]) for row in rows]


def xy(series: DailySeries) -> tuple[Numbers, Numbers]:
    return series.days.astype("datetime64[D]").astype(int), series.values
