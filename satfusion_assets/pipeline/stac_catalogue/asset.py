"""The asset ``stac_catalogue``."""

import dagster as dg

from satfusion_assets.pipeline.describe import described
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.reporting import materialise
from satfusion_assets.pipeline.stac_catalogue.product import STAC_CATALOGUE


@dg.asset(**described(STAC_CATALOGUE))
def stac_catalogue(
    context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
) -> dg.MaterializeResult[None]:
    """Every fused season as a static STAC catalogue with relative links, in ``tables/stac`` of the data root: an item a
    site-season and scenario, an item a day, and an index of all of them as stac-geoparquet.
    """
    from satfusion_assets.pipeline.stac_catalogue.catalogue import catalogue

    return materialise(lambda: catalogue(platform.store, platform.registry.site_seasons))
