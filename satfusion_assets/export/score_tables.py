"""The table over all site-seasons: one row per series that was scored, for CSV, Parquet and the thesis' LaTeX."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.export.dictionary import SCORES, ColumnType, typed
from satfusion_assets.vocabulary.scenarios import SCENARIOS
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd

SCORE_COLUMNS: Final = ("nse_pc", "rmse", "mae", "nrmse", "pearson_r", "n_samples", "mean_residual")
_IN_SKILL: Final = {"nse_pc": "nse", "rmse": "rmse", "mae": "mae", "pearson_r": "pearson_r", "mean_residual": "bias"}
"""The contract's scores under their names in skill.json; nRMSE is not among them."""
LATEX_COLUMNS: Final = {
    "site": "Site",
    "season": "Season",
    "s3_level": "S3",
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
LATEX_CAPTION: Final = (
    "Greenness of the fused images and of each sensor alone against the camera's: efficiency of Nash and Sutcliffe "
    "(NSE), root mean square error over the camera's mean (nRMSE), correlation ($r$), NSE after the camera's bias and "
    "gain are taken away with its 95\\,\\% interval, rank correlation ($\\rho$) and lag, on $n$ common days."
)
INTERVALS: Final = {"calibrated_nse": ("calibrated_nse_low", "calibrated_nse_high")}
"""Columns whose 95 % interval stands behind the number in LaTeX."""

_ESCAPES: Final = str.maketrans(
    {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {char: f"\\{char}" for char in "&%$#_{}"}
)


@dataclass(frozen=True)
class SeasonScores:
    """What is known of one site-season: the contents of metrics.json and skill.json, which Sentinel-3 product
    (``olci_l1b``) was fused, whether it is top-of-atmosphere (TOA) or surface (BOA) reflectance, and what the archives
    say of their data."""

    site_season: SiteSeason
    metrics: Mapping[str, Any]
    skill: Mapping[str, Any]
    s3_product: str | None = None
    s3_level: str | None = None
    sources: str | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Per region of the camera, its own first: every scenario, then every baseline; null scores stay null."""
        return [
            row
            for number, (name, region) in enumerate(self.skill["regions"].items())
            for row in self._region_rows(name, region, own=number == 0)
        ]

    def _region_rows(self, name: str, region: Mapping[str, Any], own: bool) -> Iterable[dict[str, Any]]:
        contract = dict(_contract_scores(self.metrics))
        for kind in ("scenarios", "baselines"):
            for series, skill in region[kind].items():
                scores = _score_columns(contract.get(series)) if own else _raw_columns(skill)
                yield {
                    "site": self.site_season.site,
                    "season": self.site_season.season,
                    "s3_product": self.s3_product,
                    "s3_level": self.s3_level,
                    "sources": self.sources,
                    "region": name,
                    "vegetation": region["vegetation"],
                    "own_region": own,
                    "kind": kind.removesuffix("s"),
                    "series": series,
                    **scores,
                    **_skill_columns(skill),
                }


def score_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """All site-seasons' rows as a data frame; absent numbers are NaN.

    In order of site, season, region (the site's own first), kind and series.
    """
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(SCORES))
    numbers = [name for name, column in SCORES.items() if column.type in (ColumnType.WHOLE, ColumnType.NUMBER)]
    frame[numbers] = frame[numbers].astype("float64")
    frame["own_region"] = frame["own_region"].astype("bool")
    order = {"own_region": False, "kind": False}
    by = ["site", "season", "own_region", "region", "kind", "series"]
    return typed(frame.sort_values(by, ascending=[order.get(name, True) for name in by], ignore_index=True), SCORES)


def latex_table(frame: pd.DataFrame) -> str:
    """The rows of each season's own region as a LaTeX ``table``."""
    rows = frame[frame["own_region"]]
    return table(rows, tabular(rows, LATEX_COLUMNS, INTERVALS), LATEX_CAPTION, "scores")


def table(rows: pd.DataFrame, body: str, caption: str, label: str) -> str:
    """A LaTeX ``table`` around ``body``, which shows ``rows``: caption, label, and which packages it needs.

    Where the rows' sources say that their data are synthetic, so does the caption.
    """
    invented = any("synthetic" in text.lower() for text in rows["sources"].dropna())
    lines = [
        r"% In the preamble: \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}{' The data are synthetic.' if invented else ''}}}",
        rf"\label{{tab:{label}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        body.rstrip() + "}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def tabular(
    frame: pd.DataFrame, headings: Mapping[str, str], intervals: Mapping[str, tuple[str, str]] | None = None
) -> str:
    """A LaTeX ``tabular`` (booktabs) of the columns in ``headings``; a missing number is a dash.

    intervals: column -> the columns of its lower and upper bound, written behind the number.
    """
    texts = [column for column in headings if not is_number(frame[column])]
    lines = [
        rf"\begin{{tabular}}{{{''.join('l' if column in texts else 'r' for column in headings)}}}",
        r"\toprule",
        " & ".join(headings.values()) + r" \\",
        r"\midrule",
    ]
    rows = frame.to_dict("records")
    lines += [" & ".join(_cell(row, name, intervals or {}) for name in headings) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers."""
    return column.dtype.kind in "iuf"


def _contract_scores(metrics: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any] | None]]:
    """Scores by the name of their series in this table, which spells scenarios as everything but metrics.json does."""
    for scenario in SCENARIOS:
        yield scenario.key, metrics["temporal"].get(scenario.score_key)
    for baseline, value in metrics["baseline"].items():
        if baseline == "s2":
            yield "s2", value
            continue
        for strategy, scores in value.items():
            yield f"{baseline}_{strategy}", scores


def _score_columns(scores: Mapping[str, Any] | None) -> dict[str, Any]:
    if scores is None:
        return dict.fromkeys(SCORE_COLUMNS)
    columns = {name: scores[name] for name in SCORE_COLUMNS if name != "mean_residual"}
    return columns | {"mean_residual": scores["residual_vs_phenocam"]["mean"]}


def _raw_columns(skill: Mapping[str, Any] | None) -> dict[str, Any]:
    """The contract's scores against a region that metrics.json does not speak of."""
    if skill is None:
        return dict.fromkeys(SCORE_COLUMNS)
    columns = {name: skill["raw"][source] for name, source in _IN_SKILL.items()}
    return {**dict.fromkeys(SCORE_COLUMNS), **columns, "n_samples": skill["n_samples"]}


def _skill_columns(skill: Mapping[str, Any] | None) -> dict[str, Any]:
    found = skill or {}
    raw, calibrated, lag = (found.get(name) or {} for name in ("raw", "calibrated", "lag"))
    return {
        **_bounds("nse_pc", raw.get("nse_interval")),
        "camera_bias": found.get("camera_bias"),
        "camera_gain": found.get("camera_gain"),
        "calibrated_nse": calibrated.get("nse"),
        **_bounds("calibrated_nse", calibrated.get("nse_interval")),
        "calibrated_rmse": calibrated.get("rmse"),
        **_bounds("calibrated_rmse", calibrated.get("rmse_interval")),
        "calibrated_pearson_r": calibrated.get("pearson_r"),
        "spearman_r": found.get("spearman_r"),
        **_bounds("spearman_r", found.get("spearman_r_interval")),
        "lag_days": lag.get("lag_days"),
    }


def _bounds(name: str, interval: Sequence[float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def _cell(row: Mapping[Hashable, Any], column: str, intervals: Mapping[str, tuple[str, str]]) -> str:
    import pandas as pd

    value = row[column]
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if pd.isna(value):
        return "--"
    if isinstance(value, int):
        return str(value)
    bounds = [row[name] for name in intervals.get(column, ())]
    known = len(bounds) > 0 and all(bound == bound for bound in bounds)
    return f"${value:.3f}$" + (f" [{bounds[0]:.2f}, {bounds[1]:.2f}]" if known else "")
