"""``preselected``: which raw scenes each strategy keeps, and why not."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import BAND_COLUMNS, DAY, GCC, NDVI
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.pipeline.records import Columns, Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import SITE_SERIES
from satfusion_assets.vocabulary.scenarios import Strategy

COLUMNS: Final[Columns] = {
    "filename": "string: raw scene",
    "date": DAY,
    "ndvi": NDVI,
    **BAND_COLUMNS,
    **{f"excluded_{strategy}": f"bool: the {strategy} strategy leaves the scene out" for strategy in Strategy},
    "greenness_index": GCC,
    **{f"reason_{strategy}": "string: no_ndvi, dark or low_ndvi; empty = kept" for strategy in Strategy},
}
PRESELECTED: Final = ProductRecord(
    name="preselected",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.PRESELECTED,
    group="prepared",
    code_version=2,
    thresholds=("screening.preselection", "screening.preparation", "screening.clouds", *SITE_SERIES),
    inputs=(Input(RAW_S2), Input(RAW_S3)),
    kinds=("table",),
    sensor="both",
    columns=COLUMNS,
    cost=Cost(megabytes=0.3, seconds=0.7),
)
