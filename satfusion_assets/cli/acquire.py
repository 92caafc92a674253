"""``satfusion acquire``: fetch raw products without a UI, through the same assets, instance and lineage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Archive(StrEnum):
    S2 = "s2"
    S3 = "s3"
    PHENOCAM = "phenocam"


def acquire(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    only: Annotated[Archive | None, typer.Option(help="one archive; all when not given")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="ask for everything again, also for what was fetched, empty or set aside")
    ] = False,
) -> None:
    """Fetch what the archives have of a site and season that is not there yet or has changed.

    What is published stays until its successor is.
    """
    from satfusion_assets.cli.materialize import run_plan
    from satfusion_assets.cli.plans import acquisition
    from satfusion_assets.pipeline.platform import Platform

    site_season = Platform().registry.site_season(site, season)
    assets = [f"raw_{archive}" for archive in Archive if only in (None, archive)]
    run_plan(site_season, acquisition(site_season, assets, again=again))
