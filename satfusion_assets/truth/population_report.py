"""The population's report as a page: sentences with their counts, and the tables that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES
from satfusion_assets.truth.population import sentence, standings
from satfusion_assets.truth.report import COMPETITORS, markdown_table

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
camera's summaries carry snow days without a flag on both landscapes, for its provisional files fill in no flags. So a
win here says that a method copes with these effects at these sizes, not that it wins on a real site."""


def population_page(table: pd.DataFrame, command: str) -> str:
    """The report as Markdown. table: rows of ``pair_rows`` with their case; command: what wrote it."""
    rows = list(standings(table))
    counted = table[["landscape", "site", "season", "seed"]].drop_duplicates()
    parts = ["# Methods over a population of landscapes", _INTRODUCTION.format(command=command)]
    parts.append(markdown_table(list(_population(counted))))
    fewest = int(counted.landscape.value_counts().min())
    if fewest < LEAST_POPULATION:
        parts.append(
            f"**These are {fewest} landscapes of each kind, fewer than the {LEAST_POPULATION} from which counts are "
            "evidence: the page shows how the judgement is made, and settles nothing.**"
        )
    for kind in sorted(counted.landscape.unique(), reverse=True):
        parts += [f"## What the {kind} landscapes say", *_said(rows, kind)]
    parts += ["## Snow-free ground, by quantity", markdown_table([_line(r) for r in rows if _whole(r) and _crossed(r)])]
    for stratum, words in (("land_cover", "land cover"), ("days_to_clear", "days to the nearest clear scene")):
        chosen = [r for r in rows if r["stratum_kind"] == stratum and r["quantity"] in ("gcc", "nir") and _crossed(r)]
        parts += [f"## GCC and near infrared by {words}", markdown_table([_line(r) for r in chosen])]
    parts += ["## What the sandbox still cannot show", _LIMITS]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = """\
Each landscape is made, served by its archives, prepared by the platform and scored against its truth. Two methods are
compared on the pixels and days that both estimate; `scored on` is the part of the ground that these are. A difference
is the first method's RMSE over the second's, minus one, so below zero the first is nearer to the truth; less than 1 %
is a tie. Every third day of the season is scored. This page, its counts and its sentences are written by

    {command}

which goes on where it was stopped."""


def _population(counted: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (landscape, site), group in counted.groupby(["landscape", "site"]):
        seeds = ", ".join(map(str, sorted(group.seed)))
        yield {"landscape": landscape, "site": site, "season": str(group.season.iloc[0]), "seeds": seeds}


def _said(rows: list[dict[str, Any]], kind: str) -> Iterator[str]:
    """One sentence per pair of fusion and competitor, for every quantity of all snow-free ground."""
    chosen = [row for row in rows if row["landscape"] == kind and _whole(row) and _crossed(row)]
    chosen.sort(key=lambda row: (QUANTITIES.index(row["quantity"]), row["strategy"], row["a"], row["b"]))
    said = [sentence(row) for row in chosen if row["quantity"] in ("gcc", "ndvi", "nir")]
    yield "\n".join(f"- {line}" for line in said) or "(nothing was scored)"


def _whole(row: Mapping[str, Any]) -> bool:
    return bool(row["stratum_kind"] == "ground" and row["stratum"] == "snow_free")


def _crossed(row: Mapping[str, Any]) -> bool:
    """Whether a fusion meets what Sentinel-2 alone gives."""
    return (row["a"] in COMPETITORS) != (row["b"] in COMPETITORS)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "landscape": row["landscape"],
        "stratum": f"{row['stratum']}".replace("_", " "),
        "quantity": row["quantity"],
        "first": row["a"],
        "second": row["b"],
        "first wins": f"{row['a_wins']} of {row['landscapes']}",
        "ties": str(row["ties"]),
        "difference": f"{row['mean_difference']:+.1%}",
        "spread": None if row["spread"] is None else f"{row['spread']:.1%}",
        "RMSE first": row["rmse_a"],
        "RMSE second": row["rmse_b"],
        "scored on": f"{row['share']:.0%}",
    }
