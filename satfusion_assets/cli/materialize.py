"""``satfusion materialize``: a site-season from nothing to metrics.json, with the lineage that the UI shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from satfusion_assets.cli.home import dagster_instance
from satfusion_assets.cli.loading import kept_for_good
from satfusion_assets.pipeline.records import STAGES, Stage
from satfusion_assets.vocabulary.sites import SiteSeason

if TYPE_CHECKING:
    from satfusion_assets.cli.plans import Run


def materialize(
    site: Annotated[str, typer.Argument(help="site name, see 'satfusion sites list'")],
    season: Annotated[int, typer.Argument(help="calendar year")],
    until: Annotated[Stage, typer.Option(help="last stage to materialise")] = Stage.METRICS,
    start: Annotated[
        Stage, typer.Option("--from", help="first stage; after 'raw' no archive is asked for anything")
    ] = Stage.RAW,
    rebuild: Annotated[bool, typer.Option(help="run even what is up to date")] = False,
    dry_run: Annotated[bool, typer.Option(help="say what would be made and why, and make nothing")] = False,
) -> None:
    """Materialise every product of a site and season that is missing or out of date."""
    from satfusion_assets.pipeline.platform import Platform

    site_season = Platform().registry.site_season(site, season)
    materialize_site_season(site_season, until=until, start=start, rebuild=rebuild, dry_run=dry_run)


def materialize_site_season(
    site_season: SiteSeason,
    *,
    until: Stage = Stage.METRICS,
    start: Stage = Stage.RAW,
    rebuild: bool = False,
    dry_run: bool = False,
) -> None:
    """Run the plan of ``site_season`` on the shared instance, say what happens, and end with the verdict.

    RunFailed names the cause.
    """
    say_first_step(site_season, start, until)
    from satfusion_assets.cli.plans import plan, possible_scenarios

    run_plan(site_season, plan(site_season, until, start, possible_scenarios()), rebuild=rebuild, dry_run=dry_run)
    if not dry_run and until in (Stage.METRICS, Stage.EVALUATION):
        say_verdict(site_season)


def say_first_step(site_season: SiteSeason, start: Stage, until: Stage) -> None:
    """Say what comes first, before Dagster is loaded: that takes seconds. Nothing where the stages hold nothing."""
    from satfusion_assets.pipeline.registry import REGISTRY

    wanted = STAGES[STAGES.index(start) : STAGES.index(until) + 1]
    steps = ([record.name for record in records if record.stage in wanted] for records in REGISTRY.together())
    first = next((names for names in steps if names), None)
    if first is not None:
        Console().print(f"{site_season.key}: first {', '.join(first)}.", highlight=False, soft_wrap=True)


def say_verdict(site_season: SiteSeason) -> None:
    """Print what the season says in words, where to see it, and what to do next."""
    from satfusion_assets.cli.plans import possible_scenarios
    from satfusion_assets.cli.verdict import evaluation_sentence, sentences
    from satfusion_assets.pipeline.metrics.verdict import season_verdict
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.vocabulary.links import viewer_url

    platform, console = Platform(), Console()
    verdict = season_verdict(platform.store, platform.site(site_season), site_season)
    url = viewer_url(platform.settings.viewer_url, site_season.site, site_season.season, verdict.scenario)
    console.print(f"\n[bold]{site_season.key}[/bold]", highlight=False)
    for sentence in sentences(verdict):
        console.print(sentence, highlight=False, markup=False)
    console.print(f"See it: {url} ('satfusion up' or 'satfusion view' serves it).", soft_wrap=True, highlight=False)
    more = evaluation_sentence(platform, site_season, possible_scenarios())
    console.print(more, soft_wrap=True, highlight=False)


def run_plan(site_season: SiteSeason, runs: Sequence[Run], *, rebuild: bool = False, dry_run: bool = False) -> None:
    """Say what is to be made, then execute ``runs`` on the shared instance, a line for each.

    CredentialsMissing or CredentialsRejected before the first of them when one would need an account; TooCostly where
    they cost more than a limit of the settings allows.
    """
    from satfusion_assets.cli.forecast import cost, expected_seconds, forecast, summary, table
    from satfusion_assets.cli.plans import why_due
    from satfusion_assets.cli.terminal import Steps
    from satfusion_assets.pipeline.platform import Platform

    console, platform = Console(), Platform()
    platform.store.recover()
    names = [f"{run.place}: {', '.join(run.assets)}" for run in runs]
    products = [product for run in runs for product in run.products]
    if not (rebuild or dry_run) and not any(why_due(platform, product) for product in products):
        console.print(f"{site_season.key}: {summary([], len(products))}", highlight=False, soft_wrap=True)
        steps = Steps([0.0] * len(names))
        for name in names:
            steps.advance(f"{name} up to date", None)
        return  # before Dagster is loaded: that takes longer than all of this
    with kept_for_good():
        from satfusion_assets.cli.runs import command_tags, execute
        from satfusion_assets.cli.stopping import stoppable
        from satfusion_assets.cli.terminal import stages_quiet
        from satfusion_assets.definitions import build_defs
        from satfusion_assets.pipeline.costs import refuse_beyond
        from satfusion_assets.pipeline.partitions import SITE_SEASON

        definitions = None if dry_run else build_defs(platform)

    with stoppable() as stop, dagster_instance() as instance:
        due = forecast(platform, instance, runs, rebuild=rebuild)
        if dry_run and due:
            console.print(table(due))
        console.print(
            f"{site_season.key}: {summary(due, len(products))}",
            highlight=False,
            soft_wrap=True,
        )
        if dry_run:
            console.print(f"It would cost {cost(due)}.", highlight=False, soft_wrap=True)
        refuse_beyond(cost(due), platform.settings, site_season.key)
        if definitions is None:
            return
        asking = [run for run in runs if "raw_s3" in run.assets]
        if asking:
            from satfusion_assets.pipeline.raw_s3.acquire import check_sentinel3_credentials

            again, today = any(run.config.get("again") for run in asking), platform.now().date()
            check_sentinel3_credentials(
                platform.site(site_season), site_season, platform.store, platform.settings, today=today, again=again
            )
        instance.add_dynamic_partitions(SITE_SEASON, [site_season.key])
        steps = Steps(expected_seconds(runs, due))
        with stages_quiet(), steps.shown(names[0]):
            tags = command_tags(site_season)
            done = execute(definitions, instance, platform, runs, rebuild=rebuild, tags=tags, stop=stop)
            for name, following, (_, ran) in zip(names, [*names[1:], None], done, strict=True):
                steps.advance(f"{name} {'done' if ran else 'up to date'}", following)
