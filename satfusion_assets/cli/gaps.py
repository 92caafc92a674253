"""``satfusion gaps``: a gap experiment of one's own, written beside the benchmark, which it leaves alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from satfusion_assets.vocabulary.transitions import Transition


def gaps(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    length: Annotated[
        list[int] | None, typer.Option(help="gap length in days; repeatable, default 15 30 60 90")
    ] = None,
    transition: Annotated[
        list[Transition] | None, typer.Option(help="what gaps are centred on; repeatable, default all")
    ] = None,
    centre: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="a day of your own to centre on")
    ] = None,
    scenario: Annotated[list[str] | None, typer.Option(help="scenario key; repeatable, default all")] = None,
    starfm: Annotated[bool, typer.Option(help="also run STARFM on the withheld scenes (minutes)")] = False,
) -> None:
    """Withhold every Sentinel-2 scene inside gaps of the season, fill them with every method, and score the filling.

    Needs prepared images ('satfusion materialize SITE SEASON --until prepared'). Files like the benchmark's are
    written below validation/experiments/ of the season.
    """
    from satfusion_assets.pipeline.gap_benchmark.benchmark import gap_experiment
    from satfusion_assets.pipeline.gap_benchmark.files import GapLayout
    from satfusion_assets.pipeline.platform import Platform

    experiment = _experiment(length, transition, centre, scenario, starfm)
    platform = Platform()
    site_season = platform.registry.site_season(site, season)
    outcome = gap_experiment(platform.store, platform.site(site_season), site_season, experiment)
    console = Console()
    rows = outcome.tables["gcc_by_gap"]
    table = Table(
        *rows[0], title=f"{site_season.key}: GCC of withheld scenes, and NSE of the season against the camera"
    )
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)
    where = f"{platform.store.place(site_season)}/{GapLayout.experiment(experiment.name).folder}"
    console.print(f"Natural gaps: {outcome.notes['natural_gap']}. Files: {where}", soft_wrap=True, highlight=False)


def _experiment(
    length: list[int] | None,
    transition: list[Transition] | None,
    centre: datetime | None,
    scenario: list[str] | None,
    starfm: bool,
) -> Any:
    from satfusion_assets.pipeline.gap_benchmark.benchmark import Experiment
    from satfusion_assets.vocabulary.errors import InvalidInput
    from satfusion_assets.vocabulary.scenarios import Scenario

    if centre is None and transition and Transition.GIVEN in transition:
        raise InvalidInput("--transition given needs --centre DAY, the day to centre on.")
    plain = Experiment()
    given = (Transition.GIVEN,) if centre is not None else ()
    return Experiment(
        lengths=tuple(dict.fromkeys(length or plain.lengths)),
        transitions=tuple(dict.fromkeys((*(transition or ()), *given))) or plain.transitions,
        centre=None if centre is None else centre.date(),
        scenarios=tuple(dict.fromkeys(map(Scenario.parse, scenario))) if scenario else plain.scenarios,
        starfm=starfm,
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
