"""``satfusion backup`` and ``satfusion restore``: products, sites and Dagster's records in one folder."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from satfusion_assets.cli.home import dagster_home
from satfusion_assets.vocabulary.errors import InvalidInput, StoreFull

PRODUCTS: Final = "products"
RECORDS: Final = "dagster_home"
SITES: Final = "sites.geojson"
_DATABASE: Final = ".db"
_OF_A_DATABASE: Final = ("-wal", "-shm", "-journal")


def backup(
    folder: Annotated[Path, typer.Argument(help="where to; what is there already is brought up to date")],
) -> None:
    """Copy all products, the sites file and Dagster's records to FOLDER, while services run."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.store import ProductStore
    from satfusion_assets.store.copying import copy_store

    platform, console, home = Platform(), Console(), dagster_home()
    for own in (platform.settings.data_root, home):
        if folder.resolve().is_relative_to(own.resolve()):
            raise InvalidInput(f"{folder} lies in {own}, which is to be copied; name a folder elsewhere.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Records first: products that they do not know of yet do no harm, the other way round would.
        copy_records(home, folder / RECORDS)
        if platform.settings.sites_path.is_file():
            shutil.copyfile(platform.settings.sites_path, folder / SITES)
        copied = [now for _, now in copy_store(platform.store, ProductStore(folder / PRODUCTS), linked=False)]
    except StoreFull as error:  # The store's own words are of a product that is made.
        raise StoreFull(f"The disk of {folder} is full; free some space and give the same command again.") from error
    console.print(
        f"{sum(copied)} of {len(copied)} products copied, the others were there; records and sites as of now: {folder}",
        highlight=False,
        soft_wrap=True,
    )


def restore(folder: Annotated[Path, typer.Argument(help="what 'satfusion backup' wrote")]) -> None:
    """Put a backup back, into a store without products and a DAGSTER_HOME without records; stop the services before."""
    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.store import ProductStore
    from satfusion_assets.store.copying import copy_store

    platform, console, home = Platform(), Console(), dagster_home()
    if not (folder / PRODUCTS).is_dir() or not (folder / RECORDS).is_dir():
        raise InvalidInput(
            f"{folder} is no backup: it lacks {PRODUCTS} or {RECORDS}; name what 'satfusion backup' wrote."
        )
    if any(path for path in home.rglob(f"*{_DATABASE}")):
        raise InvalidInput(f"{home} holds records; move them away, or set DAGSTER_HOME to an empty folder.")
    if platform.store.scopes():
        raise InvalidInput("The store holds products; move them away, or set SATFUSION_DATA_ROOT or SATFUSION_STORE.")
    copied = [now for _, now in copy_store(ProductStore(folder / PRODUCTS), platform.store, linked=False)]
    if (folder / SITES).is_file():
        platform.settings.sites_path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / SITES, platform.settings.sites_path)
    copy_records(folder / RECORDS, home)
    console.print(f"{len(copied)} products and Dagster's records are back.", highlight=False)


def copy_records(source: Path, target: Path) -> None:
    """All files below a DAGSTER_HOME; each database as of one moment, whoever writes to it meanwhile."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir() or path.name.endswith(_OF_A_DATABASE) or not path.is_file():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == _DATABASE:
            _copy_database(path, copy)
        else:
            shutil.copyfile(path, copy)


def _copy_database(source: Path, target: Path) -> None:
    staged = target.with_name(f".{target.name}.new")
    staged.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(staged)) as new:
        try:
            old.backup(new)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            staged.unlink(missing_ok=True)
            raise StoreFull(
                f"The disk of {target} is full; free some space and give the same command again."
            ) from error
    staged.replace(target)
