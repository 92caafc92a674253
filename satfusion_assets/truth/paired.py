"""Whether fusing adds anything for a camera: a paired test over landscapes and over the days within them.

A draw takes landscapes with replacement, and in each of them blocks of days (`evaluation.bootstrap`), so that a claim
has to hold from landscape to landscape and not on many days of one. The difference of a draw is the first series' RMSE
over the second's, minus one, on the days and places that both have: the geometric mean over its landscapes, since a
landscape where the second is nearly without error would settle an arithmetic one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.bootstrap import Bootstrap, holm, interval, two_sided_p
from satfusion_assets.truth.benefit import TESTED
from satfusion_assets.truth.population import TIE

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.floating]

LANDSCAPE: Final = ["site", "season", "seed"]
PAIR: Final = ["target", "strategy", "stratum", "a", "b"]
FAMILY: Final = ["landscape", "target", "stratum", "strategy"]
"""Tests whose p-values are adjusted together (Holm 1979)."""
DRAWS: Final = Bootstrap(draws=10_000)
"""So many that the smallest p, two of all draws, is below 0.01 after adjustment over some thirty pairs."""
UNTESTED: Final[dict[str, float | None]] = {"low": None, "high": None, "p": None}
LEAST_TESTED: Final = 6
"""Landscapes below which nothing is tested: of five, all may have one sign by chance in one of sixteen populations, and
draws from so few vary too little."""


@dataclass(frozen=True)
class _OfLandscape:
    """One pair on one landscape. difference: over all days. draws: (d,) over drawn days, NaN without any."""

    difference: float
    draws: FloatArray
    n: int


def benefit(table: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of landscape, target, strategy, stratum and pair.

    table: rows of ``benefit.benefit_rows`` with the columns of their case. difference: geometric mean over landscapes;
    below zero the first is nearer. low, high: its 95 % interval; p: two-sided, adjusted within the family; all three
    None where nothing is tested (``benefit.TESTED``). n: days and places altogether.
    """
    import pandas as pd

    found = [row for kind, group in table.groupby("landscape") for row in _of_kind(str(kind), group)]
    rows = pd.DataFrame(found, columns=list(found[0]))
    # A column of numbers would turn what is not tested into NaN, which is a number to whoever adjusts p.
    for name in UNTESTED:
        rows[name] = pd.Series([row[name] for row in found], dtype=object)
    rows["adjusted"] = None
    for _, family in rows.groupby(FAMILY):
        rows.loc[family.index, "adjusted"] = pd.Series(holm(family.p.tolist()), family.index, dtype=object)
    return rows


def _of_kind(kind: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    landscapes = [_of_landscape(group, seed) for seed, (_, group) in enumerate(table.groupby(LANDSCAPE), 1)]
    for key in sorted({key for found in landscapes for key in found}):
        having = [found[key] for found in landscapes if key in found]
        differences = np.array([one.difference for one in having])
        yield {
            "landscape": kind,
            **dict(zip(PAIR, key, strict=True)),
            "landscapes": len(having),
            "n": sum(one.n for one in having),
            "a_wins": int((differences < -TIE).sum()),
            "b_wins": int((differences > TIE).sum()),
            "difference": float(np.expm1(np.log1p(differences).mean())),
            **(_tested(np.stack([one.draws for one in having])) if key[2] in TESTED else UNTESTED),
        }


def _tested(draws: FloatArray) -> dict[str, float | None]:
    """Interval and p of the geometric mean over landscapes; draws: (landscapes, d)."""
    if len(draws) < LEAST_TESTED:
        return UNTESTED
    drawn = np.random.default_rng(DRAWS.seed).integers(0, len(draws), (len(draws), draws.shape[1]))
    means = np.expm1(np.log1p(np.take_along_axis(draws, drawn, axis=0)).mean(axis=0, dtype=np.float64))
    low, high = interval(means) or (None, None)
    return {"low": low, "high": high, "p": None if low is None else two_sided_p(means)}


def _of_landscape(table: pd.DataFrame, seed: int) -> dict[tuple[str, ...], _OfLandscape]:
    """Every pair and stratum of one landscape, all of them under the same draws of days, which are its own."""
    sums = table.pivot_table(index="day", columns=PAIR, values=["sse_a", "sse_b", "n"], aggfunc="sum", fill_value=0)
    days = sums.index.to_numpy("datetime64[D]")
    weights = replace(DRAWS, seed=seed).weights(days)
    one, other = (sums[name].to_numpy(np.float64) for name in ("sse_a", "sse_b"))
    whole = _difference(one.sum(axis=0), other.sum(axis=0))
    drawn = _difference(weights @ one, weights @ other).astype(np.float32)
    counts = sums["n"].to_numpy().sum(axis=0)
    return {
        key: _OfLandscape(float(whole[n]), drawn[:, n], int(counts[n]))
        for n, key in enumerate(sums["n"].columns)
        if np.isfinite(whole[n])
    }


def _difference(one: FloatArray, other: FloatArray) -> FloatArray:
    ratio = np.divide(one, other, out=np.full(one.shape, np.nan), where=other > 0)
    return np.asarray(np.sqrt(ratio) - 1)
