"""Columns of the tables that people take away: what a field is and in which unit."""

from __future__ import annotations

from typing import Final

from satfusion_assets.vocabulary.scenarios import S2_BANDS, SERIES_BANDS, Strategy

Columns = dict[str, str]

_DAY: Final = "date: the site's local day of sensing"
_BANDS: Final = {
    name: f"float: mean of the 3 x 3 pixels at the camera's field, band {band} or its Sentinel-3 match"
    for name, band in zip(SERIES_BANDS, S2_BANDS, strict=True)
}
_NDVI: Final = "float: normalised difference vegetation index at the camera's field, -1 to 1"
_GCC: Final = "float: green chromatic coordinate, green / (red + green + blue), at the camera's field"

CAMERA: Final[Columns] = {
    "date": "date: day of the camera, its local time",
    "greenness_index": "float: gcc_90, 90th percentile of the day's GCC in the region of interest",
    "image_count": "int: pictures that went into the day",
    "snow": "int: 1 = the archive flags snow, 0 = none, empty = not said",
    "outlier": "string: who flagged the day, archive or detector; empty = nobody",
    "used": "int: 1 = the day counts in the series",
}
PRESELECTION: Final[Columns] = {
    "filename": "string: raw scene",
    "date": _DAY,
    "ndvi": _NDVI,
    **_BANDS,
    **{f"excluded_{strategy}": f"bool: the {strategy} strategy leaves the scene out" for strategy in Strategy},
    "greenness_index": _GCC,
    **{f"reason_{strategy}": "string: no_ndvi, dark or low_ndvi; empty = kept" for strategy in Strategy},
}
SERIES: Final[Columns] = {
    "date": _DAY,
    "filename": "string: image in the same folder",
    "ndvi": _NDVI,
    "greenness_index": _GCC,
    **_BANDS,
}
SCORES: Final[Columns] = {
    "scenario": "string: strategy, mode and sigma",
    "pearson_r": "float: correlation with gcc_90 on common days",
    "nse": "float: Nash-Sutcliffe efficiency; 1 = perfect, 0 = no better than the camera's mean",
    "rmse": "float: root mean square difference in GCC",
    "mae": "float: mean absolute difference in GCC",
    "nrmse": "float: RMSE over the mean of gcc_90",
    "n_samples": "int: common days",
}
