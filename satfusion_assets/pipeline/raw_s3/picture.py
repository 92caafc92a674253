"""The clearest raw Sentinel-3 overpasses of the season as a strip."""

from __future__ import annotations

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.pictures.strips import CANDIDATES, clearest, strip
from satfusion_assets.store import Store, View
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import Site


def draw(store: Store, site: Site, view: View) -> Image | None:
    names = view.names("raw/s3/*.geotiff")
    title = (
        f"{site.name}: raw Sentinel-3 at 300 m, the clearest of {CANDIDATES} in each twelfth of {len(names)} overpasses"
    )
    hazy = view.manifest.parameters.get("product") == S3Product.OLCI_L1B
    return strip(title, clearest(view, names), site, hazy=hazy)
