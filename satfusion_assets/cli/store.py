"""``satfusion store``: where products lie, copied from one place to another and cleared of what nobody needs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from satfusion_assets.cli.clean import MOST_DAYS
from satfusion_assets.vocabulary.errors import InvalidInput

if TYPE_CHECKING:
    from satfusion_assets.store import Store

app = typer.Typer(help="Where products lie: copy a store, collect its garbage.", no_args_is_help=True)
_BUCKET: Final = "s3://"


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="a data root, or s3://bucket/prefix")],
    target: Annotated[str, typer.Argument(help="the same; made where it is a folder that is not there")],
) -> None:
    """Copy all products and what acquisition has kept, with every data version as it is; goes on where it stopped."""
    from satfusion_assets.store.copying import copy_store

    console, copied, there = Console(), 0, 0
    if not source.startswith(_BUCKET) and not Path(source).is_dir():
        raise InvalidInput(f"{source} is no folder; name a data root or s3://bucket/prefix.")
    with console.status("Looking", spinner="line") as status:
        for product, now in copy_store(_store(source), _store(target)):
            copied, there = copied + now, there + (not now)
            status.update(f"{copied} copied, {there} there already; {product.key}")
    console.print(f"{copied} products copied to {target}, {there} were there already.", highlight=False, soft_wrap=True)


@app.command()
def collect(
    grace_hours: Annotated[
        float,
        typer.Option(
            min=0,
            max=24 * MOST_DAYS,
            help="how long what was replaced is kept for its readers: longer than any run takes",
        ),
    ] = 24,
    dry_run: Annotated[bool, typer.Option(help="say what would be deleted, and delete nothing")] = False,
) -> None:
    """Delete versions that were replaced and contents that nothing speaks of from the bucket; once a day is enough."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.store.bucket import BucketStore
    from satfusion_assets.store.collect import Collected
    from satfusion_assets.store.collect import collect as collect_scope

    store, console = Platform().store, Console()
    if not isinstance(store, BucketStore):
        console.print("Products lie in a folder, which deletes what was replaced by itself.")
        return
    total = Collected()
    for scope in store.scopes():
        total += collect_scope(store, scope, grace=timedelta(hours=grace_hours), dry_run=dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    console.print(
        f"{total.entries} replaced versions and {total.contents} contents ({total.size / 1e6:.1f} MB) {verb}.",
        highlight=False,
    )


def _store(where: str) -> Store:
    from satfusion_assets.store import ProductStore
    from satfusion_assets.store.opening import open_bucket
    from satfusion_assets.vocabulary.settings import Settings

    return open_bucket(where, Settings(store=where)) if where.startswith(_BUCKET) else ProductStore(Path(where))
