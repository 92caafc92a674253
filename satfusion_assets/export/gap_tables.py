"""The gap benchmark over all site-seasons: a table per tier, and what the spatial one says by gap length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.export.dictionary import GAP_SEASONS, GAP_SUMMARY, GAPS, Columns, ColumnType, typed
from satfusion_assets.export.score_tables import table, tabular
from satfusion_assets.vocabulary.scenarios import SCENARIOS

if TYPE_CHECKING:
    import pandas as pd

_KEYS: Final = ("site", "season", "strategy", "transition", "gap_days", "method", "quantity")
_SOURCE: Final = ("s3_product", "s3_level", "sources")
"""Which Sentinel-3 a report rests on (``olci_l1b``, ``TOA``), and the archives' words; None where it does not say."""
_SCORES: Final = ("n_pixels", "rmse", "mae", "mean_bias", "pearson_r", "nse_s2", "estimated_share")
_SEASON_KEYS: Final = ("site", "season", "strategy", "transition", "gap_days", "method")
_SEASON_SCORES: Final = ("nse_pc", "delta_nse_pc", "rmse", "pearson_r", "n_samples")
SUMMARY_HEADINGS: Final = {
    "s3_level": "S3",
    "strategy": "Strategy",
    "method": "Method",
    "gap_days": "Gap (d)",
    "n_gaps": "Gaps",
    "rmse": "RMSE",
    "nse_s2": "NSE",
    "estimated_share": "Estimated",
    "fusion_wins": "Fusion better",
}
SUMMARY_CAPTION: Final = (
    "Greenness in gaps of which every Sentinel-2 scene is withheld, by method and length: median root mean square "
    "error (RMSE) and efficiency (NSE) over the gaps, share of the pixels that the method estimates, and share of the "
    "gaps in which the best fusion has the lower error."
)
_FUSIONS: Final = frozenset(scenario.key for scenario in SCENARIOS)


def _of_gap(report: Mapping[str, Any], strategy: str, gap: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say which gap a row is of."""
    return {
        "site": report["site_name"],
        "season": report["season"],
        **{name: report.get(name) for name in _SOURCE},
        "strategy": strategy,
        "transition": gap["transition"],
        "gap_days": gap["gap_days"],
    }


def spatial_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per gap, strategy, method and quantity of one gap_metrics.json (spatial tier, common pixels)."""
    return [
        {
            **_of_gap(report, strategy, gap),
            "method": method,
            "quantity": quantity,
            **{name: scores[name] for name in _SCORES},
        }
        for strategy, outcome in report["strategies"].items()
        for gap in outcome["gaps"]
        for method, of in gap["spatial"].items()
        for quantity, scores in of.items()
    ]


def season_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per gap, strategy and method of one gap_metrics.json: temporal and phenology tier.

    ``delta_nse_pc`` is NSE against the camera with the gap less without it; ``late_rising_50`` ... days late.
    """
    return [
        {
            **_of_gap(report, strategy, gap),
            "method": method,
            **{name: (scores or {}).get(name) for name in _SEASON_SCORES},
            "delta_nse_pc": _difference(scores, outcome["no_gap"]["temporal"].get(method)),
            **{f"late_{name}": days for name, days in (gap["phenology"] or {}).get(method, {}).items()},
        }
        for strategy, outcome in report["strategies"].items()
        for gap in outcome["gaps"]
        for method, scores in gap["temporal"].items()
    ]


def _difference(gap: Mapping[str, Any] | None, no_gap: Mapping[str, Any] | None) -> float | None:
    left, right = ((scores or {}).get("nse_pc") for scores in (gap, no_gap))
    return None if left is None or right is None else left - right


def season_table(reports: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The temporal and phenology tiers of all reports as a data frame; absent numbers are NaN."""
    return _frame([row for report in reports for row in season_rows(report)], GAP_SEASONS, _SEASON_KEYS)


def gap_table(reports: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The spatial tier of all reports as a data frame; absent numbers are NaN."""
    return _frame([row for report in reports for row in spatial_rows(report)], GAPS, _KEYS)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Columns, keys: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns))
    numbers = [name for name, column in columns.items() if column.type in (ColumnType.WHOLE, ColumnType.NUMBER)]
    frame[numbers] = frame[numbers].astype("float64")
    return typed(frame.sort_values(list(keys), ignore_index=True), columns)


def gap_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Per strategy, method, quantity, gap length and level of Sentinel-3, over sites, seasons and transitions.

    Median RMSE and NSE and mean estimated share; ``n_gaps`` counts the gaps behind them, ``fusion_wins`` the share of
    them in which the best scenario of that strategy has the lower RMSE (null for the scenarios themselves).
    """
    keys = ["s3_level", "strategy", "method", "quantity", "gap_days"]
    gap = ["site", "season", "strategy", "transition", "gap_days", "quantity"]
    fused = table[table["method"].isin(_FUSIONS)].groupby(gap)["rmse"].min().rename("best_fusion")
    joined = table.join(fused, on=gap)
    known = joined["rmse"].notna() & joined["best_fusion"].notna() & ~joined["method"].isin(_FUSIONS)
    joined["fusion_wins"] = (joined["best_fusion"] < joined["rmse"]).astype("float64").where(known)
    return (
        joined.groupby(keys, dropna=False)
        .agg(
            n_gaps=("rmse", "count"),
            rmse=("rmse", "median"),
            nse_s2=("nse_s2", "median"),
            estimated_share=("estimated_share", "mean"),
            fusion_wins=("fusion_wins", "mean"),
            sources=("sources", _all_said),
        )
        .reset_index()
        .pipe(typed, GAP_SUMMARY)
    )


def _all_said(sources: pd.Series) -> str | None:
    """Every different statement once."""
    return " | ".join(sorted({part for text in sources.dropna() for part in text.split(" | ")})) or None


def latex_summary(summary: pd.DataFrame) -> str:
    """GCC by strategy, method and gap length as a LaTeX ``table``."""
    rows = summary[summary["quantity"] == "gcc"]
    return table(rows, tabular(rows, SUMMARY_HEADINGS), SUMMARY_CAPTION, "gaps")
