"""The camera's series with its dates."""

from __future__ import annotations

from satfusion_assets.pipeline.camera_phenology.files import PHENOCAM_PHENOLOGY
from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.raw_phenocam.picture import camera
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    dates = view.read_json(PHENOCAM_PHENOLOGY)
    marks = {"green-up 50 %": dates["green_up_50pct_date"], "green-down 50 %": dates["green_down_50pct_date"]}
    with store.read(RAW_PHENOCAM.of(view.product.site_season)) as phenocam:
        return camera(phenocam, {f"{what} {day}": day for what, day in marks.items() if day})
