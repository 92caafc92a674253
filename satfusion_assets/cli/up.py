"""``satfusion up``: the platform's services, wherever the package is installed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console

from satfusion_assets.cli.home import dagster_home
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


def up(
    dagster_port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the Dagster UI")] = DAGSTER_PORT,
    viewer_port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port of the viewer")] = VIEWER_PORT,
    browser: Annotated[bool, typer.Option(help="open the viewer in a browser, where there is a display")] = True,
) -> None:
    """Run code server, Dagster UI, daemon and viewer until interrupted."""
    from satfusion_assets.pipeline.platform import Platform

    require_free(dagster_port, viewer_port)
    console = Console()
    platform = Platform()
    console.print(f"Data: {platform.settings.data_root.absolute()}", highlight=False, soft_wrap=True)
    console.print(f"Dagster's records and logs: {dagster_home()}", highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        services = [stack.enter_context(dagster_ui(dagster_port)), stack.enter_context(viewer(viewer_port))]
        for service in services:
            console.print(f"{service.name}: {service.url}", soft_wrap=True)
        console.print("Stop with Ctrl-C.")
        if browser:
            open_browser(services[-1].url)
        wait_for_end(services)
