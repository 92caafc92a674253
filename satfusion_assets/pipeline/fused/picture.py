"""Fused images as a strip."""

from __future__ import annotations

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.strips import chosen, labelled, strip
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.scenarios import Mode, Scenario
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    scenario = Scenario.parse(view.product.variant)
    layout = FusedLayout(scenario)
    names = [name for name in view.names(f"{layout.folder}/*.tif") if "/quality/" not in name]
    # Of all of them, which this process has just written: single ones would be decoded again.
    images = view.see_stack(names) if names else ()
    frames = labelled((name, images[names.index(name)]) for name in chosen(names))
    what = "GCC" if scenario.mode is Mode.ITB else "true colour"
    return strip(f"{site.name}: fused, {scenario.key}, {what}; grey = no estimate", frames, site)
