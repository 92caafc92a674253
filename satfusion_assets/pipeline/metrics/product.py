""""""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.columns import Columns

COLUMNS: Final[Columns] = {
    "scenario": "string: strategy, mode and sigma",
    "pearson_r": "float: correlation with gcc_90 on common days",
    "nse": "float: Nash-Sutcliffe efficiency; 1 = perfect, 0 = no better than the camera's mean",
    "rmse": "float: root mean square difference in GCC",
    "mae": "float: mean absolute difference in GCC",
    "nrmse": "float: RMSE over the mean of gcc_90",
    "n_samples": "int: common days",
}
