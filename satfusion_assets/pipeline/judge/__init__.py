"""What good means for each product: judgements on what is published, by reading it back."""

from __future__ import annotations

from satfusion_assets.pipeline.judge.evaluation import PACK, PHENOLOGY
from satfusion_assets.pipeline.judge.fused import FUSED, PROCESSED
from satfusion_assets.pipeline.judge.gaps import GAP_BENCHMARK, GAP_TABLE
from satfusion_assets.pipeline.judge.prepared import PREPARED, PRESELECTED
from satfusion_assets.pipeline.judge.raw import CAMERA_PHENOLOGY, RAW_PHENOCAM, RAW_S2, RAW_S3
from satfusion_assets.pipeline.judge.scores import METRICS, SCENARIO_METRICS, SCORE_TABLE
from satfusion_assets.pipeline.judge.verdict import FILES, Criterion, Judged, Verdict, judge

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
