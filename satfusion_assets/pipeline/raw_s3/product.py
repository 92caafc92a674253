"""``raw_s3``: what Copernicus has of a site-season."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.records import Grid, ProductRecord, Stage

RAW_S3: Final = ProductRecord(
    name="raw_s3",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.RAW,
    group="raw",
    code_version=2,
    thresholds=("vocabulary.grid", "archives.copernicus.cubes"),
    kinds=("sentinel3", "openeo"),
    sensor="sentinel3",
    pool="openeo",
    asked_within=timedelta(days=7),  # twice as long as the schedule's longest pause
    cost=Cost(requests=44, jobs=6, megabytes=3.1, seconds=8.2),
    news=Cost(seconds=0.9),
)
