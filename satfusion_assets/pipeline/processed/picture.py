"""Fused greenness at the site against the camera's."""

from __future__ import annotations

from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.seasons import greenness, xy
from satfusion_assets.pipeline.processed.series import gcc_series
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    return against_camera(store, view, Scenario.parse(view.product.variant), "")


def against_camera(store: Store, series: View, scenario: Scenario, said: str) -> Image | None:
    season = series.product.site_season
    fused, s2 = gcc_series(series, scenario, "fusion"), gcc_series(series, scenario, "s2")
    chart = greenness(store, season, f"{scenario.key} {said}".strip(), [fused, s2])
    chart.line(*xy(fused), palette.FUSED, "fused", width=2.2)
    chart.points(*xy(s2), palette.S2, "clear Sentinel-2", radius=3)
    return chart.drawn()
