"""``satfusion bundle``: what one figure was made of, frozen; and the figure made of it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, Scenario


def bundle(
    site: Annotated[str | None, typer.Argument(help="site name, see 'satfusion sites list'")] = None,
    season: Annotated[int | None, typer.Argument(help="calendar year")] = None,
    scenario: Annotated[str, typer.Option(help="scenario key; without, the recommended one")] = RECOMMENDED.key,
    folder: Annotated[
        Path | None, typer.Option("--to", help="new folder; without, {site}_{season}_bundle here")
    ] = None,
    rebuild: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="make the figure of this bundle again and compare it")
    ] = None,
) -> None:
    """Freeze what a season's figure was made of: raw data, versions, packages, command, licences. Or rebuild it."""
    if rebuild is not None:
        _rebuild(rebuild)
    elif site is None or season is None:
        raise InvalidInput("Name a site and a season to bundle, or --rebuild BUNDLE.")
    else:
        _freeze(site, season, Scenario.parse(scenario), folder or Path(f"{site}_{season}_bundle"))


def _freeze(site: str, season: int, scenario: Scenario, folder: Path) -> None:
    from satfusion_assets.bundle.freeze import freeze
    from satfusion_assets.pipeline.platform import Platform

    platform = Platform()
    site_season = platform.registry.site_season(site, season)
    record = freeze(platform.store, platform.site(site_season), site_season, scenario, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    console = Console()
    console.print(f"{folder}: {len(record.products)} products, {size / 1e6:.0f} MB.", highlight=False, soft_wrap=True)
    console.print(f"Its figure is made again by '{record.command}'.", highlight=False, soft_wrap=True)


def _rebuild(folder: Path) -> None:
    from satfusion_assets.bundle.rebuild import rebuild

    console, figure = Console(), folder.with_name(f"{folder.name}_figure.svg")
    found = rebuild(folder, figure, lambda what: console.print(what, highlight=False))
    for slug, why in found.different.items():
        console.print(f"{slug} is not as it was: {why}.", highlight=False, soft_wrap=True)
    words = "the same as the bundle's, byte by byte" if found.same else "not the same as the bundle's"
    console.print(f"{figure}: {words}.", highlight=False, soft_wrap=True)
    if not found.same:
        raise typer.Exit(1)
