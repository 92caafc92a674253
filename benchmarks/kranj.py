"""A real benchmark: predict one Landsat image from the others and daily MODIS.

Kranj, Slovenia, 2020: Landsat 8 surface reflectance (30 m, six bands, days 68, 77, 93 and 100 of the year) and MODIS of
days 68 to 93 on the same grid, from https://github.com/JohMast/ImageFusion (BSD-3-Clause, commit 20b1133). Day 93 is
withheld. As both sensors come on one grid the fusion runs with ratio 1, and since MODIS ends on day 93, its value of
day 100 is held from there.

    SATFUSION_REAL_DATA=folder-with-kranj python benchmarks/kranj.py [--write docs/kranj-benchmark.md]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.salton_sea import covered, standardised, usual
from satfusion_assets.fusion.efast import Fused
from satfusion_assets.fusion.methods import Method, fuse

Array = NDArray[Any]
BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
TARGET = 93
FINE_DAYS = (68, 77, 100)
FULL_DISTANCE = 255.0
METHODS: Final[tuple[Method, ...]] = ("efast", "kriging")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    text = report(Path(os.environ.get("SATFUSION_REAL_DATA", "real_data")) / "kranj")
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def predictions(folder: Path) -> tuple[dict[str, Array], Fused, Array]:
    """Images (6, H, W) by method, kriging with its deviations, and the withheld image."""
    fine = {day: read_landsat(folder, day) for day in (*FINE_DAYS, TARGET)}
    coarse_days = np.arange(68, 94)
    coarse = np.stack([read(folder / "modis" / "filled" / f"2020{day:03d}_18-04_kranj.tif") for day in coarse_days])
    stack = np.stack([fine[day] for day in FINE_DAYS])
    distance = np.full((len(stack), *stack.shape[2:]), FULL_DISTANCE, np.float32)
    images = (coarse, calendar(coarse_days), stack, calendar(FINE_DAYS), distance)
    fused, kriged = (fuse(calendar([TARGET]), *images, ratio=1, method=method) for method in METHODS)
    share = (TARGET - 77) / (100 - 77)
    return (
        {
            "fusion (default)": fused.values[0],
            "kriging, all learned": kriged.values[0],
            "persistence of day 68": fine[68],
            "persistence of day 77": fine[77],
            "persistence of day 100": fine[100],
            "interpolation between days 77 and 100": (1 - share) * fine[77] + share * fine[100],
        },
        kriged,
        fine[TARGET],
    )


def report(folder: Path) -> str:
    methods, kriged, truth = predictions(folder)
    scores: dict[str, Callable[[Array, Array], float]] = {
        "RMSE": lambda p, t: float(np.sqrt(np.mean((p - t) ** 2))),
        "MAE": lambda p, t: float(np.mean(np.abs(p - t))),
        "bias": lambda p, t: float(np.mean(p - t)),
        "r": lambda p, t: float(np.corrcoef(p, t)[0, 1]),
    }
    lines = [
        "# Fusion of a withheld Landsat image: Kranj, day 93 of 2020",
        "",
        "Landsat 8 of days 68, 77 and 100 with daily MODIS of days 68 to 93 (30 m, 45 x 44 pixels; data:",
        "JohMast/ImageFusion, BSD-3-Clause). Reflectance units. Written by `benchmarks/kranj.py`.",
    ]
    for name, score in scores.items():
        lines += ["", f"## {name}", "", f"| method | {' | '.join(BANDS)} |", "|---|" + "---|" * len(BANDS)]
        for method, image in methods.items():
            known = np.isfinite(image) & np.isfinite(truth)
            row = [score(image[b][known[b]].astype(float), truth[b][known[b]].astype(float)) for b in range(len(BANDS))]
            lines.append(f"| {method} | " + " | ".join(f"{value:.4f}" for value in row) + " |")
    lines += ["", "## What the deviation of kriging covers", ""]
    lines += [
        "Per cent of the withheld values within 1 and 1.96 deviations (68 and 95 are right, within 5); with noise:"
    ]
    lines += ["the usual variance of a scene's values beside the surface is added.", ""]
    lines += [f"| deviation | {' | '.join(BANDS)} | all |", "|---" * (len(BANDS) + 2) + "|"]
    noises: dict[str, Array | float] = {"of the surface": 0.0, "with noise": usual(kriged)}
    for name, noise in noises.items():
        standard = standardised(kriged, truth, noise)
        lines.append(f"| {name} | {' | '.join(covered([part]) for part in (*standard, standard))} |")
    return "\n".join(lines) + "\n"


def read_landsat(folder: Path, day: int) -> Array:
    (path,) = (folder / "landsat" / "filled").glob(f"2020{day:03d}_*.tif")
    return read(path) / np.float32(10_000)


def read(path: Path) -> Array:
    with rasterio.open(path) as raster:
        image: Array = raster.read().astype(np.float32)
    return image


def calendar(days: Any) -> Array:
    """Days of 2020, counted from 1, as dates."""
    return np.datetime64("2019-12-31") + np.asarray(days)


if __name__ == "__main__":
    main()
