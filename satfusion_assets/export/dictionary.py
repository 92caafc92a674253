"""The data dictionary: every column of every table that is written, with its type, unit and meaning.

The tables are cast by it, it is written beside them, and the manual's page is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd


class ColumnType(StrEnum):
    """How a column is written; flags as R and spreadsheets read them."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "TRUE or FALSE"


@dataclass(frozen=True)
class Column:
    """What a column holds. unit: empty where it has none."""

    type: ColumnType
    meaning: str
    unit: str = ""


Columns = Mapping[str, Column]
GCC_UNIT: Final = "1 (GCC)"
_INTERVAL: Final = "95 % interval, {end} end: "


def _text(meaning: str) -> Column:
    return Column(ColumnType.TEXT, meaning)


def _whole(meaning: str, unit: str = "") -> Column:
    return Column(ColumnType.WHOLE, meaning, unit)


def _number(meaning: str, unit: str = "1") -> Column:
    return Column(ColumnType.NUMBER, meaning, unit)


def _bounds(name: str, column: Column) -> dict[str, Column]:
    return {
        f"{name}_{end}": Column(column.type, _INTERVAL.format(end=word) + column.meaning, column.unit)
        for end, word in (("low", "lower"), ("high", "upper"))
    }


_PLACE: Final = {"site": _text("PhenoCam's name of the site"), "season": _whole("calendar year")}
_S3: Final = {
    "s3_product": _text("Sentinel-3 product that was fused; none = Sentinel-2 alone"),
    "s3_level": _text("TOA = top of the atmosphere, BOA = surface reflectance"),
    "sources": _text("what the archives say of their data: collection, provider, licence; synthetic data say so here"),
}
_NSE: Final = _number("efficiency of Nash and Sutcliffe against the camera: 1 perfect, 0 as good as the camera's mean")
_CALIBRATED_NSE: Final = _number("the same after the camera's bias and gain are taken away, cross-validated")
_CALIBRATED_RMSE: Final = _number("RMSE after the camera's bias and gain are taken away, cross-validated", GCC_UNIT)
_SPEARMAN: Final = _number("correlation of the ranks, free of any calibration")

SCORES: Final[Columns] = {
    **_PLACE,
    **_S3,
    "region": _text("region of interest of the camera: site, vegetation, number"),
    "vegetation": _text("PhenoCam's code of the region's vegetation: GR grassland, DB deciduous broadleaf, ..."),
    "own_region": Column(ColumnType.FLAG, "TRUE for the region that metrics.json is scored against"),
    "kind": _text("scenario = fused, baseline = one sensor alone"),
    "series": _text("scenario key, or name of the baseline"),
    "nse_pc": _NSE,
    "rmse": _number("root mean square of series minus camera", GCC_UNIT),
    "mae": _number("mean absolute difference of series and camera", GCC_UNIT),
    "nrmse": _number("RMSE over the camera's mean; own region only"),
    "pearson_r": _number("Pearson's correlation with the camera"),
    "n_samples": _whole("days that series and camera have in common", "days"),
    "mean_residual": _number("mean of series minus camera; positive = too green", GCC_UNIT),
    **_bounds("nse_pc", _NSE),
    "camera_bias": _number("bias of the line that maps the series to the camera's scale", GCC_UNIT),
    "camera_gain": _number("slope of that line"),
    "calibrated_nse": _CALIBRATED_NSE,
    **_bounds("calibrated_nse", _CALIBRATED_NSE),
    "calibrated_rmse": _CALIBRATED_RMSE,
    **_bounds("calibrated_rmse", _CALIBRATED_RMSE),
    "calibrated_pearson_r": _number("Pearson's correlation after calibration"),
    "spearman_r": _SPEARMAN,
    **_bounds("spearman_r", _SPEARMAN),
    "lag_days": _whole("shift at which series and camera correlate best; positive = the series is late", "days"),
}
_GAP: Final = {
    "strategy": _text("how eagerly whole scenes are left out: aggressive or nonaggressive"),
    "transition": _text("what the gap is centred on: green-up, peak, green-down, or natural clouds"),
    "gap_days": _whole("length of the gap", "days"),
    "method": _text("scenario key, or name of the competitor"),
}
_QUANTITY: Final = _text("band, NDVI or GCC")
_REFLECTANCE: Final = "1 (reflectance or index)"

