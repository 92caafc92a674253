"""``pack``: a processed season with its quality layers as one analysis-ready Zarr store."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage

PACK: Final = ProductRecord(
    name="pack",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.PROCESSED,
    group="evaluation",
    code_version=8,
    thresholds=("store.packs", "store.layers", "sampling.crop"),
    placed=False,
    inputs=(Input(FUSED), Input(PROCESSED)),
    kinds=("zarr",),
    sensor="both",
    cost=Cost(megabytes=11.9, seconds=2.1),
)
