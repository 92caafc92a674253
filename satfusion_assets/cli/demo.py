"""``satfusion demo``: the whole platform on its sandbox, from nothing to scores and a running UI."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from satfusion_assets.cli.materialize import materialize_site_season
from satfusion_assets.cli.sandbox import PORT, ROOT
from satfusion_assets.cli.services import DAGSTER_PORT, VIEWER_PORT, Service, dagster_ui, require_free, viewer
from satfusion_assets.cli.tables import narrow_table
from satfusion_assets.pipeline.metrics.product import METRICS
from satfusion_assets.pipeline.records import Stage
from satfusion_assets.vocabulary.sites import SiteSeason

DEMO = SiteSeason("innsbruck", 2024)


def demo(
    serve: Annotated[bool, typer.Option(help="leave the Dagster UI and the viewer running")] = True,
    evaluation: Annotated[bool, typer.Option(help="also make date maps and the gap benchmark")] = False,
) -> None:
    """Materialise innsbruck 2024 on the sandbox, print its scores, and leave the UI running."""
    from satfusion_assets.cli.truth import truth_table
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.sandbox.server.run import SandboxProcess

    require_free(PORT, *((DAGSTER_PORT, VIEWER_PORT) if serve else ()))
    console = Console()
    started = time.monotonic()
    registry = Platform().registry
    registry.add(registry.site(DEMO.site))  # the first demo writes sites.geojson
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxProcess(ROOT, registry.path, port=PORT))
        os.environ.update(sandbox.environment())
        console.print(f"Sandbox archives: {sandbox.url}")
        materialize_site_season(DEMO, until=Stage.EVALUATION if evaluation else Stage.METRICS)
        console.print(_scores(Platform()))
        console.print(truth_table(Platform(), DEMO))
        console.print(f"Done in {time.monotonic() - started:.0f} s; products lie in {Platform().store.folder(DEMO)}.")
        if serve:
            services = [stack.enter_context(dagster_ui(DAGSTER_PORT)), stack.enter_context(viewer(VIEWER_PORT))]
            for service in services:
                console.print(f"{service.name}: {service.url}")
            console.print("Other commands reach the sandbox, instead of the real archives, with")
            for name, value in sandbox.environment().items():
                console.print(f"export {name}={value}", highlight=False, soft_wrap=True)
            console.print("Stop with Ctrl-C.")
            _wait(services)


def _scores(platform: Any) -> Table:
    """Headline scores against the camera from metrics.json."""
    from satfusion_assets.pipeline.metrics.files import METRICS_FILE
    from satfusion_assets.pipeline.metrics.roll_up import HEADLINES, score_table

    with platform.store.read(METRICS.of(DEMO)) as view:
        rows = score_table(view.read_json(METRICS_FILE))
    table = narrow_table("scenario", *HEADLINES, title=f"{DEMO.key}: fused GCC against the camera's gcc_90")
    for row in rows:
        table.add_row(row["scenario"], *(_cell(row[name]) for name in HEADLINES))
    return table


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _wait(services: list[Service]) -> None:
    """Until a person stops us, or a service ends by itself."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(service.running for service in services):
            time.sleep(1)
    except KeyboardInterrupt:
        return
