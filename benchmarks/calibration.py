"""Whether the predictive standard deviation means what it says, judged by the sandbox's true surface.

Each season is fused from its prepared images (aggressive strategy, sigma 20). An interval of one (1.96) standard
deviations should cover the truth on 68 % (95 %) of the pixels and days, pooled per band and in strata. Then each scene
is withheld, predicted from the others, and compared with itself, with the scene's own noise or with that of the others.
The truth only judges: nothing of the error model is fitted on it.

    python -m benchmarks.calibration --folder SCRATCH [--cases KEY:SEED ...] [--fresh KEY:SEED ...]
        [--write docs/fusion-calibration.md]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.special import ndtri

from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.evaluation.calibration import interval
from satfusion_assets.fusion.efast.assessment import lattice
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.fused.fuse import season_days
from satfusion_assets.pipeline.fused.inputs import season_stack
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.sandbox.landscape import SurfaceView
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, Mode, Scenario, Strategy

Array = NDArray[Any]
SCENARIO: Final = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
CASES: Final = ("innsbruck_2024:4", "forthgr_2024:2", "vindeln2_2023:7")
"""What the model was made on; of the third, only the noise of scenes."""
FRESH: Final = ("pitsalu_2024:11", "institutekarnobat_2024:5", "vindeln2_2023:21", "sunflowerjerez1_2024:3")
"""Looked at when the model was done."""
NEAR: Final = 5
FAR: Final = 10
"""Days to the nearest scene: up to ``NEAR`` is near, beyond ``FAR`` is far."""
SNOW: Final = 0.01
SNOW_DAYS: Final = 5
"""A day is free of snow when the area's share of snow is not above ``SNOW`` so many days before and after."""
NIR: Final = BANDS.index("nir")
LEVELS: Final = (1.0, 1.96)
TARGETS: Final = (68.3, 95.0)
STEP: Final = 2
"""Every second pixel of both directions is judged."""


@dataclass
class Coverage:
    """How many values were judged, and how many lay within each interval, per band."""

    judged: Array = field(default_factory=lambda: np.zeros(len(BANDS)))
    within: Array = field(default_factory=lambda: np.zeros((len(LEVELS), len(BANDS))))

    def add(self, score: Array, where: Array | bool = True) -> None:
        """score: (b, ...) error in standard deviations, NaN = not to be judged. where: broadcasts to it."""
        size = np.abs(score)
        known = ~np.isnan(size) & where
        axes = tuple(range(1, score.ndim))
        self.judged += known.sum(axis=axes)
        self.within += [(known & (size <= level)).sum(axis=axes) for level in LEVELS]

    def cells(self, tolerance: float) -> list[str]:
        """Percentages per level and band; bold where they are off by more than ``tolerance`` points."""
        shares = 100 * self.within / np.where(self.judged > 0, self.judged, np.nan)
        return [_cell(share, target, tolerance) for row, target in zip(shares, TARGETS, strict=True) for share in row]


def _cell(share: float, target: float, tolerance: float) -> str:
    if np.isnan(share):
        return "-"
    return f"{share:.0f}" if abs(share - target) <= tolerance else f"**{share:.0f}**"


Tables = dict[str, Coverage]


def judge(season: PreparedSeason) -> Tables:
    """Coverage of the truth: pooled and in strata."""
    days = season_days(season.site_season)
    fused = _inputs(season).fuse(SCENARIO, np.array(days, "datetime64[D]"))
    quality = fused.quality
    grid = site_grid(season.site).fine
    surface = season.landscape.view(grid.affine, (grid.height, grid.width))
    thin = (..., slice(None, None, STEP), slice(None, None, STEP))
    cover = surface.land_cover[thin]
    greenness = np.stack([surface.greenness(day)[thin] for day in days])
    low, high = greenness.min(axis=0), greenness.max(axis=0)
    tables: Tables = defaultdict(Coverage)
    free = _snow_free(surface, season)
    for p, day in enumerate(days):
        truth = surface.reflectance(day)
        deviation = quality.standard_deviation[p][thin]
        score = (fused.values[p] - as_measured(truth))[thin] / deviation
        if not free[p]:
            tables["snow about"].add(score)
            continue
        scene = quality.days_to_scene[p][thin]
        green = greenness[p] > (low + high) / 2
        strata = {
            "all": np.ones_like(green),
            f"scene within {NEAR} days": scene <= NEAR,
            f"scene beyond {FAR} days": (scene > FAR) & (scene < 255),
            "in season": green & (high - low > 0.1),
            "out of season": ~green & (high - low > 0.1),
        } | {kind.name.lower(): cover == kind for kind in Cover}
        tables["all, 10 m truth"].add((fused.values[p] - truth)[thin] / deviation)
        for name, where in strata.items():
            tables[name].add(score, where)
    return tables


def as_measured(truth: Array) -> Array:
    """Truth (b, H, W) with the near infrared averaged over its 20 m pixels and brought back as acquisition does."""
    seen = truth.copy()
    _, height, width = truth.shape
    coarser = truth[NIR].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    seen[NIR] = zoom(coarser, 2, order=1, grid_mode=True, mode="nearest")
    return seen


