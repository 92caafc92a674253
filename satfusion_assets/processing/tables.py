"""The table over all site-seasons: one row per series that was scored, for CSV, Parquet and the thesis' LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd

SCORE_COLUMNS: Final = ("nse_pc", "rmse", "mae", "nrmse", "pearson_r", "n_samples")
SKILL_COLUMNS: Final = ("nse", "rmse", "bias")

LATEX_COLUMNS: Final = {
    "site": "Site",
    "season": "Season",
    "series": "Series",
    "n_samples": "$n$",
    "nse_pc": "NSE",
    "nrmse": "nRMSE",
    "pearson_r": "$r$",
    "calibrated_nse": "NSE (calibrated)",
    "spearman_r": "$\\rho$",
    "lag_days": "Lag (d)",
}
"""Column of the table -> its heading in LaTeX."""

_ESCAPES: Final = str.maketrans(
    {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {char: f"\\{char}" for char in "&%$#_{}"}
)


def score_rows(
    site_season: SiteSeason, metrics: Mapping[str, Any], skill: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of one site-season: every scenario, then every baseline; null scores stay null.

    metrics, skill: the contents of metrics.json and skill.json; the skill of the first region is shown.
    """
    regions = (skill or {}).get("regions", {})
    region = next(iter(regions), None)
    rows = []
    for kind, name, scores in _scored(metrics):
        found = regions[region].get(name) if region is not None and kind == "fused" else None
        row: dict[str, Any] = {"site": site_season.site, "season": site_season.season, "kind": kind, "series": name}
        row |= {column: None if scores is None else scores[column] for column in SCORE_COLUMNS}
        row["mean_residual"] = None if scores is None else scores["residual_vs_phenocam"]["mean"]
        rows.append(row | _skill_columns(found))
    return rows


def score_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """All rows as a data frame, sorted by site, season and series; absent numbers are NaN."""
    import pandas as pd

    columns = ["site", "season", "kind", "series", *SCORE_COLUMNS, "mean_residual", *_skill_columns(None)]
    frame = pd.DataFrame(list(rows), columns=columns)
    numbers = [column for column in columns if column not in ("site", "season", "kind", "series")]
    frame[numbers] = frame[numbers].astype("float64")
    frame["season"] = frame["season"].astype("int64")
    return frame.sort_values(["site", "season", "kind", "series"], ignore_index=True)


def latex_table(frame: pd.DataFrame) -> str:
    """The table as a LaTeX ``tabular`` (booktabs); a missing number is a dash."""
    lines = [
        rf"\begin{{tabular}}{{lll{'r' * (len(LATEX_COLUMNS) - 3)}}}",
        r"\toprule",
        " & ".join(LATEX_COLUMNS.values()) + r" \\",
        r"\midrule",
    ]
    rows = frame[list(LATEX_COLUMNS)].itertuples(index=False)
    lines += [
        " & ".join(_cell(name, value) for name, value in zip(LATEX_COLUMNS, row, strict=True)) + r" \\" for row in rows
    ]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _scored(metrics: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any] | None]]:
    for name, scores in metrics["temporal"].items():
        yield "fused", name, scores
    for baseline, value in metrics["baseline"].items():
        if baseline == "s2":
            yield "baseline", "s2", value
            continue
        for strategy, scores in value.items():
            yield "baseline", f"{baseline}_{strategy}", scores


def _skill_columns(skill: Mapping[str, Any] | None) -> dict[str, Any]:
    found = skill or {}
    calibrated, lag = found.get("calibrated") or {}, found.get("lag") or {}
    columns = {f"calibrated_{name}": calibrated.get(name) for name in SKILL_COLUMNS}
    low, high = calibrated.get("nse_interval") or (None, None)
    columns |= {"calibrated_nse_low": low, "calibrated_nse_high": high}
    return columns | {"spearman_r": found.get("spearman_r"), "lag_days": lag.get("lag_days")}


def _cell(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if value != value:
        return "--"
    if column in ("season", "n_samples", "lag_days"):
        return str(int(value))
    return f"${value:.3f}$"
