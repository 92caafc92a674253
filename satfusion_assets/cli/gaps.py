"""``satfusion gaps``: one gap experiment, published like the benchmark it is part of."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def gaps(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    length: Annotated[list[int] | None, typer.Option(min=1, help="gap length in days; repeatable")] = None,
    starfm: Annotated[bool, typer.Option(help="also run STARFM on the withheld scenes (minutes)")] = False,
) -> None:
    """Withhold every Sentinel-2 scene inside gaps of the season and score how each method fills them."""
    from satfusion_assets.processing.gaps.windows import GAP_DAYS
    from satfusion_assets.resources import Platform
    from satfusion_assets.stages.gaps import gap_benchmark

    platform = Platform()
    site_season = platform.registry.site_season(site, season)
    lengths = tuple(length) if length else GAP_DAYS
    place = platform.site(site_season)
    outcome = gap_benchmark(platform.store, place, site_season, lengths=lengths, starfm=starfm)
    rows = outcome.tables["gcc_by_gap"]
    table = Table(*rows[0], title=f"{site_season.key}: GCC of withheld scenes by gap and method")
    for row in rows:
        table.add_row(*("-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
                        for value in row.values()))  # fmt: skip
    Console().print(table)
