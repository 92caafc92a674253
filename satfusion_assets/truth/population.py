"""Methods over a population of landscapes: pairwise wins with their counts, means and spreads, never one landscape.

A score of one landscape says what happened on that landscape. Here each landscape is one case: a method's RMSE less
another's on the pixels and days that both estimate is one difference a landscape, and a claim is how many of these have
the same sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, Method, Prediction
from satfusion_assets.fusion.season import Days, SeasonStack
from satfusion_assets.truth.scoring import Truth, truth_rows
from satfusion_assets.vocabulary.scenarios import Strategy

if TYPE_CHECKING:
    import pandas as pd

STRATA: Final = ("ground", "land_cover", "days_to_clear")
"""Kinds of strata that a population is judged in: snow-free ground whole, by cover, by the gap around the day."""
COMPETITORS: Final = frozenset(method.name for method in PIXEL_METHODS)
TIE: Final = 0.01
"""A difference of less than this share of the smaller RMSE is a tie."""


@dataclass(frozen=True)
class Case:
    """One landscape of the population. landscape: ``plain``, ``hard`` or effects."""

    site: str
    season: int
    seed: int
    landscape: str

    @property
    def name(self) -> str:
        """``innsbruck_2024_seed3_hard``."""
        return f"{self.site}_{self.season}_seed{self.seed}_{self.landscape.replace(',', '+')}"

    @property
    def columns(self) -> dict[str, Any]:
        return {"site": self.site, "season": self.season, "seed": self.seed, "landscape": self.landscape}


def pair_rows(
    strategy: Strategy, stack: SeasonStack, truth: Truth, days: Days, methods: Sequence[Method]
) -> list[dict[str, Any]]:
    """One row per pair of methods, quantity and stratum, on the pixels and days that both estimate.

    n: pixels and days of that kind. share: the part of the stratum's pixels and days that they are, so what is left
    out stands beside the score. first, second: RMSE of each.
    """
    held = [_Held(method) for method in methods]
    known = replace(truth, reflectance=_remembered(truth.reflectance), snow=_remembered(truth.snow))
    rows = []
    for one, other in combinations(held, 2):
        if one.name in COMPETITORS and other.name in COMPETITORS:
            continue  # Whether fusing adds anything is asked here, not which interpolation is best.
        scored = truth_rows(strategy, stack, known, days, [one, other])
        by_key: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in scored:
            if row["stratum_kind"] in STRATA and row["rmse"] is not None:
                by_key.setdefault((row["quantity"], row["stratum_kind"], row["stratum"]), []).append(row)
        for (quantity, kind, stratum), both in by_key.items():
            if len(both) < 2:
                continue  # Index-then-Blend has no bands to compare.
            first, second = sorted(both, key=lambda row: row["method"] != one.name)
            pixels = [row["n"] / row["estimated_share"] for row in both if row["estimated_share"]]
            rows.append(
                {
                    "strategy": str(strategy),
                    "a": one.name,
                    "b": other.name,
                    "quantity": quantity,
                    "stratum_kind": kind,
                    "stratum": stratum,
                    "n": first["n"],
                    "share": first["n"] / max(pixels) if pixels else None,
                    "rmse_a": first["rmse"],
                    "rmse_b": second["rmse"],
                }
            )
    return rows


class _Held:
    """A method that predicts the same days once, however many pairs ask."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.name, self.reach = method.name, method.reach
        self._kept: dict[bytes, Prediction] = {}

    def predict(self, stack: SeasonStack, days: Days) -> Prediction:
        key = days.tobytes()
        if key not in self._kept:
            self._kept[key] = self._method.predict(stack, days)
        return self._kept[key]


def _remembered(of_days: Callable[[Days], npt.NDArray[np.floating]]) -> Callable[[Days], npt.NDArray[np.floating]]:
    """The same function, asked once for each stretch of days."""
    kept: dict[bytes, npt.NDArray[np.floating]] = {}

    def ask(days: Days) -> npt.NDArray[np.floating]:
        key = days.tobytes()
        if key not in kept:
            kept[key] = of_days(days)
        return kept[key]

    return ask


def standings(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Per landscape kind, strategy, pair, quantity and stratum: wins, ties, mean and spread of the relative difference.

    table: rows of ``pair_rows`` with the columns of their ``Case``. difference: RMSE of a over that of b, minus one;
    below zero a is nearer to the truth. spread: standard deviation over landscapes, None for fewer than two.
    """
    keys = ["landscape", "strategy", "a", "b", "quantity", "stratum_kind", "stratum"]
    for values, group in table.groupby(keys, sort=True):
        first, second = group.rmse_a.to_numpy(float), group.rmse_b.to_numpy(float)
        difference, tied = first / second - 1, np.abs(first - second) < TIE * np.minimum(first, second)
        yield {
            **dict(zip(keys, values, strict=True)),
            "landscapes": len(difference),
            "a_wins": int(((difference < 0) & ~tied).sum()),
            "ties": int(tied.sum()),
            "b_wins": int(((difference > 0) & ~tied).sum()),
            "mean_difference": float(difference.mean()),
            "spread": float(difference.std(ddof=1)) if len(difference) > 1 else None,
            "rmse_a": float(group.rmse_a.mean()),
            "rmse_b": float(group.rmse_b.mean()),
            "share": float(group.share.mean()),
        }


def sentence(row: Mapping[str, Any]) -> str:
    """What a row of ``standings`` says, with its count: ``in 11 of 12 landscapes``."""
    spread = "" if row["spread"] is None else f", spread {row['spread']:.0%}"
    a_leads = row["a_wins"] >= row["b_wins"]
    winner, loser = (row["a"], row["b"]) if a_leads else (row["b"], row["a"])
    wins = row["a_wins"] if a_leads else row["b_wins"]
    tied = f" ({row['ties']} tied)" if row["ties"] else ""
    return (
        f"{winner} is nearer to the truth than {loser} in {wins} of {row['landscapes']}{tied} {row['landscape']} "
        f"landscapes ({row['quantity']}, {row['strategy']}; RMSE of {row['a']} against {row['b']} "
        f"{row['mean_difference']:+.0%} on average{spread})."
    )
