"""``satfusion demo``: the whole platform on its sandbox, from nothing to scores and a running UI."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.materialize import run_plan, say_verdict
from satfusion_assets.cli.sandbox import PORT, ROOT
from satfusion_assets.cli.services import (
    DAGSTER_PORT,
    LAST_PORT,
    VIEWER_PORT,
    dagster_ui,
    open_browser,
    require_free,
    viewer,
    wait_for_end,
)
from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.vocabulary.sites import SiteSeason

DEMO = SiteSeason("innsbruck", 2024)


def demo(
    serve: Annotated[bool, typer.Option(help="leave the Dagster UI and the viewer running")] = True,
    evaluation: Annotated[bool, typer.Option(help="also make date maps and the gap benchmark")] = False,
    browser: Annotated[bool, typer.Option(help="open the viewer in a browser, where there is a display")] = True,
    sandbox_port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the sandbox's archives")] = PORT,
    dagster_port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the Dagster UI")] = DAGSTER_PORT,
    viewer_port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the viewer")] = VIEWER_PORT,
) -> None:
    """Materialise innsbruck 2024 on the sandbox, print its scores, and leave the UI running.

    With --evaluation beside a running demo, its products are added and its services left alone.
    """
    from satfusion_assets.cli.plans import plan, possible_scenarios
    from satfusion_assets.cli.truth import truth_table
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.sandbox.server.run import SandboxProcess, archive_variables

    console = Console()
    started = time.monotonic()
    registry = Platform().registry
    registry.add(registry.site(DEMO.site))  # the first demo writes sites.geojson
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{sandbox_port}"
        if evaluation and _sandbox_answers(url):
            serve = False
        else:
            require_free(sandbox_port, *((dagster_port, viewer_port) if serve else ()))
            url = stack.enter_context(SandboxProcess(ROOT, registry.path, port=sandbox_port)).url
        archives = archive_variables(url)
        os.environ.update(archives)
        os.environ.setdefault("SATFUSION_VIEWER_URL", f"http://127.0.0.1:{viewer_port}")
        os.environ.setdefault("SATFUSION_DAGSTER_URL", f"http://127.0.0.1:{dagster_port}")
        console.print(f"Sandbox archives: {url}", soft_wrap=True)
        until = Stage.EVALUATION if evaluation else Stage.METRICS
        run_plan(DEMO, plan(DEMO, until, scenarios=possible_scenarios()))
        _look_at_freshness()
        console.print(_scores(Platform()))
        console.print(truth_table(Platform(), DEMO))
        say_verdict(DEMO)
        took = f"Done in {time.monotonic() - started:.0f} s"
        console.print(f"{took}; products lie in {Platform().store.place(DEMO)}.", soft_wrap=True)
        if serve:
            services = [stack.enter_context(dagster_ui(dagster_port)), stack.enter_context(viewer(viewer_port))]
            for service in services:
                console.print(f"{service.name}: {service.url}")
            console.print("Other commands reach the sandbox, instead of the real archives, with")
            for name, value in archives.items():
                console.print(f"export {name}={value}", highlight=False, soft_wrap=True)
            console.print("Stop with Ctrl-C.")
            if browser:
                open_browser(services[-1].url)
            wait_for_end(services)


def _look_at_freshness() -> None:
    """Whose schedule is off in a new instance: the demo shows no check that was never evaluated."""
    from satfusion_assets.cli.home import dagster_instance
    from satfusion_assets.cli.runs import look_at_freshness
    from satfusion_assets.cli.terminal import stages_quiet
    from satfusion_assets.definitions import build_defs
    from satfusion_assets.pipeline.platform import Platform

    with stages_quiet(), dagster_instance() as instance:
        look_at_freshness(build_defs(Platform()), instance)


def _sandbox_answers(url: str) -> bool:
    """Whether a sandbox serves at ``url``, as a running demo has one."""
    import httpx

    try:
        return httpx.get(f"{url}/_world", timeout=5).is_success
    except httpx.HTTPError:
        return False


SCORES: Final = {"nse": "NSE", "rmse": "RMSE", "mae": "MAE", "pearson_r": "r"}
"""Of the calibrated series, as the viewer's first page shows them."""


def _scores(platform: Any) -> Table:
    """Scores against the camera without its own bias and gain, from skill.json."""
    from satfusion_assets.pipeline.metrics.files import SKILL_FILE

    with platform.store.read(METRICS.of(DEMO)) as view:
        region = next(iter(view.read_json(SKILL_FILE)["regions"].values()))
    title = f"{DEMO.key}: fused GCC against the camera's gcc_90, its own bias and gain taken away"
    table = narrow_table("scenario", *SCORES.values(), "days", title=title)
    for scenario, of in region["scenarios"].items():
        scores = (of or {}).get("calibrated") or {}
        table.add_row(scenario, *(_cell(scores.get(name)) for name in SCORES), _cell((of or {}).get("n_samples")))
    return table


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
