"""``satfusion sites``: sites and seasons are data, edited here or in sites.geojson."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.home import dagster_instance
from satfusion_assets.cli.positions import SAME_M, CameraSaid, Position, ask_camera, doubt, moved, refuse_swapped
from satfusion_assets.pipeline.coarse_source import scenarios_of
from satfusion_assets.pipeline.costs import refuse_beyond, season_cost
from satfusion_assets.pipeline.measured_cost import Cost
from satfusion_assets.pipeline.platform import Platform
from satfusion_assets.pipeline.records import Grid
from satfusion_assets.vocabulary.errors import InvalidInput, InvalidSitesFile
from satfusion_assets.vocabulary.sites import (
    Site,
    SiteRegistry,
    SiteSeason,
    Trouble,
    check_season,
    check_site_name,
    make_site,
    read_sites,
)

if TYPE_CHECKING:
    from satfusion_assets.store import Store

app = typer.Typer(help="List, add and remove PhenoCam sites and their seasons.", no_args_is_help=True)

OF_THE_CAMERA: Final = frozenset({"raw_phenocam", "camera_phenology"})
"""Products that a site's position has no part in."""


@app.command("list")
def list_sites() -> None:
    """Show every site with its position, UTM zone and seasons."""
    from satfusion_assets.vocabulary.utm import utm_epsg

    table = Table("site", "latitude", "longitude", "EPSG", "vegetation", "seasons", box=box.SIMPLE)
    for site in Platform().registry.sites:
        position = [f"{site.latitude:.4f}", f"{site.longitude:.4f}", str(utm_epsg(site.latitude, site.longitude))]
        seasons = " ".join(map(str, site.seasons)) + (" and on" if site.continuous else "")
        table.add_row(site.name, *position, site.vegetation_type, seasons)
    Console().print(table)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="PhenoCam site name")],
    season: Annotated[list[int] | None, typer.Option(help="calendar year; may be repeated")] = None,
    lat: Annotated[float | None, typer.Option(help="degrees north of the camera's field; else PhenoCam's")] = None,
    lon: Annotated[float | None, typer.Option(help="degrees east of the camera's field; else PhenoCam's")] = None,
    vegetation_type: Annotated[str, typer.Option(help="Grassland, Agriculture, Wetland, ...; else PhenoCam's")] = "",
    description: Annotated[str, typer.Option(help="what and where it is; else PhenoCam's")] = "",
    continuous: Annotated[bool, typer.Option(help="add every new season by schedule")] = False,
    move: Annotated[bool, typer.Option("--move", help="move a known site to --lat and --lon")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="also where PhenoCam has the camera elsewhere")] = False,
) -> None:
    """Register a site, or further seasons of a known one, and add their partitions."""
    check_site_name(name)
    seasons = sorted({check_season(year) for year in season or ()})
    platform = Platform()
    known = platform.registry.get(name)
    ask = cache(lambda: ask_camera(platform.settings, name))  # at most once
    position = _wanted_position(ask, name, known, lat, lon)
    given = {"vegetation_type": vegetation_type, "description": description, "continuous": continuous}
    wanted = {key: value for key, value in given.items() if value}

    def change(now: SiteRegistry) -> Iterable[Site]:
        site = _changed(name, now.get(name), position, seasons, wanted, move)
        return {**{one.name: one for one in now.sites}, name: site}.values()

    _changed(name, known, position, seasons, wanted, move)  # complains before anybody is asked anything
    old = None if known is None else Position(known.latitude, known.longitude)
    if position is not None and (old is None or old.metres_to(position) >= SAME_M):
        _check_position(ask(), name, position, yes)
    if known is None:
        wanted = _of_the_camera(ask(), name, wanted) | wanted
    with dagster_instance() as instance:
        site = platform.registry.edit(change).site(name)
        instance.add_dynamic_partitions(Grid.SITE_SEASON, [site.season(year).key for year in seasons])
    console = Console()
    if old is not None and position is not None and old.metres_to(position) >= SAME_M:
        _say(console, f"{moved(name, old, position)}. {_stale(platform.store, site)}")
    years = ", ".join(map(str, site.seasons)) or "none"
    first = seasons[0] if seasons else "SEASON"
    _say(
        console, f"{name}: seasons {years}; materialise them in the UI or with 'satfusion materialize {name} {first}'."
    )


