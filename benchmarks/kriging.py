"""Kriging against the sandbox's true surface, beside EFAST and every interpolation: seasons, gaps and deviations.

Every season is predicted from its prepared images (aggressive strategy) for all days, and again with every scene within
gaps of 30, 60 and 90 days withheld. Methods are compared pairwise, on the snow-free pixels and days that both estimate:
``worst`` is the method against which kriging does worst, with the ratio of the two errors. The truth only judges.

    python -m benchmarks.kriging --folder SCRATCH [--cases KEY:SEED ...] [--seen KEY:SEED ...] [--fresh KEY:SEED ...]
        [--write docs/kriging-truth.md]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.seasons import PreparedSeason, prepared_season
from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES, quantities
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, Prediction
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.gaps.stack import withhold as withheld
from satfusion_assets.evaluation.gaps.windows import Gap, MidpointRule, Transition, gap_window
from satfusion_assets.fusion.efast import Fused
from satfusion_assets.fusion.kriging import KrigingQuality
from satfusion_assets.fusion.kriging.indices import INDICES, index_with_deviation
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.fused.fuse import season_days
from satfusion_assets.pipeline.fused.inputs import read_stack
from satfusion_assets.pipeline.prepared.product import PREPARED
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.truth.scoring import days_to_clear
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import BANDS, SCENARIOS, Method, Mode, Strategy

Array = NDArray[Any]
TUNED: Final = ("innsbruck_2024:1", "forthgr_2024:5")
"""Looked at all along while the method was made, not while its detail of larger pixels was."""
SEEN: Final = ("innsbruck_2024:4242", "vindeln2_2023:101", "institutekarnobat_2024:77")
"""Judged once with the method nearly done; what the gaps of the last two showed changed the rules for snow and for
scenes that are to blame, so they are no proof of those."""
FRESH: Final = ("pitsalu_2024:33",)
"""Judged when the method was done; of it only the detail of larger pixels and snow under trees came after."""
SNOW_SEEN: Final = (*SEEN[1:], *FRESH)
"""Their snow changed its rules, so they are no proof of those."""
DETAIL_SEEN: Final = ("innsbruck_2024:4242", "vindeln2_2023:101", "pitsalu_2024:33")
"""Looked at while the detail of larger pixels was made: no proof of near infrared and NDVI."""
STRATEGY: Final = Strategy.AGGRESSIVE
GAP_DAYS: Final = (30, 60, 90)
SNOW: Final = 0.05
STEP: Final = 3
"""Every third pixel of both directions is judged."""
LEVELS: Final = (1.0, 1.96)
OF_GCC: Final = "gcc of itself"
VARIANTS: Final = {OF_GCC: "gcc", "nir as measured": "nir", "ndvi as measured": "ndvi"}
"""Other predictions by kriging of the same quantity, judged beside it."""
TOLERATED: Final = 1.05
"""How far above the best other method a gap may end and still count as close."""
LEAST: Final = 2000
"""Values that a stratum must have to be judged."""
FLAGS: Final = ("cases", "seen", "fresh")
Images = dict[str, Array]


@dataclass
class Sums:
    """Squared errors of kriging and of another method on common pixels, and how many they are of all."""

    kriging: float = 0.0
    other: float = 0.0
    common: int = 0
    all: int = 0

    @property
    def ratio(self) -> float:
        return float(np.sqrt(self.kriging / self.other)) if self.other > 0 else np.nan


@dataclass
class Coverage:
    judged: int = 0
    within: Array = field(default_factory=lambda: np.zeros(len(LEVELS)))

    def add(self, score: Array) -> None:
        known = np.abs(score[np.isfinite(score)])
        self.judged += known.size
        self.within += [(known <= level).sum() for level in LEVELS]

    def cell(self, tolerance: float) -> str:
        """Percentages within one and 1.96 deviations; bold where one is off by more than ``tolerance`` points."""
        if self.judged < LEAST:
            return "-"
        shares = 100 * self.within / self.judged
        text = f"{shares[0]:.0f} / {shares[1]:.0f}"
        good = abs(shares[0] - 68.3) <= tolerance and abs(shares[1] - 95) <= tolerance
        return text if good else f"**{text}**"


Coverages = dict[str, dict[str, Coverage]]
"""By stratum and quantity."""


@dataclass(frozen=True)
class Case:
    """A season, what is known of it, and its stack.

    truth: (p, 4, H, W), snow: (p, H, W) and cover: (H, W) of every ``STEP``-th pixel.
    """

    season: PreparedSeason
    stack: SeasonStack
    days: Array
    truth: Array
    snow: Array
    cover: Array

    @property
    def gaps(self) -> Iterator[tuple[str, Gap]]:
        """Gaps about the days on which the site's vegetation is half green, and midway."""
        greenness = np.array([self._greenness(day) for day in self.days])
        level = (greenness.min() + greenness.max()) / 2
        green = np.flatnonzero(greenness > level)
        centres = {"green-up": green[0], "peak": (green[0] + green[-1]) // 2, "green-down": green[-1]}
        for name, index in centres.items():
            middle = self.days[index].item()
            for length in GAP_DAYS:
                window = gap_window(middle, length, self.season.site_season)
                yield name, Gap(Transition.GIVEN, length, middle, MidpointRule.GIVEN, *window)

    def _greenness(self, day: np.datetime64) -> float:
        return float(_surface(self.season).greenness(day.item())[::10, ::10].mean())


_SURFACES: dict[str, Any] = {}


def _surface(season: PreparedSeason) -> Any:
    if season.title not in _SURFACES:
        grid = site_grid(season.site).fine
        _SURFACES[season.title] = season.landscape.view(grid.affine, (grid.height, grid.width))
    return _SURFACES[season.title]


def read_case(season: PreparedSeason) -> Case:
    days = np.array(season_days(season.site_season), "datetime64[D]")
    with season.store.read(PREPARED[Mode.BTI].of(season.site_season, STRATEGY)) as prepared:
        stack = read_stack(prepared, STRATEGY, Mode.BTI)
    surface = _surface(season)
    truth = np.stack([thin(surface.reflectance(day.item())) for day in days])
    white = np.stack([thin(surface.snow(day.item())) for day in days])
    return Case(season, stack, days, truth, white > SNOW, thin(surface.land_cover))


def thin(images: Array) -> Array:
    return np.ascontiguousarray(images[..., 1::STEP, 1::STEP])


def kriged(stack: SeasonStack, days: Array, *, measured: bool = False) -> tuple[Images, Images]:
    """Quantities and deviations by name of kriging, with GCC by kriging of GCC; measured: also without detail."""
    values, deviation = _of_bands(stack.kriging_plan.fuse(days))
    own = stack.gcc.kriging_plan.fuse(days)
    values[OF_GCC], deviation[OF_GCC] = thin(own.values[:, 0]), thin(own.quality.standard_deviation[:, 0])
    if measured:
        plain = _of_bands(stack.measured_plan.fuse(days))
        for name in ("nir", "ndvi"):
            values[f"{name} as measured"], deviation[f"{name} as measured"] = plain[0][name], plain[1][name]
    return values, deviation


def _of_bands(fused: Fused) -> tuple[Images, Images]:
    assert isinstance(fused.quality, KrigingQuality)
    values = {name: thin(image) for name, image in quantities(Prediction(fused.values)).items()}
    deviation = {name: thin(fused.quality.standard_deviation[:, band]) for band, name in enumerate(BANDS)}
    for name in INDICES:
        deviation[name] = thin(index_with_deviation(name, fused.values, fused.quality)[1])
    return values, deviation


def others(stack: SeasonStack, days: Array) -> Iterator[tuple[str, Images]]:
    """Quantities of every EFAST scenario and competitor, by method."""
    for scenario in SCENARIOS:
        if scenario.strategy is STRATEGY and scenario.method is Method.EFAST:
            found = quantities(Fusion(scenario).predict(stack, days))
            yield scenario.key, {name: thin(image) for name, image in found.items()}
    for method in PIXEL_METHODS:
        yield method.name, quantities(Prediction(method.fill(thin(stack.fine), stack.fine_days, days)))


def compare(mine: Images, stack: SeasonStack, days: Array, truth: Images, free: Array) -> dict[str, dict[str, Sums]]:
    """Sums by quantity of ``mine`` and other method."""
    table: dict[str, dict[str, Sums]] = {quantity: {} for quantity in mine}
    for name, images in others(stack, days):
        for quantity, image in mine.items():
            judged = VARIANTS.get(quantity, quantity)
            if judged in images:
                table[quantity][name] = _sums(image, images[judged], truth[judged], free)
    return table


def _sums(mine: Array, other: Array, truth: Array, free: Array) -> Sums:
    known = free & np.isfinite(truth)
    both = known & np.isfinite(mine) & np.isfinite(other)
    errors = [float(np.square((image - truth)[both].astype(np.float64)).sum()) for image in (mine, other)]
    return Sums(errors[0], errors[1], int(both.sum()), int(known.sum()))


def worst(cells: Mapping[str, Sums]) -> tuple[str, Sums]:
    """The other method beside which kriging does worst."""
    return max(cells.items(), key=lambda cell: cell[1].ratio if cell[1].common >= 50 else -np.inf)


def written(cells: Mapping[str, Sums]) -> str:
    """Kriging and the other method with the largest ratio; bold where kriging loses."""
    name, sums = worst(cells)
    if not sums.common:
        return "-"
    mine, its = (np.sqrt(total / sums.common) for total in (sums.kriging, sums.other))
    text = f"{mine:.4f} : {its:.4f} {name.removeprefix(f'{STRATEGY}_')} ({sums.ratio:.2f})"
    return f"**{text}**" if sums.ratio > 1 else text


def judge(case: Case, coverages: Sequence[Coverages]) -> tuple[list[str], dict[str, float]]:
    """Lines on one season, and the worst ratio of every gap and quantity."""
    truth, free = quantities(Prediction(case.truth)), ~case.snow
    mine, deviation = kriged(case.stack, case.days, measured=True)
    table = compare(mine, case.stack, case.days, truth, free)
    lines = [
        "",
        f"## {case.season.title}",
        "",
        "Whole season, kriging : the other method it does worst against (ratio).",
    ]
    lines += ["", f"| {' | '.join(table)} |", "|---" * len(table) + "|"]
    lines += [f"| {' | '.join(written(cells) for cells in table.values())} |"]
    add_coverage(case, truth, mine, deviation, coverages)
    heads = (*QUANTITIES, OF_GCC)
    lines += ["", f"| gap | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    ratios: dict[str, float] = {}
    for name, gap in case.gaps:
        inside = gap.holds(case.days)
        left = withheld(case.stack, gap).degraded
        known = {quantity: image[inside] for quantity, image in truth.items()}
        cells = compare(kriged(left, case.days[inside])[0], left, case.days[inside], known, free[inside])
        lines.append(f"| {gap.days} d, {name} | {' | '.join(written(cells[head]) for head in heads)} |")
        ratios |= {f"{gap.days} d, {name}, {head}": worst(cells[head])[1].ratio for head in heads}
    judged = [ratio for ratio in ratios.values() if np.isfinite(ratio)]
    return [*lines, "", _count(judged)], ratios


def _count(ratios: Sequence[float]) -> str:
    won, close = sum(ratio <= 1 for ratio in ratios), sum(1 < ratio <= TOLERATED for ratio in ratios)
    return (
        f"Of {len(ratios)} gap cells kriging is ahead of every other method in {won}, at most "
        f"{100 * (TOLERATED - 1):.0f} % behind in {close}, farther behind in {len(ratios) - won - close}."
    )


def add_coverage(case: Case, truth: Images, mine: Images, deviation: Images, coverages: Sequence[Coverages]) -> None:
    apart = thin(days_to_clear(case.stack, case.days))
    month = (case.days.astype("datetime64[M]").astype(int) % 12)[:, None, None]
    strata = {
        "all": np.ones(apart.shape, bool),
        "0-3 days to a scene": apart <= 3,
        "4-10 days": (apart > 3) & (apart <= 10),
        "over 10 days": apart > 10,
        **{
            name: np.broadcast_to(np.isin(month, months), apart.shape)
            for name, months in {
                "winter": (11, 0, 1),
                "spring": (2, 3, 4),
                "summer": (5, 6, 7),
                "autumn": (8, 9, 10),
            }.items()
        },
        **{cover.name.lower(): np.broadcast_to(case.cover == cover, apart.shape) for cover in Cover},
    }
    for quantity in (*QUANTITIES, OF_GCC):
        score = (mine[quantity] - truth[VARIANTS.get(quantity, quantity)]) / deviation[quantity]
        for name, where in strata.items():
            chosen = score[where & ~case.snow]
            for coverage in coverages:
                coverage[name].setdefault(quantity, Coverage()).add(chosen)


def report(groups: Mapping[str, tuple[str, ...]], folder: Path) -> str:
    keys = [key for group in groups.values() for key in group]
    lines = [
        "# Kriging against the truth",
        "",
        "RMSE on the snow-free pixels and days that both methods estimate (every third pixel in both directions),",
        "against the competitor or EFAST scenario that comes best beside it; bold where kriging loses.",
        "`gcc of itself`: GCC taken of each scene and kriged. Near infrared is measured with pixels of 20 m and",
        "judged on 10 m. Kriging predicts its detail from the other bands ([kriging.md](kriging.md)), the other",
        "methods do not; `as measured`: kriging without. On the sandbox bands say more of each other than elsewhere.",
        f"Written by `{command(groups)}`.",
        *independence(keys),
    ]
    pooled: Coverages = defaultdict(dict)
    ratios: list[float] = []
    for name, group in ((name, group) for name, group in groups.items() if group):
        coverage: Coverages = defaultdict(dict)
        lines += ["", f"# {name}"]
        for key in group:
            site_season, seed = key.split(":")
            case = read_case(prepared_season(site_season, int(seed), folder))
            found, cells = judge(case, (coverage, pooled))
            lines += found
            ratios += [ratio for ratio in cells.values() if np.isfinite(ratio)]
            sys.stderr.write("\n".join(found) + "\n")
        lines += covered(f"{name}: what the deviation covers", coverage)
    lines += ["", "# All seasons", "", _count(ratios), *covered("All seasons: what the deviation covers", pooled)]
    return "\n".join(lines) + "\n"


def command(groups: Mapping[str, tuple[str, ...]]) -> str:
    flags = (f"--{flag} {' '.join(group)}" for flag, group in zip(FLAGS, groups.values(), strict=True))
    return f"python -m benchmarks.kriging --folder SCRATCH {' '.join(flags)} --write docs/kriging-truth.md"


def independence(keys: Sequence[str]) -> list[str]:
    """Which seasons were looked at while what was made: those prove nothing of it."""
    lines = [
        "",
        "Looked at while it was made, so no proof of it:",
        "",
        "| season, seed | method | detail (nir, NDVI) |",
    ]
    lines.append("|---|---|---|")
    for key in keys:
        method = "yes" if key in TUNED else "its rules for snow and blame" if key in SNOW_SEEN else "no"
        lines.append(f"| {key.replace(':', ', ')} | {method} | {'yes' if key in DETAIL_SEEN else 'no'} |")
    return lines


def covered(title: str, coverage: Coverages) -> list[str]:
    heads = list(coverage["all"])
    lines = ["", f"## {title}", "", "Per cent of the true values within 1 and 1.96 deviations (68 and 95 are right)."]
    lines += ["", f"| stratum | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for stratum, cells in coverage.items():
        tolerance = 5 if stratum == "all" else 10
        lines.append(f"| {stratum} | {' | '.join(cells[head].cell(tolerance) for head in heads)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the seasons lie or are to be built")
    parser.add_argument("--cases", nargs="*", default=TUNED, help="site-seasons and seeds looked at before")
    parser.add_argument("--seen", nargs="*", default=SEEN, help="site-seasons and seeds judged before the last changes")
    parser.add_argument("--fresh", nargs="*", default=FRESH, help="site-seasons and seeds that were not looked at")
    parser.add_argument("--write", type=Path, help="write the tables as Markdown here")
    options = parser.parse_args()
    groups = {
        "Looked at while the method was made": tuple(options.cases),
        "Judged before the last changes": tuple(options.seen),
        "Judged when the method was done": tuple(options.fresh),
    }
    text = report(groups, options.folder)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
