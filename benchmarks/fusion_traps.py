"""How far the default mode and the authors' package differ, against a surface that is known.

A small landscape greens up pixel by pixel; both sensors see it with noise. Then one trap after the other is set, as it
comes in real data, and both modes are scored on the days and pixels that the trap touches.

    python benchmarks/fusion_traps.py [--write docs/fusion-traps.md]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast import fuse

Array = NDArray[Any]
SIDE, RATIO, BANDS, SCENES, NOISE = 6, 10, 2, 60, 0.01
DAYS = np.datetime64("2024-01-01") + np.arange(366)


@dataclass(frozen=True)
class Season:
    """A year of images and its truth (366, b, H, W); ``touched`` marks the truth that a trap concerns."""

    truth: Array
    coarse: Array
    coarse_days: Array
    fine: Array
    fine_days: Array
    cloud_distance: Array
    touched: Array
    options: dict[str, float] = field(default_factory=dict)

    def fuse(self, *, conformance: bool) -> Array:
        images = (self.coarse, self.coarse_days, self.fine, self.fine_days, self.cloud_distance)
        return fuse(DAYS, *images, ratio=RATIO, conformance=conformance, **self.options).values


def season() -> Season:
    """Images without any trap: nothing missing, nothing at the edge."""
    rng = np.random.default_rng(1)
    fine_side = SIDE * RATIO
    day = np.arange(-60, 426, dtype=float)[:, None, None, None]
    rise, fall = 110 + rng.normal(0, 6, (2, fine_side, fine_side)) + np.array([0, 160])[:, None, None]
    green = 1 / (1 + np.exp(-(day - rise) / 9)) - 1 / (1 + np.exp(-(day - fall) / 12))
    base, gain = (
        rng.uniform(0.05, 0.1, (BANDS, fine_side, fine_side)),
        rng.uniform(0.05, 0.3, (BANDS, fine_side, fine_side)),
    )
    surface = base + gain * green
    scenes = np.sort(rng.choice(np.arange(30, 456), SCENES, replace=False))
    coarse = surface.reshape(len(day), BANDS, SIDE, RATIO, SIDE, RATIO).mean(axis=(3, 5))
    days = DAYS[0] + np.arange(-60, 426)
    return Season(
        surface[60:426],
        (coarse + rng.normal(0, NOISE, coarse.shape)).astype(np.float32),
        days,
        (surface[scenes] + rng.normal(0, NOISE, surface[scenes].shape)).astype(np.float32),
        days[scenes],
        rng.uniform(0, 18, (SCENES, SIDE, SIDE)).astype(np.float32),
        np.ones(surface[60:426].shape, bool),
    )


def zeros_for_nodata(plain: Season) -> Season:
    gone = np.random.default_rng(2).random((len(plain.coarse), 1, SIDE, SIDE)) < 0.3
    return replace(plain, coarse=np.where(gone, np.float32(0), plain.coarse))


def coarse_pixel_never_seen(plain: Season) -> Season:
    coarse, touched = plain.coarse.copy(), np.zeros_like(plain.touched)
    coarse[:, :, 2, 3] = np.nan
    touched[:, :, RATIO : 4 * RATIO, 2 * RATIO : 5 * RATIO] = True
    return replace(plain, coarse=coarse, touched=touched)


def scenes_clear_in_one_half(plain: Season) -> Season:
    """A threshold on the area's mean weight drops scenes that are the best there are for some of its pixels."""
    distance = plain.cloud_distance.copy()
    distance[::2, :, : SIDE // 2], distance[1::2, :, SIDE // 2 :] = 1.5, 1.5
    return replace(plain, cloud_distance=distance, options={"minimum_acquisition_importance": 1.0})


def coarse_series_ends_in_spring(plain: Season) -> Season:
    known = plain.coarse_days <= DAYS[115]
    touched = np.zeros_like(plain.touched)
    touched[116:145] = True
    return replace(plain, coarse=plain.coarse[known], coarse_days=plain.coarse_days[known], touched=touched)


def dark_water(plain: Season) -> Season:
    """A pond whose first band is clipped to 0, in scenes and truth alike."""
    fine, truth, touched = plain.fine.copy(), plain.truth.copy(), np.zeros_like(plain.touched)
    pond = (Ellipsis, slice(20, 30), slice(20, 30))
    fine[:, 0][pond], truth[:, 0][pond] = 0, 0
    touched[:, 1][pond] = True
    return replace(plain, fine=fine, truth=truth, touched=touched)


def one_band_missing(plain: Season) -> Season:
    fine, touched = plain.fine.copy(), np.zeros_like(plain.touched)
    fine[::3, 1, 10:30, 10:30] = np.nan
    touched[:, 1, 10:30, 10:30] = True
    return replace(plain, fine=fine, touched=touched)


TRAPS: dict[str, Callable[[Season], Season]] = {
    "no trap": lambda plain: plain,
    "2: coarse nodata stored as 0 (30 % of values)": zeros_for_nodata,
    "3: a coarse pixel that is never seen": coarse_pixel_never_seen,
    "4: scenes clear in one half of the area (importance 1)": scenes_clear_in_one_half,
    "5: the coarse series ends in the green-up": coarse_series_ends_in_spring,
    "6: dark water, clipped to 0 in the first band": dark_water,
    "6: a band missing in every third scene": one_band_missing,
}


def report() -> str:
    lines = [
        "# The default mode beside the authors' package",
        "",
        "Root mean square error against a known surface where the trap bites, and the share of values missing there.",
        "Numbers of the traps as in `docs/fusion.md`. Written by `benchmarks/fusion_traps.py`.",
        "",
        "| trap | default RMSE | package RMSE | default missing | package missing | largest difference |",
        "|---|---|---|---|---|---|",
    ]
    plain = season()
    for name, trap in TRAPS.items():
        trapped = trap(plain)
        ours, theirs = (trapped.fuse(conformance=mode) for mode in (False, True))
        cells = [f"{_rmse(values, trapped):.4f}" for values in (ours, theirs)]
        cells += [f"{np.isnan(values[trapped.touched]).mean():.1%}" for values in (ours, theirs)]
        difference = np.abs(ours - theirs)[trapped.touched]
        cells.append(f"{np.nanmax(difference):.1e}" if np.isfinite(difference).any() else "-")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _rmse(values: Array, season: Season) -> float:
    errors = (values - season.truth)[season.touched]
    known = np.isfinite(errors)
    return float(np.sqrt(np.mean(errors[known] ** 2))) if known.any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    text = report()
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
