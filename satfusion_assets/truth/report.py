"""The truth report as a page: tables of ``truth.truth_rows``, and in plain words where fusion loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS
from satfusion_assets.truth.scoring import FUSIONS, fusion_losses, truth_table
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    import pandas as pd

Rows = Sequence[Mapping[str, Any]]

COMPETITORS: Final = frozenset(method.name for method in PIXEL_METHODS)

NOTABLE_LOSS: Final = 0.01
"""A loss of less than this share of the competitor's RMSE is a tie."""

LONGEST_LIST: Final = 15
"""Losses listed by name and number; the rest are counted."""

STRATA: Final = {
    "land_cover": "land cover",
    "days_to_clear": "days to the pixel's nearest clear scene",
    "month": "month, snow included",
}
"""Strata with a table of their own, and what they are."""


def markdown_table(rows: Rows) -> str:
    """Rows of one set of columns as a table; numbers that are missing stand as a dash."""
    if not rows:
        return "(nothing to show)"
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def folded(title: str, text: str) -> str:
    """Text that a reader opens by a click."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"


def truth_page(site_season: SiteSeason, seed: int, rows: Rows, dates: Rows) -> str:
    """The whole report as Markdown. rows: of images (`truth_rows`); dates: of transition dates (`date_rows`)."""
    table = truth_table(rows)
    command = f"satfusion sandbox truth {site_season.site} {site_season.season} --seed {seed}"
    parts = [
        "# Fused images against the truth",
        _INTRODUCTION.format(key=site_season.key, seed=seed, command=command),
        "## Snow-free ground, all days",
        *_by_quantity(table),
    ]
    for kind, words in STRATA.items():
        parts += [f"## GCC by {words}", *_by_stratum(table, kind)]
    parts += ["## What the stated standard deviation covers", _CALIBRATION, markdown_table(list(_coverage(table)))]
    parts += ["## Where fusion loses", *_losses(rows, table)]
    parts += ["## Transition dates of every pixel", _DATES, markdown_table([_in_days(row) for row in dates])]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = """\
The sandbox knows the reflectance of every pixel on every day. Here all methods meet it: every scenario, the
engine's conformance mode at one sigma (`..._conformance`: the authors' evaluation, fed as the thesis' preparation fed
it, with zeros planted where a coarse image has no measurement; the authors' own compositing writes NaN there, and their
package then equals the default's images), and what fills gaps from Sentinel-2 alone: the nearest clear scene, linear
interpolation, Whittaker (lambda 400) and a harmonic fit, pixel by pixel (definitions:
[metrics.md](metrics.md)). Site-season {key}, landscape {seed}: one landscape in detail, on which several of the
comparisons fall out otherwise than on others. What holds over many, plain and hard, says
[truth-population.md](truth-population.md). This page is written by

    {command} --page docs/truth.md

