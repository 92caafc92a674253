"""``stac_catalogue``: what has been fused, as a static STAC catalogue."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.pack.product import PACK
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage

STAC_CATALOGUE: Final = ProductRecord(
    name="stac_catalogue",
    room=__package__,
    grid=Grid.ALL,
    stage=Stage.METRICS,
    group="scores",
    code_version=3,
    placed=False,
    inputs=(Input(PROCESSED), Input(PACK)),
    kinds=("json",),
)
