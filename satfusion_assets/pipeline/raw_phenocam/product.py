"""``raw_phenocam``: what the PhenoCam archive has of a site-season."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.records import Columns, Grid, ProductRecord, Stage

COLUMNS: Final[Columns] = {
    "date": "date: day of the camera, its local time",
    "greenness_index": "float: gcc_90, 90th percentile of the day's GCC in the region of interest",
    "image_count": "int: pictures that went into the day",
    "snow": "int: 1 = the archive flags snow, 0 = none, empty = not said",
    "outlier": "string: who flagged the day, archive or detector; empty = nobody",
    "used": "int: 1 = the day counts in the series",
}
RAW_PHENOCAM: Final = ProductRecord(
    name="raw_phenocam",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.RAW,
    group="raw",
    code_version=2,
    thresholds=("phenology.camera",),
    placed=False,
    kinds=("phenocam", "image"),
    sensor="phenocam",
    pool="phenocam",
    columns=COLUMNS,
    asked_within=timedelta(days=5),
    cost=Cost(requests=321, megabytes=8.3, seconds=12.9),
    news=Cost(requests=5, seconds=0.5),
)
