"""``satfusion sandbox``: a landscape whose truth is known, served on loopback by the real archives' protocols."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from satfusion_assets.cli.services import LAST_PORT
from satfusion_assets.cli.truth import truth
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.installation import home

if TYPE_CHECKING:
    from satfusion_assets.sandbox.effects import Effects

app = typer.Typer(help="The landscape with known truth and its archives.", no_args_is_help=True)
app.command()(truth)

ROOT = home() / "sandbox_data"
"""Where the sandbox keeps what it has built."""
COLLECTION = "sentinel-2-l2a"
ASSETS = ("blue", "green", "red", "nir08", "scl", "granule_metadata")
"""What an acquisition reads; everything else is made when somebody asks for it."""
PORT = 8041
"""Fixed, so that addresses recorded with the data stay the same from one start to the next."""


@app.command()
def serve(
    root: Annotated[Path, typer.Option(help="where the landscape is kept")] = ROOT,
    port: Annotated[int, typer.Option(min=0, max=LAST_PORT, help="port on 127.0.0.1; 0 = any free one")] = PORT,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the world's last day; moved by 'sandbox today'")
    ] = None,
    seed: Annotated[int, typer.Option(help="another seed is another landscape")] = 1,
    landscape: Annotated[str, typer.Option(help="plain, hard, or effects with commas between")] = "plain",
) -> None:
    """Serve the archives until interrupted; prints the variables that point the platform at them."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.sandbox.server.run import SandboxProcess

    sites = Platform().settings.sites_path
    day = today.date() if today is not None else None
    with SandboxProcess(root, sites, seed=seed, today=day, port=port, landscape=str(_effects(landscape))) as server:
        for name, value in server.environment().items():
            typer.echo(f"export {name}={value}")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            Console(stderr=True).print("Sandbox stopped.")


@app.command()
def build(
    site: Annotated[str, typer.Argument(help="site name")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    root: Annotated[Path, typer.Option(help="where the landscape is kept")] = ROOT,
    seed: Annotated[int, typer.Option(help="another seed is another landscape")] = 1,
    landscape: Annotated[str, typer.Option(help="plain, hard, or effects with commas between")] = "plain",
) -> None:
    """Build a site-season ahead of time; otherwise it is built when it is first asked for."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.sandbox.archive import SandboxWorld

    registry = Platform().registry
    place, site_season = registry.site(site), registry.site_season(site, season)
    started = time.monotonic()
    world = SandboxWorld(root, registry.sites, seed=seed, effects=_effects(landscape))
    start, end = (
        datetime.combine(day, datetime.min.time(), UTC) for day in (site_season.raw_start, site_season.raw_end)
    )
    around = (place.longitude, place.latitude, place.longitude, place.latitude)
    items = world.items(COLLECTION, around, start, end)
    paths = [item["assets"][name]["href"] for item in items for name in ASSETS if name in item["assets"]]
    files = [file for path in paths if (file := world.file(path)) is not None]
    typer.echo(f"{len(items)} scenes, {len(files)} files below {root} in {time.monotonic() - started:.1f} s.")


def _effects(landscape: str) -> Effects:
    """The effects of a landscape by name; InvalidInput for a name that is none."""
    from satfusion_assets.sandbox.effects import Effects

    try:
        return Effects.parse(landscape)
    except ValueError as error:
        raise InvalidInput(str(error)) from error


@app.command("today")
def today(
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD, or +7 for a week later; the day it is when not given")] = "",
    port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the running sandbox")] = PORT,
) -> None:
    """Say or move the day that it is in a running sandbox: what is sensed after it is not in its archives yet."""
    typer.echo(move_day(f"http://127.0.0.1:{port}", day).isoformat())


def move_day(url: str, day: str) -> date:
    """The day of the sandbox at ``url`` after ``day`` (a date, ``+N`` days or nothing); InvalidInput when it cannot."""
    import httpx

    try:
        now = date.fromisoformat(httpx.get(f"{url}/_world").raise_for_status().json()["today"])
        if not day:
            return now
        wanted = now + timedelta(days=int(day)) if day.startswith("+") else date.fromisoformat(day)
        httpx.post(f"{url}/_world", json={"today": wanted.isoformat()}).raise_for_status()
    except httpx.HTTPError as error:
        raise InvalidInput(f"No sandbox answers at {url}; start one with 'satfusion sandbox serve'.") from error
    except ValueError as error:
        raise InvalidInput(f"{day!r} is no day: give YYYY-MM-DD, or +7 for a week later.") from error
    return wanted
