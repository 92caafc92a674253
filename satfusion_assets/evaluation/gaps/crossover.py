"""The gap length at which fusion starts to beat, or lose to, a competitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def crossover(
    lengths: Sequence[int], fusion: Sequence[float | None], competitor: Sequence[float | None]
) -> dict[str, Any]:
    """Where two methods' NSE change places over the gap lengths (any order; equal lengths are not merged).

    ``first_gap_days_fusion_nse_below`` / ``..._above``: the shortest gap at which fusion is worse / better, null when
    there is none. A length at which either has no NSE says nothing. ``by_gap`` lists all of them, shortest first.
    """
    rows = sorted(zip(lengths, fusion, competitor, strict=True), key=lambda row: row[0])
    known = [(days, x, y) for days, x, y in rows if x is not None and y is not None]
    return {
        "first_gap_days_fusion_nse_below": next((days for days, x, y in known if x < y), None),
        "first_gap_days_fusion_nse_above": next((days for days, x, y in known if x > y), None),
        "by_gap": [{"gap_days": days, "nse_fusion": x, "nse_competitor": y} for days, x, y in rows],
    }