GAPS: Final[Columns] = {
    **_PLACE,
    **_S3,
    **_GAP,
    "quantity": _QUANTITY,
    "n_pixels": _whole("withheld clear pixels that are scored", "pixels"),
    "rmse": _number("root mean square of prediction minus withheld scene", _REFLECTANCE),
    "mae": _number("mean absolute difference", _REFLECTANCE),
    "mean_bias": _number("mean of prediction minus withheld scene", _REFLECTANCE),
    "pearson_r": _number("Pearson's correlation over the pixels"),
    "nse_s2": _number("efficiency of Nash and Sutcliffe over the pixels"),
    "estimated_share": _number("share of the withheld clear pixels that the method estimates at all"),
}
_LATE: Final = {
    f"late_{direction}_{percent}": _whole(
        f"days by which the {percent} % date of the {word} is later than the camera's", "days"
    )
    for direction, word in (("rising", "green-up"), ("falling", "green-down"))
    for percent in (10, 25, 50)
}
GAP_SEASONS: Final[Columns] = {
    **_PLACE,
    **_S3,
    **_GAP,
    "nse_pc": _NSE,
    "delta_nse_pc": _number("NSE with the gap less NSE without it"),
    "rmse": SCORES["rmse"],
    "pearson_r": SCORES["pearson_r"],
    "n_samples": SCORES["n_samples"],
    **_LATE,
}
GAP_SUMMARY: Final[Columns] = {
    "s3_level": _S3["s3_level"],
    "strategy": _GAP["strategy"],
    "method": _GAP["method"],
    "quantity": _QUANTITY,
    "gap_days": _GAP["gap_days"],
    "n_gaps": _whole("gaps behind the row, over sites, seasons and transitions", "gaps"),
    "rmse": _number("median over the gaps of the RMSE", _REFLECTANCE),
    "nse_s2": _number("median over the gaps of the efficiency over the pixels"),
    "estimated_share": _number("mean share of the withheld clear pixels that the method estimates"),
    "fusion_wins": _number("share of the gaps in which the best scenario has the lower RMSE; empty for scenarios"),
    "sources": _S3["sources"],
}
TABLES: Final[Mapping[str, Columns]] = {
    "scores": SCORES,
    "gaps": GAPS,
    "gaps_season": GAP_SEASONS,
    "gaps_summary": GAP_SUMMARY,
}
"""Name of the file, without its ending -> its columns."""


def typed(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """``frame`` with whole numbers as whole numbers, also where some are missing, in the order of ``columns``."""
    whole = {name: "Int64" for name, column in columns.items() if column.type is ColumnType.WHOLE}
    return frame[list(columns)].astype(whole)


def csv_text(frame: pd.DataFrame, columns: Columns) -> str:
    """A typed frame as CSV; flags as TRUE and FALSE, which R, QGIS and spreadsheets take for what they are."""
    flags = [name for name, column in columns.items() if column.type is ColumnType.FLAG]
    written = frame.assign(**{name: frame[name].map({True: "TRUE", False: "FALSE"}) for name in flags})
    return written.to_csv(index=False, lineterminator="\n")


def dictionary_table(tables: Mapping[str, Columns]) -> pd.DataFrame:
    """The dictionary itself as a table."""
    import pandas as pd

    rows = [
        {"table": table, "column": name, "type": str(column.type), "unit": column.unit, "meaning": column.meaning}
        for table, columns in tables.items()
        for name, column in columns.items()
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])
