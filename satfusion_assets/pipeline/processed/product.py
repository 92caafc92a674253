"""``processed``: the season's images cut to one valid window, and the series read from them."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import BAND_COLUMNS, DAY, GCC, NDVI
from satfusion_assets.pipeline.fused.product import FUSED, READ_BANDS
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.prepared.product import PREPARED_BTI, PREPARED_ITB
from satfusion_assets.pipeline.records import Columns, Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.thresholds import SITE_SERIES
from satfusion_assets.vocabulary.scenarios import Mode, of_mode

COLUMNS: Final[Columns] = {
    "date": DAY,
    "filename": "string: image in the same folder",
    "ndvi": NDVI,
    "greenness_index": GCC,
    **BAND_COLUMNS,
}
PROCESSED: Final = ProductRecord(
    name="processed",
    room=__package__,
    grid=Grid.SCENARIO,
    stage=Stage.PROCESSED,
    group=FUSED.group,
    code_version=5,
    thresholds=("vocabulary.grid", "sampling.crop", *SITE_SERIES),
    inputs=(Input(FUSED), Input(PREPARED_BTI, READ_BANDS), Input(PREPARED_ITB, of_mode(Mode.ITB))),
    kinds=("geotiff", "json"),
    sensor="both",
    columns=COLUMNS,
    cost=Cost(megabytes=0.5, seconds=0.8),
)
