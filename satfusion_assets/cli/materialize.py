"""``satfusion materialize``: a site-season from nothing to metrics.json, with the lineage that the UI shows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from satfusion_assets.cli.home import dagster_instance
from satfusion_assets.cli.runs import Run, Stage
from satfusion_assets.sites import SiteSeason


def materialize(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    until: Annotated[Stage, typer.Option(help="last stage to materialise")] = Stage.METRICS,
    rebuild: Annotated[bool, typer.Option(help="run even what is up to date")] = False,
) -> None:
    """Materialise every product of a site and season that is missing or out of date."""
    from satfusion_assets.resources import Platform

    site_season = Platform().registry.site_season(site, season)
    materialize_site_season(site_season, until=until, rebuild=rebuild)


def materialize_site_season(site_season: SiteSeason, *, until: Stage = Stage.METRICS, rebuild: bool = False) -> None:
    """Run the plan of ``site_season`` on the shared instance and say what happens. RunFailed names the cause."""
    from satfusion_assets.cli.runs import plan

    run_plan(site_season, plan(site_season, until), rebuild=rebuild)


def run_plan(site_season: SiteSeason, runs: Sequence[Run], *, rebuild: bool = False) -> None:
    """Execute ``runs`` on the shared instance, a line for each."""
    from satfusion_assets.cli.runs import execute
    from satfusion_assets.cli.stopping import stoppable
    from satfusion_assets.definitions import build_defs
    from satfusion_assets.partitions import SITE_SEASON
    from satfusion_assets.resources import Platform

    console, platform = Console(), Platform()
    platform.store.recover()
    started = time.monotonic()
    with stoppable(), dagster_instance() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [site_season.key])
        done = execute(build_defs(platform), instance, platform, runs, rebuild=rebuild)
        for number, (run, ran) in enumerate(done, 1):
            what = ", ".join(run.assets)
            console.print(
                f"[{number}/{len(runs)}] {run.place}: {what} "
                f"{'done' if ran else 'up to date'} ({time.monotonic() - started:.1f} s)",
                highlight=False,
            )
