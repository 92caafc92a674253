"""How long the gap benchmark of one site-season takes, and what filling costs per method.

Makes its own inputs: a season of cloudy scenes at site size (150 x 150 fine, 5 x 5 coarse pixels) in two strategies.
Every method fills the scenes of one 90-day gap; the times stand as multiples of linear interpolation in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np

from satfusion_assets.evaluation.gaps.benchmark import Benchmark
from satfusion_assets.evaluation.gaps.competitors import PIXEL_METHODS, GapMethod
from satfusion_assets.evaluation.gaps.fusion import Fusion
from satfusion_assets.evaluation.gaps.stack import CloudPattern, withhold
from satfusion_assets.evaluation.gaps.starfm import Starfm
from satfusion_assets.evaluation.gaps.windows import calendar_gaps, midpoints
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.vocabulary.scenarios import SCENARIOS, Strategy
from satfusion_assets.vocabulary.sites import SiteSeason

HERE = SiteSeason("benchmark", 2024)
FIRST, SPAN = np.datetime64("2023-11-20"), 450
SIDE, COARSE, RATIO = 150, 5, 30


def season(scenes: int, seed: int) -> SeasonStack:
    """A landscape of random texture with one green season; three in ten coarse cells of a scene are clouded."""
    rng = np.random.default_rng(seed)
    scene_days = FIRST + np.sort(rng.choice(SPAN, scenes, replace=False))
    coarse_days = FIRST + np.arange(SPAN)
    base = np.array([0.05, 0.08, 0.06, 0.30])[:, None, None] * rng.normal(1, 0.2, (1, SIDE, SIDE)).clip(0.3)
    rise = np.array([-0.01, 0.01, -0.02, 0.15])[:, None, None] * rng.normal(1, 0.2, (1, SIDE, SIDE))
    cells = (4, COARSE, RATIO, COARSE, RATIO)
    coarse_base, coarse_rise = (field.reshape(cells).mean(axis=(2, 4)) for field in (base, rise))

    def greenness(days: np.ndarray) -> np.ndarray:
        return np.exp(-((((days - np.datetime64("2024-07-10")).astype(int)) / 60.0) ** 2))[:, None, None, None]

    fine = base + rise * greenness(scene_days) + rng.normal(0, 0.003, (scenes, 4, SIDE, SIDE))
    coarse = coarse_base + coarse_rise * greenness(coarse_days) + rng.normal(0, 0.003, (SPAN, 4, COARSE, COARSE))
    cloud = rng.random((scenes, 1, COARSE, COARSE)) < 0.3
    fine[np.broadcast_to(np.kron(cloud, np.ones((RATIO, RATIO), dtype=bool)), fine.shape)] = np.nan
    distance = np.where(cloud[:, 0], 0, 8)
    return SeasonStack(
        fine.astype(np.float32), scene_days, distance.astype(np.float32), coarse.astype(np.float32), coarse_days, RATIO
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starfm", action="store_true", help="also run STARFM")
    starfm = parser.parse_args().starfm
    stacks = {strategy: season(60 + 10 * n, seed=n) for n, strategy in enumerate(Strategy)}
    other_year = season(50, seed=9)
    pattern = CloudPattern(2023, other_year.fine_days - 366, other_year.clear, other_year.cloud_distance)
    gaps = calendar_gaps(HERE, midpoints(HERE, date(2024, 5, 1), date(2024, 9, 20)))
    stack = stacks[Strategy.AGGRESSIVE]
    held = withhold(stack, gaps[3])
    days = stack.fine_days[held.scenes]
    scenario = SCENARIOS[0]
    methods: list[GapMethod] = [*PIXEL_METHODS, Fusion(scenario), Fusion(scenario, states_sd=True)]
    names = [*(method.name for method in PIXEL_METHODS), "fusion", "fusion with its uncertainty"]
    if starfm:
        methods, names = [*methods, Starfm()], [*names, "starfm"]
    for method in methods:
        method.predict(held.degraded, days)  # compile before the clock starts
    cost = {
        name: timed(partial(method.predict, held.degraded, days))[1]
        for name, method in zip(names, methods, strict=True)
    }
    for name, seconds in cost.items():
        print(f"{name:28s} {seconds:7.2f} s CPU for {len(days)} days, {seconds / cost['linear']:6.1f} x linear")  # noqa: T201
    benchmark = Benchmark(HERE, 75, 75, gaps, dict.fromkeys(Strategy, pattern), starfm)
    wall, cpu = timed(lambda: benchmark.run(stacks))
    print(f"{'whole benchmark':28s} {wall:7.1f} s wall, {cpu:.1f} s CPU")  # noqa: T201


if __name__ == "__main__":
    main()
