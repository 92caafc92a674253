"""Tables of a population: mean and spread over landscapes, and in how many of them a method wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES
from satfusion_assets.truth.dates import ALONE_SERIES
from satfusion_assets.truth.report import markdown_table, ordered
from satfusion_assets.truth.season import ALONE

if TYPE_CHECKING:
    import pandas as pd

Standings = Sequence[dict[str, Any]]
"""Rows of ``population.standings``."""


def own_table(own: pd.DataFrame) -> str:
    """Mean RMSE and its spread by quantity, each method on all that it estimates of the snow-free ground."""
    whole = own[own.stratum_kind == "ground"]
    rows = []
    for (kind, strategy, method), group in whole.groupby(["landscape", "strategy", "a"], sort=False):
        of = {str(quantity): part.rmse_a for quantity, part in group.groupby("quantity")}
        rows.append(
            {"landscape": kind, "strategy": strategy, "method": method}
            | {name: spread(of[name], "{:.4f}") if name in of else None for name in QUANTITIES}
            | {"estimated": f"{group.groupby('quantity').share.mean().max():.0%}"}
        )
    return markdown_table(rows)


def pair_table(rows: Standings) -> str:
    """One line per kind, strategy and fusion, one column per other method: wins of all, and the mean difference."""
    return _matrix(rows, lambda row: _short(row["b"], row["strategy"]))


def strata_table(rows: Standings) -> str:
    """The same by stratum, against the one of Sentinel-2 alone that is hardest to beat there."""
    hardest: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("landscape", "strategy", "a", "stratum"))
        if key not in hardest or row["mean_difference"] > hardest[key]["mean_difference"]:
            hardest[key] = row
    return _matrix(list(hardest.values()), lambda row: str(row["stratum"]), named=True)


def _matrix(rows: Standings, column: Any, named: bool = False) -> str:
    columns = ordered(sorted({column(row) for row in rows}))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: (row["landscape"], row["strategy"], row["a"] in ALONE, row["a"])):
        line = lines.setdefault((row["landscape"], row["strategy"], row["a"]), {})
        line[column(row)] = _counted(row) + (f" {row['b']}" if named else "")
    head = ("landscape", "strategy", "fusion")
    return markdown_table(
        [
            dict(zip(head, key, strict=True)) | {name: line.get(name) for name in columns}
            for key, line in lines.items()
            if key[2] not in ALONE
        ]
    )


def _counted(row: dict[str, Any]) -> str:
    """``11/12 -23% (4%)``: wins of all, mean difference, its spread."""
    spread_of_it = "" if row["spread"] is None else f" ({row['spread']:.0%})"
    return f"{row['a_wins']}/{row['landscapes']} {row['mean_difference']:+.0%}{spread_of_it}"


def _short(method: str, strategy: str) -> str:
    """A scenario's name without its strategy, so that both strategies share a column."""
    return method.removeprefix(f"{strategy}_")


def date_sentences(dates: pd.DataFrame) -> Iterator[str]:
    """Per kind and date: in how many landscapes the best fusion's median is nearer than Sentinel-2's alone."""
    lines = []
    for (kind, date), group in dates.groupby(["landscape", "date"], sort=True):
        fused = group[group.series != ALONE_SERIES]
        best = str(fused.groupby("series")["median"].mean().idxmin())
        ours = fused[fused.series == best]
        beside = group[(group.series == ALONE_SERIES) & group.strategy.isin(ours.strategy)]
        both = ours.merge(beside, on=["site", "season", "seed"])
        wins = int((both.median_x < both.median_y).sum())
        lines.append(
            f"- On {kind} landscapes, {str(date).replace('_', ' ')} %: {best} has a smaller median error than "
            f"Sentinel-2 alone in {wins} of {len(both)} ({both.median_x.mean():.1f} against {both.median_y.mean():.1f} "
            f"days on average; beyond 15 days {both.far_x.mean():.0%} against {both.far_y.mean():.0%})."
        )
    yield "\n".join(lines)


def date_table(dates: pd.DataFrame) -> str:
    rows = []
    for (kind, strategy, series, date), group in dates.groupby(["landscape", "strategy", "series", "date"]):
        rows.append(
            {
                "landscape": kind,
                "strategy": strategy,
                "series": series,
                "date": str(date).replace("_", " ") + " %",
                "landscapes": str(len(group)),
                "median": spread(group["median"], "{:.1f}"),
                "90th percentile": spread(group.p90, "{:.1f}"),
                "beyond 15 d": f"{group.far.mean():.0%}",
                "dated": f"{group.dated.mean():.0%}",
                "true date in the 95 % interval": f"{group.covered.mean():.0%}",
            }
        )
    return markdown_table(sorted(rows, key=lambda row: (row["landscape"], row["date"], row["strategy"])))


def calibration_table(table: pd.DataFrame) -> str:
    """Coverage over all snow-free ground, and of the 95 % interval by days to the nearest clear scene."""
    rows = []
    gaps = ordered(sorted(table[table.stratum_kind == "days_to_clear"].stratum.unique()))
    for (kind, method, quantity), group in table.groupby(["landscape", "method", "quantity"], sort=False):
        whole = group[group.stratum_kind == "ground"]
        near = group[group.stratum_kind == "days_to_clear"].groupby("stratum").coverage_95.mean()
        rows.append(
            {"landscape": kind, "method": method, "quantity": quantity}
            | {"68 %": _range(whole.coverage_68), "95 %": _range(whole.coverage_95)}
            | {f"95 %, {name} d": f"{near[name]:.0%}" if name in near else None for name in gaps}
        )
    return markdown_table(rows)


def spread(values: npt.ArrayLike, shape: str) -> str:
    """Mean, and standard deviation over landscapes where there are several."""
    numbers = np.asarray(values, np.float64)
    mean = shape.format(numbers.mean())
    return f"{mean} ({shape.format(numbers.std(ddof=1))})" if numbers.size > 1 else mean


def _range(shares: pd.Series[float]) -> str:
    return f"{shares.mean():.0%} ({shares.min():.0%} to {shares.max():.0%})"
