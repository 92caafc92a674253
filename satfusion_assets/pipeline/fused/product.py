"""``fused``: a clear image for every day of the season."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import FUSION
from satfusion_assets.vocabulary.scenarios import Mode

FUSED: Final = ProductRecord(
    name="fused",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.FUSED,
    group="fused",
    code_version=2,
    thresholds=FUSION,
    inputs=(Input("prepared_bti", (Mode.BTI,)), Input("prepared_itb", (Mode.ITB,))),
    chosen={"engine": "fusion_engine"},
    kinds=("geotiff",),
    sensor="both",
    pool="fusion",
)