and every number of it, and those of every single day, lie below `sandbox_data/truth` as CSV and Parquet (`--folder`).
All methods of a strategy are scored on the pixels and days that all of them estimate. Sentinel-2 is masked under snow,
so that no method can know it: ground under snow is left out, but for the table by month."""

_DATES: Final = (
    "50 % dates of one season by itself against the true ones (snow-free ground, GCC amplitude of 0.04 or more; "
    "`invented`: pixels below 0.02 that get a date all the same). `with its scenes` is what the maps hold, `alone` the "
    "fused series. What the method makes of the truth itself, every day and on the clear days, shows what is due to "
    "its definitions and to the days seen: a meadow cut in autumn lingers at half its amplitude. Other "
    "landscapes, and on which the method was chosen: [phenology.md](phenology.md)."
)

_CALIBRATION: Final = (
    "Share of true values within 1 and 1.96 standard deviations of the estimate (68 and 95 per cent if it is right), "
    "snow-free ground. Blend-then-index states one per band, index-then-blend one of GCC."
)


def _by_quantity(table: pd.DataFrame) -> Iterator[str]:
    yield "RMSE, and the share of pixels and days that the method estimates at all."
    chosen = table[(table.stratum_kind == "ground") & (table.stratum == "snow_free")]
    for strategy in Strategy:
        of = chosen[chosen.strategy == str(strategy)]
        rmse = of.pivot(index="method", columns="quantity", values="rmse")
        share = of.groupby("method").estimated_share.max()
        rows = [
            {"method": method}
            | {name: rmse.loc[method].get(name) for name in QUANTITIES}
            | {"estimated": f"{share[method]:.1%}"}
            for method in of.method.unique()
        ]
        yield f"Strategy {strategy}:"
        yield markdown_table(rows)


def _by_stratum(table: pd.DataFrame, kind: str) -> Iterator[str]:
    chosen = table[(table.stratum_kind == kind) & (table.quantity == "gcc")]
    for strategy in Strategy:
        of = chosen[chosen.strategy == str(strategy)]
        rmse = of.pivot(index="method", columns="stratum", values="rmse")
        columns = ordered(rmse.columns.tolist())
        yield f"RMSE, strategy {strategy}:"
        yield markdown_table(
            [{"method": method} | {name: rmse.loc[method, name] for name in columns} for method in of.method.unique()]
        )


def ordered(strata: Sequence[str]) -> list[str]:
    """Classes of days in the order of days, everything else by name."""
    return sorted(strata, key=lambda name: (name.startswith("over"), len(name.split("-")[0]), name))


def _coverage(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    stated = table[table.method.isin(FUSIONS) & table.coverage_95.notna()]
    for method in stated.method.unique():
        for quantity in [name for name in QUANTITIES if name in set(stated[stated.method == method].quantity)]:
            of = stated[(stated.method == method) & (stated.quantity == quantity)]
            whole = of[(of.stratum_kind == "ground") & (of.stratum == "snow_free")]
            near = of[of.stratum_kind == "days_to_clear"].set_index("stratum").coverage_95
            yield {
                "method": method,
                "quantity": quantity,
                "68 %": f"{whole.coverage_68.iloc[0]:.1%}",
                "95 %": f"{whole.coverage_95.iloc[0]:.1%}",
                **{f"95 %, {name} d": f"{near[name]:.1%}" for name in ordered(near.index.tolist())},
            }


def _losses(rows: Rows, table: pd.DataFrame) -> Iterator[str]:
    losses = [loss for loss in fusion_losses(rows) if loss["loss"] is None or loss["loss"] >= NOTABLE_LOSS]
    compared = {(r["strategy"], r["quantity"], r["stratum_kind"], r["stratum"]) for r in rows
                if r["rmse"] is not None and r["stratum_kind"] not in ("day", "cover_and_days")}  # fmt: skip
    plain = [loss for loss in losses if loss["stratum_kind"] != "cover_and_days"]
    yield (
        "The best scenario against the best competitor, both with hindsight, in every stratum above and for every "
        f"quantity: fusion has the higher RMSE (by {NOTABLE_LOSS:.0%} or more) in {len(plain)} of {len(compared)} "
        f"cases. {_days_lost(table)}"
    )
    yield from _overall(losses, table)
    yield markdown_table(
        [
            {
                "strategy": loss["strategy"],
                "quantity": loss["quantity"],
                "stratum": f"{loss['stratum_kind']}: {loss['stratum']}".replace("_", " "),
                "best scenario": loss["scenario"],
                "its RMSE": loss["scenario_rmse"],
                "better": loss["competitor"],
                "RMSE": loss["competitor_rmse"],
                "loss": f"{loss['loss']:+.0%}" if loss["loss"] is not None else None,
            }
            for loss in plain[:LONGEST_LIST]
        ]
    )
    if len(plain) > LONGEST_LIST:
        yield f"And {len(plain) - LONGEST_LIST} smaller ones."
    yield "How often each kind of ground is lost, by land cover and days to the nearest clear scene (GCC and NIR):"
    yield markdown_table(list(_lost_cells(losses, rows)))


def _overall(losses: Rows, table: pd.DataFrame) -> Iterator[str]:
    """What is lost on snow-free ground as a whole, in words, and what is not."""
    ground = table[(table.stratum_kind == "ground") & (table.stratum == "snow_free") & table.rmse.notna()]
    for strategy in Strategy:
        of = ground[ground.strategy == str(strategy)]
        if of.empty:
            continue
        lost = {
            loss["quantity"]: f"{loss['quantity']} to {loss['competitor']} by {loss['loss'] or 0:.0%}"
            for loss in losses
            if (loss["stratum_kind"], loss["stratum"], loss["strategy"]) == ("ground", "snow_free", str(strategy))
        }
        rest = [name for name in QUANTITIES if name in set(of.quantity) - set(lost)]
        yield (
            f"Over all snow-free days and pixels, {strategy}: it loses {', '.join(lost.values()) or 'nothing'}; "
            f"it does not lose {', '.join(rest) or 'anything'}."
        )


def _days_lost(table: pd.DataFrame) -> str:
    """On how many days every scenario is worse than some competitor, in GCC."""
    days = table[(table.stratum_kind == "day") & (table.quantity == "gcc") & table.rmse.notna()]
    counts = []
    for strategy in Strategy:
        of = days[days.strategy == str(strategy)]
        ours = of[of.method.isin(FUSIONS)].groupby("stratum").rmse.min()
        theirs = of[of.method.isin(COMPETITORS)].groupby("stratum").rmse.min().reindex(ours.index)
        counts.append(f"{int((theirs < ours).sum())} of {len(ours)} ({strategy})")
    return f"Of the days, it loses GCC on {' and '.join(counts)}."


def _lost_cells(losses: Rows, rows: Rows) -> Iterator[dict[str, Any]]:
    """One row per strategy, quantity and cover: what fusion loses or wins by in each class of days."""
    scored = {
        (r["strategy"], r["quantity"], *r["stratum"].split(", "))
        for r in rows
        if r["stratum_kind"] == "cover_and_days" and r["rmse"] is not None and r["quantity"] in ("gcc", "nir")
    }
    lost = {
        (loss["strategy"], loss["quantity"], *loss["stratum"].split(", ")): loss
        for loss in losses
        if loss["stratum_kind"] == "cover_and_days"
    }
    classes = ordered(list({key[3] for key in scored}))
    for strategy, quantity, cover in sorted({key[:3] for key in scored}):
        row: dict[str, Any] = {"strategy": strategy, "quantity": quantity, "land cover": cover}
        for name in classes:
            key = (strategy, quantity, cover, name)
            loss = lost.get(key)
            verdict = "wins" if key in scored else None
            row[f"{name} d"] = f"loses to {loss['competitor']} by {loss['loss']:.0%}" if loss else verdict
        yield row


def _in_days(row: Mapping[str, Any]) -> dict[str, Any]:
    """A tenth of a day is all that a date knows."""
    return {name: f"{value:.1f}" if isinstance(value, float) else value for name, value in row.items()}


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
