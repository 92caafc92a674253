"""What it costs that a product is on the disk before it is seen: publishing with and without waiting, by turns.

``python -m benchmarks.durability FOLDER`` publishes a season of fused images (366 files of four bands, 150 x 150
pixels) on the disk of FOLDER and prints the ratio of the medians; times themselves say little on a shared machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.product import FUSED
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteSeason

TURNS = 7
SEASON = SiteSeason("innsbruck", 2024)
LAYOUT = FusedLayout(Scenario.parse("aggressive_sigma20"))
GRID = GeoBox.from_bbox((675_000, 5_220_000, 676_500, 5_221_500), "EPSG:32632", resolution=10, tight=True)


def publish(root: Path, stack: np.ndarray) -> float:
    """Seconds that one publication takes, its pixels encoded."""
    days = [date(2024, 1, 1) + timedelta(n) for n in range(len(stack))]
    started = time.perf_counter()
    with ProductStore(root).publish(FUSED.of(SEASON, "aggressive_sigma20")) as draft:
        draft.write_stack([LAYOUT.image(day) for day in days], stack, GRID, band_names=("b02", "b03", "b04", "b8a"))
    return time.perf_counter() - started


def main(folder: Path) -> None:
    stack = np.random.default_rng(1).uniform(0, 0.5, (366, 4, 150, 150)).astype(np.float32)
    waits: dict[str, Callable[[int], None]] = {"with": os.fsync, "without": lambda _: None}
    seconds: dict[str, list[float]] = {name: [] for name in waits}
    with tempfile.TemporaryDirectory(dir=folder) as root:
        for turn in range(TURNS):
            for name, wait in waits.items():
                os.fsync = wait  # type: ignore[assignment]
                taken = publish(Path(root), stack)
                if turn:  # the first fills caches
                    seconds[name].append(taken)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    sys.stdout.write(
        f"with {medians['with']:.2f} s, without {medians['without']:.2f} s, "
        f"ratio {medians['with'] / medians['without']:.2f}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
