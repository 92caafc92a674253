"""``phenology``: when every pixel greens up and down."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Shaping, Stage
from satfusion_assets.pipeline.thresholds import EFAST, KRIGING, PHENOLOGY_METHOD, SITE_SERIES
from satfusion_assets.vocabulary.scenarios import Method

PHENOLOGY: Final = ProductRecord(
    name="phenology",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.EVALUATION,
    group="evaluation",
    code_version=4,
    thresholds=(
        "pipeline.phenology.course",
        "pipeline.phenology.date_maps",
        "screening.preparation",
        "screening.clouds",
        *SITE_SERIES,
        *PHENOLOGY_METHOD,
        "vocabulary.grid",
    ),
    by_method={Method.EFAST: Shaping(EFAST), Method.KRIGING: Shaping(KRIGING)},
    inputs=(Input(FUSED), Input(PROCESSED), Input(PREPARED_BTI)),
    kinds=("geotiff", "json"),
    sensor="both",
    cost=Cost(megabytes=0.9, seconds=5.5),
)
