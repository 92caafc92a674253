"""Methods over a population of landscapes: pairwise wins with their counts, means and spreads, never one landscape.

A score of one landscape says what happened on that landscape. Here each landscape is one case: a method's RMSE less
another's on the pixels and days that both estimate is one difference a landscape, and a claim is how many of these have
the same sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd

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
    def site_season(self) -> SiteSeason:
        return SiteSeason(self.site, self.season)

    @property
    def columns(self) -> dict[str, Any]:
        return {"site": self.site, "season": self.season, "seed": self.seed, "landscape": self.landscape}


def standings(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Per landscape kind, strategy, pair, quantity and stratum: wins, ties, mean and spread of the relative difference.

    table: rows of ``pairs.pair_rows`` with the columns of their ``Case``. difference: RMSE of a over that of b, minus
    one; below zero a is nearer to the truth. spread: standard deviation over landscapes, None for fewer than two.
    """
    keys = ["landscape", "strategy", "a", "b", "quantity", "stratum_kind", "stratum"]
    for values, group in table[table.a != table.b].groupby(keys, sort=True):
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
