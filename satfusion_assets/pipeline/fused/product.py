"""``fused``: a clear image for every day of the season."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Shaping, Stage
from satfusion_assets.pipeline.thresholds import EFAST, KRIGING
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Method, Mode, of_mode

READ_BANDS: Final = tuple(item for item in SCENARIOS if item.mode is Mode.BTI or item.method is Method.KRIGING)
"""Kriging of GCC learns from the bands where images show snow."""
FUSED: Final = ProductRecord(
    name="fused",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.FUSED,
    group="fused",
    code_version=8,
    thresholds=("vocabulary.grid", "store.layers"),
    by_method={
        Method.EFAST: Shaping(EFAST, chosen={"engine": "fusion_engine"}),
        Method.KRIGING: Shaping(KRIGING),
    },
    inputs=(Input(PREPARED_BTI, READ_BANDS), Input(PREPARED_ITB, of_mode(Mode.ITB))),
    kinds=("geotiff",),
    sensor="both",
    pool="fusion",
    cost=Cost(megabytes=30.0, seconds=2.2),
)
