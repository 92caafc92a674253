"""A real benchmark with a season's rhythm: HLS near infrared from its other scenes and daily VIIRS.

Imperial Valley by the Salton Sea, October and November 2020: HLS of 70 m and VIIRS VNP43 of 490 m on one corner
(ratio 7), from the STARS.jl examples (Apache-2.0; NASA open data). All scenes within 0, 8, 12 and 20 days of each
target are withheld and the target predicted. The scene of 2020-11-26 is stretched in contrast and flagged by nothing:
once taken out, once left in. Every hyper-parameter is learned, anew for each target and gap, from what is left.

    SATFUSION_REAL_DATA=folder-with-salton_sea python benchmarks/salton_sea.py [--write docs/salton-sea-benchmark.md]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from numpy.typing import NDArray

from satfusion_assets.evaluation.gaps.competitors import LINEAR, NEAREST, WHITTAKER
from satfusion_assets.fusion.efast import Fused
from satfusion_assets.fusion.kriging import KrigingQuality
from satfusion_assets.fusion.methods import fuse

Array = NDArray[Any]
TARGETS: Final = ("2020-10-25", "2020-10-27", "2020-11-10", "2020-11-11", "2020-11-21")
BAD: Final = np.datetime64("2020-11-26")
GAPS: Final = (0, 8, 12, 20)
SIGMAS: Final = (5, 10, 20)
RATIO: Final = 7
FULL_DISTANCE: Final = 255.0
KRIGING: Final = "kriging"
LEVELS: Final = (1.0, 1.96)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="*", default=TARGETS, help="days to be predicted")
    parser.add_argument("--write", type=Path, help="write the tables as Markdown here")
    options = parser.parse_args()
    folder = Path(os.environ.get("SATFUSION_REAL_DATA", "real_data")) / "salton_sea"
    text = report(folder, [np.datetime64(day) for day in options.targets])
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(folder: Path, targets: list[np.datetime64]) -> str:
    fine, fine_days = read(folder / "fine")
    coarse, coarse_days = read(folder / "coarse")
    seen = np.isfinite(fine).any(axis=(1, 2, 3))
    fine, fine_days = fine[seen], fine_days[seen]
    lines = [
        "# A real season: near infrared by the Salton Sea",
        "",
        "HLS (70 m) from its other scenes and daily VIIRS (490 m); RMSE over all targets, all scenes within the gap",
        f"withheld. Targets: {', '.join(str(day) for day in targets)}.",
        "Hyper-parameters of kriging are learned anew each time from what is left. Covered: per cent of the target's",
        "values within 1 and 1.96 deviations of the prediction (68 and 95 are right, within 5). The deviation is of",
        "the surface; a scene shows it with noise and an effect of its own, whose variance is added: that of the",
        "target, as the whole series tells it, or the usual one of the scenes left. Written by",
        "`benchmarks/salton_sea.py`.",
    ]
    for title, left_out in (("The wrong scene of 2020-11-26 taken out", BAD), ("The wrong scene left in", None)):
        use = fine_days != left_out if left_out is not None else np.ones(len(fine_days), bool)
        errors: dict[str, dict[int, list[Array]]] = defaultdict(lambda: defaultdict(list))
        scores: dict[str, dict[int, list[Array]]] = defaultdict(lambda: defaultdict(list))
        own = scene_noise(fine[use], fine_days[use], coarse, coarse_days)
        for gap in GAPS:
            for day in targets:
                keep = use & (np.abs((fine_days - day).astype(int)) > gap)
                truth = fine[fine_days == day][0]
                for method, fused in predictions(fine[keep], fine_days[keep], coarse, coarse_days, day):
                    image = fused.values[0] if isinstance(fused, Fused) else fused
                    errors[method][gap].append(image - truth)
                    if method == KRIGING and isinstance(fused, Fused):
                        noises: dict[str, Array | float] = {
                            "surface only": 0.0,
                            "with its own noise": own[day],
                            "with usual noise": usual(fused),
                        }
                        for name, variance in noises.items():
                            scores[name][gap].append(standardised(fused, truth, variance))
        lines += ["", f"## {title}", "", f"| method | {' | '.join(f'+-{gap} d' for gap in GAPS)} |", "|---" * 5 + "|"]
        for method, by_gap in errors.items():
            cells = [_rmse(by_gap[gap]) for gap in GAPS]
            lines.append(f"| {method} | {' | '.join(cells)} |")
        lines += ["", "| kriging covers | " + " | ".join(f"+-{gap} d" for gap in GAPS) + " | all |", "|---" * 6 + "|"]
        for name, found in scores.items():
            together = [*found.values(), [score for gap in GAPS for score in found[gap]]]
            lines.append(f"| {name} | {' | '.join(covered(part) for part in together)} |")
    return "\n".join(lines) + "\n"


def predictions(
    fine: Array, fine_days: Array, coarse: Array, coarse_days: Array, day: np.datetime64
) -> Iterator[tuple[str, Fused | Array]]:
    """What every method makes of ``day`` from the same scenes: a fusion, or an image (b, H, W)."""
    images = _images(fine, fine_days, coarse, coarse_days)
    days = np.array([day])
    yield KRIGING, fuse(days, *images, ratio=RATIO, method="kriging")
    for sigma in SIGMAS:
        yield f"EFAST, sigma {sigma}", fuse(days, *images, ratio=RATIO, sigma=float(sigma))
    for method in (LINEAR, WHITTAKER, NEAREST):
        yield method.name, method.fill(fine, fine_days, days)[0]


def scene_noise(fine: Array, fine_days: Array, coarse: Array, coarse_days: Array) -> dict[np.datetime64, Array]:
    """Variance (b,) by day of what a scene has beside the surface, learned from the whole series."""
    images = _images(fine, fine_days, coarse, coarse_days)
    found = beside_surface(fuse(fine_days[:1], *images, ratio=RATIO, method="kriging"))
    return dict(zip(np.unique(fine_days), found, strict=True))


def usual(fused: Fused) -> Array:
    """Variance (b,) that half of the scenes have beside the surface."""
    middle: Array = np.median(beside_surface(fused), axis=0)
    return middle


def beside_surface(fused: Fused) -> Array:
    """Variance (n, b) of each scene's values: noise and effect, as kriging has learned them."""
    assert isinstance(fused.quality, KrigingQuality)
    settings = fused.quality.hyperparameters
    return settings.noise + settings.offset**2


