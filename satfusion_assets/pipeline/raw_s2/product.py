"""``raw_s2``: what Earth Search has of a site-season."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.records import Grid, ProductRecord, Stage

RAW_S2: Final = ProductRecord(
    name="raw_s2",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.RAW,
    group="raw",
    code_version=2,
    thresholds=("vocabulary.grid", "archives.earth_search.offset"),
    kinds=("sentinel2", "stac"),
    sensor="sentinel2",
    pool="earth_search",
    asked_within=timedelta(days=10),  # two revisits of one satellite
    cost=Cost(requests=1532, megabytes=22, seconds=18.1),
    news=Cost(requests=7, seconds=0.7),
)
