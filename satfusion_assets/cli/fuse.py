"""``satfusion fuse``: EFAST or kriging on a folder of prepared images, for people with their own areas."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.scenarios import Method

DATE = ["%Y-%m-%d"]
MOST_MEMORY_GB = 10_000.0
"""More than any machine has."""


def fuse(
    folder: Annotated[Path, typer.Argument(help="holds s2/ and s3/ in the layout of prepared images")],
    start: Annotated[datetime, typer.Option(formats=DATE, help="first day to predict")],
    end: Annotated[datetime, typer.Option(formats=DATE, help="last day to predict")],
    step: Annotated[int, typer.Option(min=1, help="days between predictions")] = 1,
    product: Annotated[str, typer.Option(help="REFL or GCC, the ending of the images in s2/")] = "REFL",
    method: Annotated[
        Method, typer.Option(help="efast, or kriging: every day, with its standard deviation")
    ] = Method.EFAST,
    sigma: Annotated[float, typer.Option(help="EFAST: days; how far in time a scene reaches")] = 20.0,
    max_days: Annotated[float, typer.Option(help="EFAST: days; scenes farther away take no part")] = 30.0,
    cloud_distance_limit: Annotated[
        float, typer.Option(help="EFAST: coarse pixels from a cloud to full weight")
    ] = 15.0,
    memory_gb: Annotated[float, typer.Option(help="gigabytes that may be used")] = 2.0,
    blocks: Annotated[
        str | None,
        typer.Option(help="s3://bucket/prefix or a folder where hosts with the same images share finished blocks"),
    ] = None,
) -> None:
    """Fuse images of any size in bounded memory; a run that was interrupted goes on where it stopped."""
    from satfusion_assets.fusion.efast import Status
    from satfusion_assets.own_images.fuse_folder import GIGABYTE, FuseFolder, fuse_folder

    if not 0 < memory_gb <= MOST_MEMORY_GB:
        raise InvalidInput(
            f"--memory-gb is {memory_gb}; give the gigabytes that may be used, up to {MOST_MEMORY_GB:g}."
        )
    if start > end:
        raise InvalidInput(f"--start {start:%Y-%m-%d} is after --end {end:%Y-%m-%d}; give the earlier day first.")
    days = tuple(start.date() + timedelta(n) for n in range(0, (end.date() - start.date()).days + 1, step))
    order = FuseFolder(
        folder=folder,
        days=days,
        product=product,
        method=method,
        sigma=sigma,
        max_days=max_days,
        cloud_distance_limit=cloud_distance_limit,
        memory_bytes=int(memory_gb * GIGABYTE),
        blocks=blocks,
    )
    from rich.progress import Progress

    with Progress() as bar:
        task = bar.add_task("blocks", total=None)
        result = fuse_folder(order, lambda done, total: bar.update(task, completed=done, total=total))
    left_out = f" {len(result.left_out)} files took no part, as said above." if result.left_out else ""
    # Kriging does without composites.
    wanted = {Status.NO_FINE: "a scene"} | ({Status.NO_COARSE: "composites"} if method is Method.EFAST else {})
    empty = {what: count for word, what in wanted.items() if (count := result.status.count(word))}
    why = ", ".join(f"{count} for want of {what}" for what, count in empty.items())
    others = f" The others have no values: {why} within reach." if empty else ""
    fused = len(days) - sum(empty.values())
    typer.echo(f"{fused} of {len(days)} days fused below {folder / 'fusion'}.{others}{left_out}")
