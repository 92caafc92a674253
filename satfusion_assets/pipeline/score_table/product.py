"""``score_table``: the scores of all site-seasons."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage

SCORE_TABLE: Final = ProductRecord(
    name="score_table",
    room=__package__,
    grid=Grid.ALL,
    stage=Stage.METRICS,
    group="scores",
    code_version=5,
    placed=False,
    inputs=(Input(METRICS),),
    kinds=("table",),
)
