"""``scenario_metrics``: one scenario's greenness against the camera's."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import SITE_SERIES

SCENARIO_METRICS: Final = ProductRecord(
    name="scenario_metrics",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.METRICS,
    group="scores",
    code_version=3,
    thresholds=("evaluation.scores", "phenology.whittaker", *SITE_SERIES),
    placed=False,
    inputs=(Input(PROCESSED), Input(RAW_PHENOCAM)),
    kinds=("json",),
)