def standardised(fused: Fused, truth: Array, noise: Array | float) -> Array:
    """Errors (b, H, W) of the first day over what they should be, beside a ``truth`` with ``noise`` (b,)."""
    surface = np.square(fused.quality.standard_deviation[0], dtype=np.float64)
    return (fused.values[0] - truth) / np.sqrt(surface + np.reshape(noise, (-1, 1, 1)))


def _images(fine: Array, fine_days: Array, coarse: Array, coarse_days: Array) -> tuple[Array, ...]:
    distance = np.full((len(fine), *coarse.shape[2:]), FULL_DISTANCE, np.float32)
    return coarse, coarse_days, fine, fine_days, distance


def _rmse(errors: list[Array]) -> str:
    """RMSE, with the share of pixels that the method says anything of where that is not all."""
    together = np.concatenate([error.ravel() for error in errors])
    known = np.isfinite(together)
    if not known.any():
        return "-"
    silent = max(float(np.isnan(error).mean()) for error in errors)
    note = " (not all targets)" if silent > 0.5 else ""
    return f"{np.sqrt(np.mean(together[known] ** 2)):.4f}{note}"


def covered(scores: list[Array]) -> str:
    """Per cent of standardised errors within each of ``LEVELS``."""
    sizes = np.abs(np.concatenate([score.ravel() for score in scores]))
    return " / ".join(f"{100 * np.mean(sizes[np.isfinite(sizes)] <= level):.0f}" for level in LEVELS)


def read(folder: Path) -> tuple[Array, Array]:
    """Images (n, 1, H, W), NaN = missing, and their days, ascending."""
    paths = sorted(folder.glob("*.tif"))
    images = []
    for path in paths:
        with rasterio.open(path) as raster:
            image = raster.read().astype(np.float64)
        images.append(np.where(np.isfinite(image) & (image > -1), image, np.nan).astype(np.float32))
    return np.stack(images), np.array([path.name[:10] for path in paths], "datetime64[D]")


if __name__ == "__main__":
    main()
