"""``metrics``: all scenarios of a site-season, each sensor alone, and comparisons."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.processed.product import PROCESSED
from satfusion_assets.pipeline.raw_phenocam.product import RAW_PHENOCAM
from satfusion_assets.pipeline.records import Columns, Grid, Input, ProductRecord, Stage
from satfusion_assets.pipeline.scenario_metrics.product import SCENARIO_METRICS
from satfusion_assets.pipeline.thresholds import SCORING

COLUMNS: Final[Columns] = {
    "scenario": "string: strategy, mode and sigma",
    "pearson_r": "float: correlation with gcc_90 on common days",
    "nse": "float: Nash-Sutcliffe efficiency; 1 = perfect, 0 = no better than the camera's mean",
    "rmse": "float: root mean square difference in GCC",
    "mae": "float: mean absolute difference in GCC",
    "nrmse": "float: RMSE over the mean of gcc_90",
    "n_samples": "int: common days",
}
METRICS: Final = ProductRecord(
    name="metrics",
    room=__package__,
    grid=Grid.SITE_SEASON,
    stage=Stage.METRICS,
    group="scores",
    code_version=4,
    thresholds=SCORING,
    placed=False,
    inputs=(Input(RAW_PHENOCAM), Input(PRESELECTED), Input(PROCESSED), Input(SCENARIO_METRICS)),
    kinds=("json",),
    columns=COLUMNS,
    cost=Cost(megabytes=0.2, seconds=3.2),
)
