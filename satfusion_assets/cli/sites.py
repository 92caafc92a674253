"""``satfusion sites``: sites and seasons are data, edited here or in sites.geojson."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.home import dagster_instance
from satfusion_assets.errors import InvalidInput
from satfusion_assets.partitions import SITE_SEASON
from satfusion_assets.resources import Platform
from satfusion_assets.sites import SiteRegistry, check_season, check_site_name, make_site

app = typer.Typer(help="List, add and remove PhenoCam sites and their seasons.", no_args_is_help=True)


@app.command("list")
def list_sites() -> None:
    """Show every site with its position, UTM zone and seasons."""
    from satfusion_assets.grid import utm_epsg

    table = Table("site", "latitude", "longitude", "EPSG", "vegetation", "seasons", box=box.SIMPLE)
    for site in Platform().registry.sites:
        position = [f"{site.latitude:.4f}", f"{site.longitude:.4f}", str(utm_epsg(site.latitude, site.longitude))]
        seasons = " ".join(map(str, site.seasons)) + (" and on" if site.continuous else "")
        table.add_row(site.name, *position, site.vegetation_type, seasons)
    Console().print(table)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="PhenoCam site name")],
    season: Annotated[list[int], typer.Option(help="calendar year; may be repeated")],
    lat: Annotated[float | None, typer.Option(help="degrees north of the camera's field")] = None,
    lon: Annotated[float | None, typer.Option(help="degrees east of the camera's field")] = None,
    vegetation_type: Annotated[str, typer.Option(help="Grassland, Agriculture, Wetland, ...")] = "",
    description: Annotated[str, typer.Option(help="what and where it is")] = "",
    continuous: Annotated[bool, typer.Option(help="add every new season by schedule")] = False,
) -> None:
    """Register a site, or further seasons of a known one, and add their partitions."""
    check_site_name(name)
    seasons = {check_season(year) for year in season}
    registry = Platform().registry
    known = {site.name: site for site in registry.sites}.get(name)
    if known is not None:
        fields = known.model_dump() | {"seasons": tuple(sorted(seasons | set(known.seasons)))}
        fields |= {key: value for key, value in {"latitude": lat, "longitude": lon}.items() if value is not None}
    elif lat is None or lon is None:
        raise InvalidInput(f"Site {name} is new: give its position with --lat and --lon.")
    else:
        fields = {"name": name, "latitude": lat, "longitude": lon, "seasons": tuple(sorted(seasons))}
    given = {"vegetation_type": vegetation_type, "description": description, "continuous": continuous}
    fields |= {key: value for key, value in given.items() if value}
    site = make_site(f"Site {name}", **fields)
    registry.add(site)
    with dagster_instance() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, [site.season(year).key for year in sorted(seasons)])
    Console().print(f"{name}: seasons {', '.join(map(str, site.seasons))}; materialise them in the UI or with "
                    f"'satfusion materialize {name} {min(seasons)}'.")  # fmt: skip


@app.command("import")
def import_sites(
    file: Annotated[Path, typer.Argument(help="GeoJSON FeatureCollection of cameras", exists=True, dir_okay=False)],
) -> None:
    """Register all sites of FILE with their seasons; known sites get the further seasons and keep the rest."""
    registry = Platform().registry
    known = {site.name: site for site in registry.sites}
    found = SiteRegistry.load(file).sites
    merged = [
        known[site.name].model_copy(update={"seasons": tuple(sorted({*known[site.name].seasons, *site.seasons}))})
        if site.name in known
        else site
        for site in found
    ]
    registry.add_all(merged)
    keys = [item.key for site in merged for item in site.site_seasons]
    with dagster_instance() as instance:
        instance.add_dynamic_partitions(SITE_SEASON, keys)
    new = sum(site.name not in known for site in found)
    Console().print(f"{len(found)} sites read, {new} of them new; they have {len(keys)} site-seasons.", highlight=False)


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="site name")]) -> None:
    """Forget a site and its partitions; its products stay on disk."""
    registry = Platform().registry
    site = registry.site(name)
    registry.remove(name)
    with dagster_instance() as instance:
        for item in site.site_seasons:
            instance.delete_dynamic_partition(SITE_SEASON, item.key)
    Console().print(f"{name} removed; its products stay below the data root.")
