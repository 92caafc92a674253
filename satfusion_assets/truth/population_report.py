"""The population's report as a page: sentences with their counts, and the tables that they come from, folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES
from satfusion_assets.truth.benefit_report import benefit_parts
from satfusion_assets.truth.population import sentence, standings
from satfusion_assets.truth.population_tables import (
    calibration_table,
    date_sentences,
    date_table,
    own_table,
    pair_table,
    strata_table,
)
from satfusion_assets.truth.report import folded, markdown_table
from satfusion_assets.truth.season import ALONE, families, family_of

if TYPE_CHECKING:
    import pandas as pd

LEAST_POPULATION: Final = 12
"""Landscapes of a kind from which its counts are evidence: with 12, ten wins or more have p < 0.05 (sign test)."""

_LIMITS: Final = """\
The harder landscape still cannot show everything. Its covers are eight, with three spectra each, and mixed by a patch;
a real field has weeds, tracks and rows. Its bidirectional weights are the same for every cover and season, global means
of one sensor's product, and its relief is a single valley. Misregistration shifts a scene as a whole: no detector
boundaries, no distortion that grows with the terrain. Haze left in a scene is even, clouds have one layer, and the
adjacency of bright ground is missing. Sizes marked as assumptions beside the effects have no published figure. The
camera's summaries carry snow days without a flag on both landscapes, for its provisional files fill in no flags. A
footprint is level ground by the rules of one geometry; a real camera sees crowns, and hides what lies behind them. So a
win here says that a method copes with these effects at these sizes, not that it wins on a real site."""

_INTRODUCTION: Final = """\
Each landscape is made, served by its archives, prepared by the platform and scored against its truth. Two methods are
compared on the pixels and days that both estimate. A difference is the first method's RMSE over the second's, minus
one, so below zero the first is nearer to the truth; less than 1 % is a tie. Every third day of the season is scored on
snow-free ground. Fusions are those of sigma 20; `itb` fuses the index itself; {alone} know Sentinel-2
alone. This page, its counts and its sentences are written by

    {command}

