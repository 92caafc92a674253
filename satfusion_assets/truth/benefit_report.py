"""What fusing adds for a camera, as parts of the population's page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.evaluation.footprints import COARSE
from satfusion_assets.truth.benefit import FINE
from satfusion_assets.truth.paired import LEAST_TESTED, benefit
from satfusion_assets.truth.report import folded, markdown_table
from satfusion_assets.truth.season import ALONE, families, family_of

if TYPE_CHECKING:
    import pandas as pd

TARGETS: Final = {
    "place": "the truth in a camera's footprint, anywhere on the site",
    "camera": "the site's own camera",
}
STRATA: Final = {"all": "everywhere", "fine": "where fine structure matters", "coarse": "where it does not"}
OTHERS: Final = {"300 m data": COARSE, "Sentinel-2 alone": ALONE}

_INTRODUCTION: Final = f"""\
Every series is read through the footprint of a camera ([metrics.md](metrics.md#camera-footprint)): Sentinel-3 alone
(filled in time, and smoothed), Sentinel-2 alone by every method that fills its gaps, and each fusion. Series are mapped
to the target's scale by a bias and a gain fitted on other parts of the season. Two targets: the site's own camera with
its noise, its drift and a field that is not where it is believed to be; and, free of these, the true GCC in the same
footprint wherever on the site plants grow. Fine structure matters on days and at places where the true mean of the
300 m cell misses the footprint's by {FINE} of GCC or more. Differences are geometric means over landscapes, their
intervals and p of a block bootstrap over days within landscapes drawn with replacement, p adjusted over all pairs of a
stratum and strategy (Holm); nothing is tested on fewer than {LEAST_TESTED} landscapes."""


def benefit_parts(table: pd.DataFrame) -> Iterator[str]:
    """The section of the page. table: rows of ``benefit.benefit_rows`` with their case."""
    rows = benefit(table)
    yield "## Does fusing add anything for a camera?"
    yield _INTRODUCTION
    for kind in sorted(rows.landscape.unique(), reverse=True):
        here = rows[rows.landscape == kind]
        for target, words in TARGETS.items():
            said = list(_said(here[here.target == target]))
            if said:
                yield f"On the {kind} landscapes, against {words}:"
                yield "\n".join(said)
    details = markdown_table(list(_matrix(rows[rows.stratum.isin(list(STRATA))])))
    yield folded("Every fusion against every other series, with its test", details)


def _said(rows: pd.DataFrame) -> Iterator[str]:
    """Per strategy, other side and method: its best fusion against the best that the other side has, and where not."""
    whole = rows[rows.stratum == "all"]
    for strategy in sorted(whole.strategy.unique()):
        for (words, others), family in product(OTHERS.items(), families(whole.a)):
            own = whole.a.map(family_of) == family
            of = whole[(whole.strategy == strategy) & whole.b.isin(others) & own]
            if of.empty:
                continue
            hardest = of.loc[of.groupby("a").difference.idxmax()]
            best = hardest.loc[hardest.difference.idxmin()]
            same = rows[(rows.strategy == strategy) & (rows.a == best.a) & (rows.b == best.b)].set_index("stratum")
            parts = [f"{STRATA[name]} {_tested(same.loc[name])}" for name in STRATA if name in same.index]
            covers = same[~same.index.isin(list(STRATA)) & (same.difference > 0)]
            losing = ", ".join(f"{name} ({row.difference:+.0%})" for name, row in covers.iterrows())
            yield (
                f"- {best.a} {_verdict(best)} {words} ({best.b}): {'; '.join(parts)}."
                + (f" It is farther off, on average, over {losing}." if losing else "")
            )


def _verdict(row: Any) -> str:
    """In words, by the test: whether the first adds to the second."""
    if row.adjusted is None:
        return "(too few landscapes for a test) against"
    if row.adjusted > 0.05:
        return "shows no certain gain over" if row.difference < 0 else "adds nothing to"
    return "adds to" if row.difference < 0 else "is worse than"


def _tested(row: Any) -> str:
    interval = "" if row.low is None else f", {row.low:+.0%} to {row.high:+.0%}, p {_p(row.adjusted)}"
    return f"{row.difference:+.0%} (nearer in {row.a_wins} of {row.landscapes}{interval})"


def _p(value: float) -> str:
    return "< 0.01" if value < 0.01 else f"{value:.2f}"


def _matrix(rows: pd.DataFrame) -> Iterator[dict[str, str | None]]:
    """One line per fusion and stratum, one column per other series: wins of all, geometric mean of the ratio, and p."""
    keys = ["landscape", "target", "stratum", "strategy", "a"]
    others = [name for name in (*COARSE, *ALONE) if name in set(rows.b)]
    short = [_short(str(b), str(strategy)) for b, strategy in zip(rows.b, rows.strategy, strict=True)]
    others += sorted(set(short) - set(others))
    for key, group in rows.assign(other=short).groupby(keys):
        cells = {str(other): _cell(row) for other, (_, row) in zip(group.other, group.iterrows(), strict=True)}
        head = dict(zip((*keys[:-1], "fusion"), map(str, key), strict=True))
        yield {**head, "days and places": str(group.n.max()), **{name: cells.get(name) for name in others}}


def _short(method: str, strategy: str) -> str:
    """A scenario's name without its strategy."""
    return method.removeprefix(f"{strategy}_")


def _cell(row: Any) -> str:
    tested = "" if row.adjusted is None else f", p {_p(row.adjusted)}"
    return f"{row.a_wins}/{row.landscapes} {row.difference:+.0%}{tested}"
