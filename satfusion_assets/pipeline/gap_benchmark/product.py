"""``gap_benchmark``: how well each method fills gaps whose scenes were withheld."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from satfusion_assets.pipeline.camera_phenology.product import CAMERA_PHENOLOGY
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import GAPS

GAP_BENCHMARK: Final = ProductRecord(
    name="gap_benchmark",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.EVALUATION,
    group="evaluation",
    code_version=4,
    thresholds=GAPS,
    inputs=(Input(RAW_PHENOCAM), Input(CAMERA_PHENOLOGY), Input(PREPARED_BTI)),
    kinds=("json",),
    on_demand=True,
    cost=Cost(megabytes=16.3, seconds=137),
)
GAP_EXPERIMENT: Final = replace(GAP_BENCHMARK, name="gap_experiment")
"""A gap experiment of one's own: no asset, but published like the benchmark."""
