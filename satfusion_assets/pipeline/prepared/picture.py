"""Prepared Sentinel-2 images as a strip."""

from __future__ import annotations

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.strips import chosen, frames, strip
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.prepared.product import mode_of
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import Mode, Strategy
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    mode = mode_of(view.product)
    layout = PreparedLayout(Strategy(view.product.variant), mode)
    names = chosen(view.names(f"{layout.folder}/s2/*_{layout.kind}.tif"))
    what = "GCC" if mode is Mode.ITB else "true colour"
    title = f"{site.name}: prepared Sentinel-2, {layout.strategy}, {what}; grey = masked"
    return strip(title, frames(view, names), site)