def _of_the_camera(camera: CameraSaid, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What PhenoCam says of a new site and nobody has ``given``; it is said where it comes from."""
    found = {"vegetation_type": camera.vegetation_type, "description": camera.description}
    taken = {key: text for key, text in found.items() if text and key not in given}
    if taken:
        _say(Console(), f"{name}: {'; '.join(taken.values())}, as PhenoCam says.")
    return taken


def _wanted_position(
    ask: Callable[[], CameraSaid], name: str, known: Site | None, lat: float | None, lon: float | None
) -> Position | None:
    """Where the site is wanted: as given, as PhenoCam has a new one; None = where it is."""
    if lat is not None and lon is not None:
        refuse_swapped(lat, lon)
        return Position(lat, lon)
    if known is not None:
        if lat is None and lon is None:
            return None
        return Position(known.latitude if lat is None else lat, known.longitude if lon is None else lon)
    if lat is not None or lon is not None:
        raise InvalidInput(f"Site {name} is new: give its position with --lat and --lon.")
    camera = ask()
    if camera.position is None:
        raise InvalidInput(f"Site {name} is new: give its position with --lat and --lon. {camera.why}")
    _say(Console(), f"{name}: position {camera.position}, where PhenoCam has the camera.")
    return camera.position


def _changed(
    name: str,
    known: Site | None,
    position: Position | None,
    seasons: Sequence[int],
    wanted: Mapping[str, Any],
    move: bool,
) -> Site:
    """The site as it shall be; InvalidInput when a known one would move without being asked to."""
    if known is None:
        if position is None:
            raise InvalidInput(f"Site {name} has been removed meanwhile; give its position with --lat and --lon.")
        if not seasons:
            raise InvalidInput(f"Site {name} is new: give at least one --season.")
        fields: dict[str, Any] = {"name": name, "latitude": position.latitude, "longitude": position.longitude}
        return make_site(f"Site {name}", **fields | {"seasons": tuple(seasons)} | dict(wanted))
    fields = known.model_dump() | {"seasons": tuple({*seasons, *known.seasons})} | dict(wanted)
    site = make_site(f"Site {name}", **fields)
    old = Position(known.latitude, known.longitude)
    if position is None or old.metres_to(position) < SAME_M:
        return site
    if not move:
        raise InvalidInput(
            f"Site {name} is registered already: {moved(name, old, position)} only with --move, which makes its "
            f"products stale."
        )
    return make_site(f"Site {name}", **fields | {"latitude": position.latitude, "longitude": position.longitude})


def _check_position(camera: CameraSaid, name: str, position: Position, yes: bool) -> None:
    """Hold ``position`` against the camera's; InvalidInput on a terminal when they differ and nobody said yes."""
    errors = Console(stderr=True)
    if camera.position is None:
        _say(errors, f"The position was not checked: {camera.why}")
        return
    why = doubt(name, position, camera.position)
    if why is None:
        return
    if at_terminal() and not yes:
        raise InvalidInput(f"{why} Correct --lat and --lon, or add --yes when they are right.")
    _say(errors, f"Warning: {why}")


def at_terminal() -> bool:
    """Whether a person can answer; a script is warned."""
    return sys.stdin.isatty()


def _stale(store: Store, site: Site) -> str:
    """Which products are of another place now."""
    stale = []
    for season in site.site_seasons:
        names = sorted({manifest.product for manifest in store.products(season)} - OF_THE_CAMERA)
        if names:
            stale.append(f"{season.key} ({', '.join(names)})")
    if not stale:
        return "No product is of the old place."
    return f"Stale now, of the old place: {'; '.join(stale)}. Materialise them again."


@app.command("import")
def import_sites(
    file: Annotated[Path, typer.Argument(help="GeoJSON FeatureCollection of cameras", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done and change nothing")] = False,
) -> None:
    """Register all sites of FILE with their seasons; known sites get the further seasons and keep the rest.

    What cannot be used is listed in one table and costs nothing else. Nothing is registered where making it would
    exceed a limit of the settings.
    """
    try:
        reading = read_sites(file.read_bytes(), str(file))
    except OSError as error:
        raise InvalidSitesFile(f"{file} cannot be read ({error.strerror}).") from error
    platform = Platform()
    found, troubles = _importable(reading.sites, reading.troubles, platform.registry)
    if troubles:
        Console().print(_trouble_table(troubles))
    if not found:
        raise InvalidInput(f"{file} holds no site that can be registered; nothing was changed.")
    keys = [item.key for site in found for item in site.site_seasons]
    new = [site for site in found if platform.registry.get(site.name) is None]
    costs = _cost(platform, keys)
    if dry_run:
        _say(Console(), f"To make what of them was never begun would cost {costs}, up to the scores.")
    refuse_beyond(costs, platform.settings, str(file))
    if not dry_run:
        with dagster_instance() as instance:
            platform.registry.edit(lambda now: _merged(now, found).values())
            instance.add_dynamic_partitions(Grid.SITE_SEASON, keys)
    says = "would be registered, nothing was changed" if dry_run else "registered"
    count = f"{len(found)} {'site' if len(found) == 1 else 'sites'} with {len(keys)} seasons {says}"
    _say(Console(), f"{count}; {len(new)} of them new, {len(troubles)} entries left out.")


def _cost(platform: Platform, keys: Sequence[str]) -> Cost:
    """What the site-seasons cost of which nothing is there."""
    new = [key for key in keys if not platform.store.holds_products(SiteSeason.parse(key))]
    product = platform.settings.s3_product
    return season_cost(scenarios_of(product), product) * len(new)


def _importable(
    sites: Sequence[Site], troubles: Sequence[Trouble], registry: SiteRegistry
) -> tuple[list[Site], list[Trouble]]:
    """The sites worth registering, and everything of the file that is left out."""
    left_out = list(troubles)
    found = []
    for site in sites:
        where = f"site {site.name}"
        known = registry.get(site.name)
        same = next((one.name for one in registry.sites if one.name.casefold() == site.name.casefold()), site.name)
        if not site.seasons and any(trouble.where == where for trouble in troubles):
            left_out.append(Trouble(where, "Not registered: none of its seasons can be used."))
        elif same != site.name:
            left_out.append(Trouble(where, f"Not registered: it differs from {same!r} in case only."))
        else:
            found.append(site)
            left_out += _kept_in_place(where, known, site)
    return found, left_out


def _kept_in_place(where: str, known: Site | None, site: Site) -> list[Trouble]:
    """A word on a known site that the file has elsewhere: an import moves nothing."""
    if known is None:
        return []
    old, new = Position(known.latitude, known.longitude), Position(site.latitude, site.longitude)
    if old.metres_to(new) < SAME_M:
        return []
    return [Trouble(where, f"Its position is kept ({old}); {moved(site.name, old, new)} only with 'sites add --move'.")]


def _merged(now: SiteRegistry, found: Iterable[Site]) -> dict[str, Site]:
    """The registry with ``found``: known sites keep what they are and get the further seasons."""
    sites = {site.name: site for site in now.sites}
    for site in found:
        known = sites.get(site.name)
        more = {"seasons": tuple(sorted({*site.seasons, *(known.seasons if known else ())}))}
        sites[site.name] = (known or site).model_copy(update=more)
    return sites


def _trouble_table(troubles: Iterable[Trouble]) -> Table:
    table = Table("left out", "why", box=box.SIMPLE)
    for trouble in troubles:
        table.add_row(_plain(trouble.where), _plain(trouble.reason))
    return table


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="site name")],
    season: Annotated[list[int] | None, typer.Option(help="only this season; may be repeated")] = None,
) -> None:
    """Forget a site, or seasons of it, and their partitions; products stay on disk."""
    registry = Platform().registry
    site = registry.site(name)
    gone = [site.season(year) for year in season] if season else site.site_seasons
    with dagster_instance() as instance:
        left = registry.remove_seasons(name, season).site(name) if season else None
        if left is None:
            registry.remove(name)
        for item in gone:
            instance.delete_dynamic_partition(Grid.SITE_SEASON, item.key)
    if left is None:
        _say(Console(), f"{name} removed; its products stay below the data root.")
        return
    years = ", ".join(map(str, left.seasons)) or f"none: 'satfusion sites remove {name}' forgets the site itself"
    removed = ", ".join(str(item.season) for item in gone)
    _say(Console(), f"{name} {removed} removed, the products stay below the data root; seasons left: {years}.")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    """``text`` without a meaning to the table."""
    from rich.markup import escape

    return escape(text)