def withheld(season: PreparedSeason) -> Tables:
    """Coverage of scenes that are predicted from the others, with the scene's own noise and with that of the others."""
    images = _inputs(season)
    tables: Tables = defaultdict(Coverage)
    own = images.fuse(SCENARIO, images.fine_days[:1]).quality.error_model.scene_noise
    height, width = images.fine.shape[2:]
    unlearned = np.ones((height, width), bool)
    unlearned[np.ix_(lattice(height), lattice(width))] = False
    first, last = np.datetime64(season.site_season.start), np.datetime64(season.site_season.end)
    for scene, day in enumerate(images.fine_days):
        if first <= day <= last:
            fused = images.scenes(np.arange(len(images.fine)) != scene).fuse(
                SCENARIO, images.fine_days[scene : scene + 1]
            )
            error, deviation = fused.values[0] - images.fine[scene], fused.quality.standard_deviation[0]
            spread = np.sqrt(deviation**2 + own[scene][:, None, None])
            tables["withheld, own noise"].add(error / spread, unlearned)
            levels = np.sqrt(fused.quality.error_model.noise_levels)
            tables["withheld, noise unknown"].add(_normal_score(error, deviation, levels))
    return tables


def _normal_score(error: Array, deviation: Array, levels: Array) -> Array:
    """Error (b, H, W) in standard deviations of the normal whose intervals are as likely as the mixture's.

    levels: (k, b) equally likely standard deviations of the scene itself.
    """
    score = np.full(error.shape, np.nan)
    for band, noise in enumerate(levels.T):
        known = np.isfinite(error[band]) & np.isfinite(deviation[band])
        spreads = np.hypot(deviation[band][known].astype(np.float64)[:, None], noise)
        score[band][known] = ndtri((1 + interval(error[band][known].astype(np.float64), spreads)) / 2)
    return score


def _inputs(season: PreparedSeason) -> SeasonStack:
    with season.store.read(PREPARED[SCENARIO.mode].of(season.site_season, SCENARIO.strategy)) as prepared:
        return season_stack(prepared, SCENARIO)


def _snow_free(surface: SurfaceView, season: PreparedSeason) -> Array:
    """(p,) whether a day and the days around it are free of snow."""
    days = season_days(season.site_season)
    first, count = days[0] - timedelta(SNOW_DAYS), len(days) + 2 * SNOW_DAYS
    snow = np.array([surface.snow(first + timedelta(n)).mean() for n in range(count)]) > SNOW
    return ~np.array([snow[p : p + 2 * SNOW_DAYS + 1].any() for p in range(len(days))])


def report(groups: dict[str, list[PreparedSeason]]) -> str:
    lines = [
        "# Calibration of the predictive standard deviation",
        "",
        "Percentage of the sandbox's true surface reflectance within one and within 1.96 standard deviations of",
        f"the fused value ({SCENARIO.key}); 68 and 95 are right. Bold: off by more than 5 points pooled, by more than",
        "10 in a stratum. The near infrared is measured with pixels of 20 m, so its truth is averaged over them (the",
        "line `all, 10 m truth` is without that). Days count when the area is free of snow (share at most",
        f"{SNOW:.0%} within {SNOW_DAYS} days either way): snow comes and goes between clear scenes, which mask it,",
        "and no scene can tell of it; such days stand in a line of their own. In season: the pixel is more than half",
        "green; out of season: less.",
        "",
        "Withheld scenes: each scene predicted from the others and compared with itself. `own noise` adds the noise",
        "of the scene itself, read at other pixels than those that are judged, on scenes that have enough of them; it",
        "takes in whatever the prediction of that day is off by as a whole, so that this line says whether the errors",
        "spread over a scene as stated, and the truth whether they are of the stated size. `noise unknown` reads",
        "nothing from the scene: it may have the noise of any of the others, equally likely.",
        "",
        "The model was made on the first three seasons (the third was only looked at for the noise of scenes), and",
        "not changed for the others. Written by `python -m benchmarks.calibration --folder SCRATCH`.",
    ]
    everything: Tables = defaultdict(Coverage)
    for name, seasons in groups.items():
        together: Tables = defaultdict(Coverage)
        for season in seasons:
            tables = judge(season) | withheld(season)
            lines += ["", f"## {season.title}", "", *_table(tables)]
            _add(tables, together)
        lines += ["", f"## {name}", "", *_table(together)]
        _add(together, everything)
    return "\n".join([*lines, "", "## All seasons", "", *_table(everything)]) + "\n"


def _add(tables: Tables, total: Tables) -> None:
    for stratum, coverage in tables.items():
        total[stratum].judged += coverage.judged
        total[stratum].within += coverage.within


def _table(tables: Tables) -> list[str]:
    heads = [f"{band} {level:.0f} %" for level in TARGETS for band in BANDS]
    rows = [f"| stratum | {' | '.join(heads)} | share |", "|---" * (len(heads) + 2) + "|"]
    for name, coverage in tables.items():
        pooled = name.startswith(("all", "withheld"))
        share = coverage.judged.sum() / tables["all"].judged.sum()
        if coverage.judged.sum():
            rows.append(f"| {name} | {' | '.join(coverage.cells(5 if pooled else 10))} | {share:.1%} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the seasons lie or are to be built")
    parser.add_argument("--cases", nargs="*", default=CASES, help="site-seasons and seeds that the model was made on")
    parser.add_argument("--fresh", nargs="*", default=FRESH, help="site-seasons and seeds that it was not")
    parser.add_argument("--write", type=Path, help="write the tables as Markdown here")
    options = parser.parse_args()
    names = {"All that the model was made on": options.cases, "All others": options.fresh}
    cases = {name: [case.split(":") for case in group] for name, group in names.items() if group}
    seasons = {
        name: [prepared_season(key, int(seed), options.folder) for key, seed in group] for name, group in cases.items()
    }
    text = report(seasons)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
