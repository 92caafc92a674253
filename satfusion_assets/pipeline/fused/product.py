"""``fused``: a clear image for every day of the season."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import FUSION
from satfusion_assets.vocabulary.scenarios import Mode

FUSED: Final = ProductRecord(
    name="fused",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.FUSED,
    group="fused",
    code_version=3,
    thresholds=(*FUSION, "store.layers"),
    inputs=(Input(PREPARED_BTI, (Mode.BTI,)), Input(PREPARED_ITB, (Mode.ITB,))),
    chosen={"engine": "fusion_engine"},
    kinds=("geotiff",),
    sensor="both",
    pool="fusion",
)
