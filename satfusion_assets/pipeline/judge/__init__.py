"""What good means for each product: judgements on what is published, by reading it back."""

from __future__ import annotations

from satfusion_assets.pipeline.camera_phenology.criteria import CRITERIA as CAMERA_PHENOLOGY
from satfusion_assets.pipeline.criteria import FILES, Criterion, Judged, Verdict, judge
from satfusion_assets.pipeline.fused.criteria import CRITERIA as FUSED
from satfusion_assets.pipeline.gap_benchmark.criteria import CRITERIA as GAP_BENCHMARK
from satfusion_assets.pipeline.gap_table.criteria import CRITERIA as GAP_TABLE
from satfusion_assets.pipeline.metrics.criteria import CRITERIA as METRICS
from satfusion_assets.pipeline.pack.criteria import CRITERIA as PACK
from satfusion_assets.pipeline.phenology.criteria import CRITERIA as PHENOLOGY
from satfusion_assets.pipeline.prepared.criteria import CRITERIA as PREPARED
from satfusion_assets.pipeline.preselected.criteria import CRITERIA as PRESELECTED
from satfusion_assets.pipeline.processed.criteria import CRITERIA as PROCESSED
from satfusion_assets.pipeline.raw_phenocam.criteria import CRITERIA as RAW_PHENOCAM
from satfusion_assets.pipeline.raw_s2.criteria import CRITERIA as RAW_S2
from satfusion_assets.pipeline.raw_s3.criteria import CRITERIA as RAW_S3
from satfusion_assets.pipeline.scenario_metrics.criteria import CRITERIA as SCENARIO_METRICS
from satfusion_assets.pipeline.score_table.criteria import CRITERIA as SCORE_TABLE

CRITERIA: dict[str, tuple[Criterion, ...]] = {
    "raw_s2": RAW_S2,
    "raw_s3": RAW_S3,
    "raw_phenocam": RAW_PHENOCAM,
    "camera_phenology": CAMERA_PHENOLOGY,
    "preselected": PRESELECTED,
    "prepared_bti": PREPARED,
    "prepared_itb": PREPARED,
    "fused": FUSED,
    "processed": PROCESSED,
    "scenario_metrics": SCENARIO_METRICS,
    "metrics": METRICS,
    "score_table": SCORE_TABLE,
    "phenology": PHENOLOGY,
    "pack": PACK,
    "gap_benchmark": GAP_BENCHMARK,
    "gap_table": GAP_TABLE,
}
"""Criteria by product; every product is held to FILES as well."""


def criteria(product: str) -> tuple[Criterion, ...]:
    """What ``product`` is held to."""
    return (FILES, *CRITERIA.get(product, ()))


__all__ = ["CRITERIA", "Criterion", "Judged", "Verdict", "criteria", "judge"]