which goes on where it was stopped. Tables are folded: click a line to open it. A cell `11/12 -23% (4%)` says that the
fusion is nearer to the truth on 11 of 12 landscapes, its RMSE 23 % below the other's on average, with a standard
deviation of 4 % over landscapes. What the hard landscape is made of:
[landscapes.md](landscapes.md)."""


def population_page(tables: Mapping[str, pd.DataFrame], command: str) -> str:
    """The report as Markdown.

    tables: ``pairs``, ``calibration``, ``dates`` and ``benefit``, rows of all cases with the columns of their case.
    command: what wrote it.
    """
    rows = list(standings(tables["pairs"]))
    counted = tables["pairs"][["landscape", "site", "season", "seed"]].drop_duplicates()
    parts = ["# Methods over a population of landscapes"]
    parts.append(_INTRODUCTION.format(command=command, alone=", ".join(f"`{name}`" for name in ALONE)))
    parts.append(markdown_table(list(_population(counted))))
    fewest = int(counted.landscape.value_counts().min())
    if fewest < LEAST_POPULATION:
        parts.append(
            f"**These are {fewest} landscapes of each kind, fewer than the {LEAST_POPULATION} from which counts are "
            "evidence: the page shows how the judgement is made, and settles little.**"
        )
    parts += list(_unequal(tables["pairs"]))
    parts += ["## Images: each fusion against the best of Sentinel-2 alone", _BEST, *_best(rows)]
    parts += _images(tables["pairs"], rows)
    parts += benefit_parts(tables["benefit"])
    parts += ["## Transition dates", _DATES, *date_sentences(tables["dates"])]
    parts.append(folded("Dates of every series", date_table(tables["dates"])))
    parts += ["## What the stated standard deviation covers", _CALIBRATION]
    parts.append(folded("Coverage by method and quantity", calibration_table(tables["calibration"])))
    parts += ["## What the sandbox still cannot show", _LIMITS]
    return "\n\n".join(parts) + "\n"


_BEST: Final = """\
Of each fusion method the better mode, against what is hardest to beat for it, over the whole population of their kind
by mean RMSE, not anew on every landscape."""

_DATES: Final = """\
50 % dates of one season by itself against the true ones, in the middle of each site, as the platform's maps have them:
each fusion drawn to its clear scenes, and beside it the same smoothing of the clear scenes of Sentinel-2 alone. Errors
in days; each landscape has one median, one 90th percentile and one share beyond 15 days, and the numbers are means over
landscapes (standard deviation over landscapes). Of the strategies the one that keeps more scenes is judged."""

_CALIBRATION: Final = """\
Share of true values within 1 and 1.96 stated standard deviations (68 and 95 per cent if they are right), mean over
landscapes and from the lowest to the highest."""


def _population(counted: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (landscape, site), group in counted.groupby(["landscape", "site"]):
        seeds = ", ".join(map(str, sorted(group.seed)))
        yield {"landscape": landscape, "site": site, "season": str(group.season.iloc[0]), "seeds": seeds}


def _unequal(pairs: pd.DataFrame) -> Iterator[str]:
    """Which methods have met fewer landscapes than others, in words; nothing where all have met all."""
    landscapes = ["landscape", "site", "season", "seed"]
    met = {str(method): len(of[landscapes].drop_duplicates()) for method, of in pairs.groupby("a")}
    fewer = [f"`{method}` {count}" for method, count in met.items() if count < max(met.values())]
    if fewer:
        yield (
            f"**Not every method has met all {max(met.values())} landscapes: {', '.join(fewer)}. Counts and means are "
            "of the landscapes that both of a pair have met.**"
        )


def _best(rows: list[dict[str, Any]]) -> Iterator[str]:
    """One sentence per kind, strategy and quantity: what fusing adds over all snow-free ground."""
    for kind in sorted({row["landscape"] for row in rows}, reverse=True):
        said = []
        for quantity in QUANTITIES:
            for strategy in sorted({row["strategy"] for row in rows}):
                here = [
                    row
                    for row in rows
                    if (row["landscape"], row["quantity"], row["strategy"]) == (kind, quantity, strategy)
                    and _whole(row)
                    and _crossed(row)
                ]
                for family in families(row["a"] for row in here):
                    own = [row for row in here if family_of(row["a"]) == family]
                    said.append(f"- {sentence(best_pair(own))}")
        yield f"On the {kind} landscapes:"
        yield "\n".join(said) or "(nothing was scored)"


def best_pair(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Of rows of ``standings``, each a fusion against Sentinel-2 alone: the best fusion by its hardest competitor."""
    hardest: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = hardest.get(row["a"])
        if known is None or row["mean_difference"] > known["mean_difference"]:
            hardest[row["a"]] = row
    return min(hardest.values(), key=lambda row: float(row["mean_difference"]))


def _images(pairs: pd.DataFrame, rows: list[dict[str, Any]]) -> Iterator[str]:
    yield folded(
        "RMSE of every method on its own pixels, and how much it estimates", own_table(pairs[pairs.a == pairs.b])
    )
    whole = [row for row in rows if _whole(row)]
    for quantity in QUANTITIES:
        chosen = [row for row in whole if row["quantity"] == quantity]
        yield folded(f"{_name(quantity)}: every fusion against every other method", pair_table(chosen))
    for kind, words in (("land_cover", "land cover"), ("days_to_clear", "days to the pixel's nearest clear scene")):
        for quantity in QUANTITIES:
            chosen = [r for r in rows if r["stratum_kind"] == kind and r["quantity"] == quantity and _crossed(r)]
            yield folded(f"{_name(quantity)} by {words}", strata_table(chosen))


def _name(quantity: str) -> str:
    return quantity.upper() if quantity in ("gcc", "ndvi", "nir") else quantity.capitalize()


def _whole(row: Mapping[str, Any]) -> bool:
    return bool(row["stratum_kind"] == "ground" and row["stratum"] == "snow_free")


def _crossed(row: Mapping[str, Any]) -> bool:
    """Whether a fusion meets what Sentinel-2 alone gives."""
    return (row["a"] in ALONE) != (row["b"] in ALONE)
