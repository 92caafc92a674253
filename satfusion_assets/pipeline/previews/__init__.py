"""A picture of each product, drawn from what was published: what a person wants to see before any number."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from satfusion_assets.pipeline.pictures.charts import Image
from satfusion_assets.pipeline.previews import films, maps, seasons
from satfusion_assets.store import Product, ProductStore, View
from satfusion_assets.vocabulary.errors import SatfusionError
from satfusion_assets.vocabulary.sites import Site

log = logging.getLogger(__name__)

Drawing = Callable[[ProductStore, Site, View], Image | None]
"""Draws the current version of a product; None when it holds nothing to see."""

PREVIEWS: Final[dict[str, Drawing]] = {
    "raw_s2": films.raw_s2,
    "raw_s3": films.raw_s3,
    "raw_phenocam": seasons.raw_phenocam,
    "camera_phenology": seasons.camera_phenology,
    "preselected": seasons.preselected,
    "prepared_bti": films.prepared_bti,
    "prepared_itb": films.prepared_itb,
    "fused": films.fused,
    "processed": seasons.processed,
    "scenario_metrics": seasons.scenario_metrics,
    "metrics": seasons.metrics,
    "phenology": maps.phenology,
    "gap_benchmark": seasons.gap_benchmark,
}


def preview(store: ProductStore, site: Site, product: Product) -> Image | None:
    """The picture of ``product``, None when there is none.

    A product that cannot be drawn is still published: its checks say what is wrong with it, so this only warns.
    """
    draw = PREVIEWS.get(product.name)
    if draw is None:
        return None
    try:
        with store.read(product) as view:
            return draw(store, site, view)
    except (SatfusionError, KeyError, TypeError, ValueError, IndexError) as error:
        log.warning("%s has no picture: %s", product.key, str(error) or repr(error))
        return None


__all__ = ["PREVIEWS", "Image", "preview"]
