"""``camera_phenology``: when the season rises and falls as the camera saw it."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import PHENOLOGY_METHOD

CAMERA_PHENOLOGY: Final = ProductRecord(
    name="camera_phenology",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.PRESELECTED,
    group="raw",
    code_version=2,
    thresholds=PHENOLOGY_METHOD,
    placed=False,
    inputs=(Input(RAW_PHENOCAM),),
    kinds=("phenocam", "json"),
    sensor="phenocam",
    cost=Cost(seconds=10.8),
)
