"""The default mode beside the authors' package on whole sandbox seasons, scored against the true surface.

Both modes fuse the same prepared images (Blend-then-Index, aggressive strategy, sigma 20); conformance mode stands for
the package, whose numbers it equals. Errors count on the pixels that both modes have; what each lacks stands beside.

    python -m benchmarks.fusion_modes --folder SCRATCH [--cases innsbruck_2024:1 ...] [--write docs/fusion-modes.md]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.fusion.efast import fuse
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.fused.fuse import MAX_DAYS, season_days
from satfusion_assets.pipeline.fused.inputs import season_stack
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.vocabulary.grid import RATIO, site_grid
from satfusion_assets.vocabulary.indices import gcc
from satfusion_assets.vocabulary.scenarios import BANDS, Mode, Scenario, Strategy

Array = NDArray[Any]
SCENARIO: Final = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
CASES: Final = ("innsbruck_2024:1", "forthgr_2024:1")
EVERY: Final = 2
"""Days between the predictions that are scored."""
SNOW_FREE: Final = 0.05
CHANNELS: Final = (*BANDS, "gcc")


def as_they_are(inputs: SeasonStack) -> SeasonStack:
    return inputs


def zeros_for_nodata(inputs: SeasonStack) -> SeasonStack:
    """Coarse nodata as many archives write it; composites without any value then are images of zeros."""
    every_day = np.arange(inputs.coarse_days[0], inputs.coarse_days[-1] + 1)
    coarse = np.zeros((len(every_day), *inputs.coarse.shape[1:]), inputs.coarse.dtype)
    coarse[np.searchsorted(every_day, inputs.coarse_days)] = np.nan_to_num(inputs.coarse)
    return replace(inputs, coarse=coarse, coarse_days=every_day)


def coarse_pixel_lost(inputs: SeasonStack) -> SeasonStack:
    """One coarse pixel without any value."""
    coarse = inputs.coarse.copy()
    coarse[:, :, 2, 2] = np.nan
    return replace(inputs, coarse=coarse)


def dark_first_band(inputs: SeasonStack) -> SeasonStack:
    """Atmospheric correction that takes 0.03 off blue, what falls below 0 clipped; blue itself is not comparable."""
    fine = inputs.fine.copy()
    fine[:, 0] = np.maximum(fine[:, 0] - np.float32(0.03), 0)
    return replace(inputs, fine=fine)


VARIANTS: Final[dict[str, tuple[Callable[[SeasonStack], SeasonStack], float]]] = {
    "prepared images as they are": (as_they_are, 0.0),
    "coarse nodata written as 0 (trap 2)": (zeros_for_nodata, 0.0),
    "a coarse pixel that is never seen (trap 3)": (coarse_pixel_lost, 0.0),
    "minimum_acquisition_importance 2, the package's default (trap 4)": (as_they_are, 2.0),
    "blue overcorrected by 0.03 and clipped to 0 (trap 6)": (dark_first_band, 0.0),
}


def report(seasons: list[PreparedSeason]) -> str:
    lines = [
        "# The two modes against the sandbox's truth",
        "",
        f"Root mean square error of the fused reflectance and its GCC ({SCENARIO.key}), every other day of the",
        "season, snow-free pixels that both modes have; the share of values that each lacks; and the root mean",
        "square difference of the two. Traps: `docs/fusion.md`. Under trap 6 blue and GCC carry its offset.",
        "The per-pixel rule of trap 4 answers where the package's drops the pixel. Written by",
        "`python -m benchmarks.fusion_modes --folder SCRATCH`.",
    ]
    for season in seasons:
        lines += ["", f"## {season.title}", ""]
        lines += [f"| prepared images | mode | {' | '.join(CHANNELS)} | missing |", "|---" * (len(CHANNELS) + 3) + "|"]
        days = np.array(season_days(season.site_season)[::EVERY], "datetime64[D]")
        truth = _truth(season, days)
        with season.store.read(PREPARED[SCENARIO.mode].of(season.site_season, SCENARIO.strategy)) as prepared:
            inputs = season_stack(prepared, SCENARIO)
        for name, (change, importance) in VARIANTS.items():
            ours, theirs = (
                _with_gcc(_fuse(change(inputs), days, importance, conformance=mode)) for mode in (False, True)
            )
            lines.append(_row(name, "default", ours - truth, ours, theirs))
            lines.append(_row("", "package", theirs - truth, theirs, ours))
            lines.append(f"| | difference | {' | '.join(_rmse(ours - theirs, '.1e'))} | |")
    return "\n".join(lines) + "\n"


def _row(name: str, mode: str, errors: Array, own: Array, other: Array) -> str:
    common = np.where(np.isfinite(other), errors, np.nan)
    missing = np.isnan(own[:, : len(BANDS)]).mean()
    return f"| {name} | {mode} | {' | '.join(_rmse(common))} | {missing:.1%} |"


def _rmse(errors: Array, form: str = ".4f") -> list[str]:
    squares = (np.square(errors[:, band], dtype=np.float64) for band in range(len(CHANNELS)))
    return [f"{np.sqrt(np.nanmean(band)):{form}}" for band in squares]


def _truth(season: PreparedSeason, days: Array) -> Array:
    """(p, 5, H, W) true bands and GCC, NaN under snow."""
    grid = site_grid(season.site).fine
    surface = season.landscape.view(grid.affine, (grid.height, grid.width))
    truth = np.stack([surface.reflectance(day) for day in days.astype(object)])
    snow = np.stack([surface.snow(day) for day in days.astype(object)]) > SNOW_FREE
    return _with_gcc(np.where(snow[:, None], np.nan, truth))


def _with_gcc(values: Array) -> Array:
    return np.concatenate([values, gcc(values[:, 0], values[:, 1], values[:, 2])[:, None]], axis=1)


def _fuse(inputs: SeasonStack, days: Array, importance: float, *, conformance: bool) -> Array:
    return fuse(
        days,
        inputs.coarse,
        inputs.coarse_days,
        inputs.fine,
        inputs.fine_days,
        inputs.cloud_distance,
        ratio=RATIO,
        sigma=SCENARIO.sigma or 20,
        max_days=MAX_DAYS,
        minimum_acquisition_importance=importance,
        conformance=conformance,
    ).values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the seasons lie or are to be built")
    parser.add_argument("--cases", nargs="+", default=CASES, help="site-season and seed of the sandbox")
    parser.add_argument("--write", type=Path, help="write the tables as Markdown here")
    options = parser.parse_args()
    cases = [case.split(":") for case in options.cases]
    text = report([prepared_season(key, int(seed), options.folder) for key, seed in cases])
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
