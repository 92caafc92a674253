"""``gap_table``: the gap benchmarks of all site-seasons."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.gap_benchmark.product import GAP_BENCHMARK
from satfusion_assets.pipeline.records import Grid, Input, ProductRecord, Stage

GAP_TABLE: Final = ProductRecord(
    name="gap_table",
    room=__package__,
    grid=Grid.ALL,
    stage=Stage.EVALUATION,
    group="evaluation",
    code_version=4,
    placed=False,
    inputs=(Input(GAP_BENCHMARK),),
    kinds=("table",),
)
