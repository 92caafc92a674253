"""``satfusion fuse``: EFAST on a folder of prepared images, for people with their own areas."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

DATE = ["%Y-%m-%d"]


def fuse(
    folder: Annotated[Path, typer.Argument(help="holds s2/ and s3/ in the layout of prepared images")],
    start: Annotated[datetime, typer.Option(formats=DATE, help="first day to predict")],
    end: Annotated[datetime, typer.Option(formats=DATE, help="last day to predict")],
    step: Annotated[int, typer.Option(min=1, help="days between predictions")] = 1,
    product: Annotated[str, typer.Option(help="REFL or GCC, the ending of the images in s2/")] = "REFL",
    sigma: Annotated[float, typer.Option(help="days; how far in time a scene reaches")] = 20.0,
    max_days: Annotated[float, typer.Option(help="days; scenes farther away take no part")] = 30.0,
    cloud_distance_limit: Annotated[float, typer.Option(help="coarse pixels from a cloud to full weight")] = 15.0,
    memory_gb: Annotated[float, typer.Option(help="gigabytes that may be used")] = 2.0,
) -> None:
    """Fuse images of any size in bounded memory; a run that was interrupted goes on where it stopped."""
    from satfusion_assets.stages.fuse_folder import GIGABYTE, FuseFolder, fuse_folder

    days = tuple(start.date() + timedelta(n) for n in range(0, (end.date() - start.date()).days + 1, step))
    order = FuseFolder(
        folder=folder,
        days=days,
        product=product,
        sigma=sigma,
        max_days=max_days,
        cloud_distance_limit=cloud_distance_limit,
        memory_bytes=int(memory_gb * GIGABYTE),
    )
    with Progress() as bar:
        task = bar.add_task("blocks", total=None)
        result = fuse_folder(order, lambda done, total: bar.update(task, completed=done, total=total))
    typer.echo(f"{len(result.paths)} of {len(days)} days fused below {folder / 'fusion'}.")
