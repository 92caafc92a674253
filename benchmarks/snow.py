"""What screening snow in coarse pixels does to fused images, on landscapes whose truth is known.

    python -m benchmarks.snow FOLDER innsbruck_2024:1 innsbruck_2024:4242 ...

Prints a table of Markdown: for each landscape RMSE per band and of GCC, and the share of pixels off by more than 0.05,
around the snow and in the rest of the season, without and with the screening.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.fusion.efast import fuse
from satfusion_assets.pipeline.fused.fuse import season_days
from satfusion_assets.pipeline.prepared.prepare import fine_days, kept_scenes, screened_overpasses, snow_looks
from satfusion_assets.pipeline.preselected.product import PRESELECTED
from satfusion_assets.pipeline.raw_s2.product import RAW_S2
from satfusion_assets.pipeline.raw_s3.product import RAW_S3
from satfusion_assets.screening.composites import Composites, daily_composites, moving_average
from satfusion_assets.screening.snow import SnowLooks
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, Strategy
from satfusion_assets.vocabulary.settings import Settings

STRATEGY: Final = Strategy.AGGRESSIVE
SIGMA: Final = 20.0
SNOW_FREE: Final = 0.05
"""Share of a fine pixel under snow up to which it counts as free of it."""
AROUND_DAYS: Final = 20
"""Reach of "around the snow" to either side of a day with snow anywhere on the site."""
OFF: Final = 0.05
QUANTITIES: Final = (*BANDS, "gcc")

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Fusions:
    """One landscape, fused without and with the screening. Arrays of images are (days, bands, H, W)."""

    title: str
    truth: FloatArray
    snow: FloatArray
    fused: dict[str, FloatArray]
    screened: float

    @property
    def around(self) -> npt.NDArray[np.bool_]:
        """(days,) near a day with snow."""
        some = (self.snow > SNOW_FREE).any(axis=(1, 2))
        return np.convolve(some, np.ones(2 * AROUND_DAYS + 1), "same") > 0


def fusions(season: PreparedSeason) -> Fusions:
    site_season, store, grid = season.site_season, season.store, site_grid(season.site)
    days = np.array(season_days(site_season), dtype="datetime64[D]")
    with (
        store.read(RAW_S2.of(site_season)) as s2,
        store.read(RAW_S3.of(site_season)) as s3,
        store.read(PRESELECTED.of(site_season)) as screened,
    ):
        fine = fine_days(s2, kept_scenes(screened, "s2", STRATEGY))
        looks = snow_looks(s2)
        blind = SnowLooks(looks.days, np.full_like(looks.share, np.nan))
        kept = kept_scenes(screened, "s3", STRATEGY)
        overpasses = {name: screened_overpasses(s3, kept, of) for name, of in (("without", blind), ("with", looks))}
    fine = [item for item in fine if np.isfinite(item.image.values).all(axis=0).any()]
    smoothing = Settings().smoothing_days
    fused = {}
    for name, passes in overpasses.items():
        coarse = _filled(moving_average(daily_composites(passes.values, passes.days), smoothing))
        fused[name] = fuse(
            days,
            coarse.values,
            coarse.days,
            np.stack([item.image.values for item in fine]),
            np.array([item.day for item in fine], dtype="datetime64[D]"),
            np.stack([item.image.cloud_distance for item in fine]),
            ratio=RATIO,
            sigma=SIGMA,
        ).values
    surface = season.landscape.view(grid.fine.affine, (grid.fine.height, grid.fine.width))
    return Fusions(
        season.title,
        truth=np.stack([surface.reflectance(day.item()) for day in days]),
        snow=np.stack([surface.snow(day.item()) for day in days]),
        fused=fused,
        screened=overpasses["with"].snow_fraction,
    )


def _filled(composites: Composites) -> Composites:
    there = np.isfinite(composites.values).any(axis=(1, 2, 3))
    return replace(
        composites,
        days=composites.days[there],
        values=composites.values[there],
        support=composites.support[there],
    )


def rows(of: Fusions) -> Iterator[list[str]]:
    free = np.asarray(of.snow <= SNOW_FREE)
    common = np.stack([np.isfinite(values).all(axis=1) for values in of.fused.values()]).all(axis=0)
    for when, days in (("around snow", of.around), ("rest", ~of.around)):
        chosen = np.asarray(free & common & days[:, None, None])
        within = np.nonzero(free & days[:, None, None])
        if not chosen.any():
            continue
        for name, values in of.fused.items():
            errors = [*np.moveaxis(values - of.truth, 1, 0), _gcc(values) - _gcc(of.truth)]
            known = [error[np.nonzero(chosen & np.isfinite(error))].astype(np.float64) for error in errors]
            rmse = [f"{np.sqrt(np.mean(error**2)):.4f}" for error in known]
            off = [f"{100 * float(np.mean(np.abs(error) > OFF)):.1f}" for error in known]
            estimated = np.asarray(np.isfinite(values).all(axis=1))[within].mean()
            part = f"{100 * of.screened:.0f} %" if name == "with" else "-"
            yield [of.title, when, name, *rmse, " ".join(off), f"{100 * estimated:.1f} %", part]


def _gcc(images: FloatArray) -> FloatArray:
    return indices.gcc(images[:, 0], images[:, 1], images[:, 2])


def main(folder: str, *landscapes: str) -> None:
    heads = ["landscape", "days", "screening", *QUANTITIES, f"% off by {OFF}", "estimated", "coarse pixels taken out"]
    lines = [heads, ["---"] * len(heads)]
    for landscape in landscapes:
        key, seed = landscape.split(":")
        lines += rows(fusions(prepared_season(key, int(seed), Path(folder))))
    sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
