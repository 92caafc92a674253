"""``make demo-cluster``: two site-seasons on a control host and two workers, and who made what."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from benchmarks.client import FINAL, Client
from deploy.demo_cluster.backfill import RunDone, ask_for, runs_of
from deploy.demo_cluster.cluster import Cluster, cluster
from satfusion_assets.cli.plans import possible_scenarios
from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.vocabulary.errors import SatfusionError, ServiceFailed
from satfusion_assets.vocabulary.installation import home
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason

_SEASONS: Final = ["innsbruck_2024", "sunflowerjerez1_2024"]


def demo_cluster(
    seasons: Annotated[list[str], typer.Argument(help="site-seasons of the sandbox")] = _SEASONS,
    scenario: Annotated[list[str] | None, typer.Option(help="one of the scenarios; all when not given")] = None,
    until: Annotated[Stage, typer.Option(help="last stage")] = Stage.METRICS,
    sandbox: Annotated[Path, typer.Option(help="where the sandbox keeps its landscape")] = home() / "sandbox_data",
    runs_each: Annotated[int, typer.Option(help="runs that a worker executes at a time")] = 1,
    serve: Annotated[bool, typer.Option(help="leave everything running")] = True,
) -> None:
    """Bring up a cluster on this machine, backfill site-seasons on it and say which host executed which run.

    All of it is gone when this ends, products included, except what the sandbox has built.
    """
    for kind in (signal.SIGINT, signal.SIGTERM):  # also where the terminal that started it ignores them
        signal.signal(kind, signal.default_int_handler)
    console = Console()
    wanted = [SiteSeason.parse(key) for key in seasons]
    scenarios = [Scenario.parse(key) for key in scenario] if scenario else possible_scenarios()
    try:
        with cluster(_sites(sandbox), sandbox.absolute(), say=console.print, runs_each=runs_each) as running:
            console.print(f"Dagster UI: {running.url}")
            if not _backfill(running, console, wanted, list(scenarios), until):
                raise typer.Exit(1)
            if serve:
                console.print("Stop with Ctrl-C.")
                while True:
                    time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped; nothing of it runs any more.")
    except SatfusionError as error:
        Console(stderr=True).print(str(error), soft_wrap=True)
        raise typer.Exit(1) from error


def _sites(folder: Path) -> Path:
    """A file of the sites that come with the package, beside the sandbox's landscape."""
    registry = SiteRegistry.load(folder / "demo_cluster_sites.geojson")
    registry.add(registry.site("innsbruck"))
    return registry.path


def _backfill(
    running: Cluster, console: Console, seasons: list[SiteSeason], scenarios: list[Scenario], until: Stage
) -> bool:
    """Ask for everything, say each run as it ends, and at the end who made what; whether all of it was made."""
    client = Client(running.url)
    backfill = ask_for(client, seasons, scenarios, until=until)
    console.print(f"Backfill {backfill} of {', '.join(season.key for season in seasons)} has been asked for.")
    said: set[str] = set()
    while True:
        state, runs = client.state(backfill), runs_of(client, backfill)
        for run in runs:
            if run.seconds is not None and run.run_id not in said:
                said.add(run.run_id)
                console.print(_line(run), highlight=False, soft_wrap=True)
        if state.status in FINAL:
            break
        if ended := running.what_has_ended():
            raise ServiceFailed(f"{ended} ended; its log is {running.log(ended)}.")
        time.sleep(1)
    _say_hosts(console, runs)
    console.print(f"{state.status} in {state.wall_s:.0f} s; partitions made: {sum(state.made.values())}.")
    return state.status == "COMPLETED_SUCCESS"


def _line(run: RunDone) -> str:
    again = f", attempt {run.attempt + 1}" if run.attempt else ""
    what = f"{', '.join(run.assets)} of {run.partition}"
    return f"{run.host or 'nobody'}: {what} in {run.seconds:.0f} s, {run.status}{again}"


def _say_hosts(console: Console, runs: list[RunDone]) -> None:
    table = narrow_table("host", "runs", "seconds", title="Who executed what")
    counts = Counter(run.host or "nobody" for run in runs)
    for host, count in sorted(counts.items()):
        seconds = sum(run.seconds or 0.0 for run in runs if (run.host or "nobody") == host)
        table.add_row(host, str(count), f"{seconds:.0f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(demo_cluster)
