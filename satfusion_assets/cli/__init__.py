"""The ``satfusion`` command."""

from __future__ import annotations

import logging
import re
import signal
import sys
from importlib import metadata
from typing import Annotated, Final

import typer
from rich.markup import escape

from satfusion_assets.cli import (
    acquire,
    backup,
    bundle,
    clean,
    demo,
    doctor,
    footprint,
    fuse,
    gaps,
    materialize,
    sandbox,
    sites,
    store,
    up,
    view,
)
from satfusion_assets.cli.terminal import ERRORS, LINES
from satfusion_assets.vocabulary.errors import SatfusionError

_INTERRUPTED: Final = 128 + signal.SIGINT

app = typer.Typer(
    name="satfusion",
    help="Daily Sentinel-2 / Sentinel-3 fusion scored against PhenoCams.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(sites.app, name="sites")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(store.app, name="store")
app.command()(materialize.materialize)
app.command()(acquire.acquire)
app.command()(fuse.fuse)
app.command()(bundle.bundle)
app.command()(gaps.gaps)
app.command()(footprint.footprint)
app.command()(up.up)
app.command()(view.view)
app.command()(doctor.doctor)
app.command()(clean.clean)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(demo.demo)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"satfusion {metadata.version('satfusion')}")
        raise typer.Exit


@app.callback()
def configure(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say what the stages say")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="say the version and end", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Set up logging for every command."""
    LINES.addFilter(_without_run)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[LINES], force=True)
    logging.getLogger("satfusion_assets").setLevel(logging.INFO)


_OF_A_RUN = re.compile(r"\S+ - [0-9a-f-]{36} - (?P<step>\S+) - (?P<text>.*)", re.DOTALL)


def _without_run(record: logging.LogRecord) -> bool:
    """Dagster puts job and run in front of a stage's own lines; on the command line the step says enough."""
    found = _OF_A_RUN.fullmatch(record.getMessage())
    if found is not None:
        record.msg, record.args = f"{found['step']}: {found['text']}", None
    return True


def main() -> None:
    """Run the command; an error that the user can act on is one sentence, not a traceback."""
    try:
        app()
    except SatfusionError as error:
        ERRORS.print(f"[red]{escape(str(error))}[/red]", highlight=False, soft_wrap=True)
        sys.exit(getattr(error, "exit_code", 1))
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # what the library that parses commands makes of Ctrl-C, without a word
            ERRORS.print("Stopped by SIGINT.", highlight=False)
        raise
    except OSError as error:  # of the system, which names its own cause: disk, permission, port
        ERRORS.print(f"[red]{escape(f'{type(error).__name__}: {error}')}[/red]", highlight=False, soft_wrap=True)
        sys.exit(1)
