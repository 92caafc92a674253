"""The clearest raw Sentinel-2 scenes of the season as a strip."""

from __future__ import annotations

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.strips import CANDIDATES, clearest, strip
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    names = view.names("raw/s2/*.geotiff")
    title = f"{site.name}: raw Sentinel-2, the clearest of {CANDIDATES} in each twelfth of {len(names)} scenes"
    return strip(title, clearest(view, names), site, scale=1e-4)
