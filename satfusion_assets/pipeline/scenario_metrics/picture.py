"""Fused greenness against the camera's, with the scores."""

from __future__ import annotations

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.seasons import headline
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.pipeline.processed.picture import against_camera
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    scenario = Scenario.parse(view.product.variant)
    scores = view.read_json(ProcessedLayout(scenario).scores)["temporal"]
    with store.read(PROCESSED.of(view.product.site_season, scenario)) as series:
        return against_camera(store, series, scenario, headline(scores))
