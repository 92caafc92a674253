"""Detail of near infrared on real images: seen with pixels twice as large, and told by the bands with small ones.

Each image's near infrared is averaged over 2 x 2 pixels and spread back, so that its own detail is known and withheld.

    SATFUSION_REAL_DATA=... python -m benchmarks.detail [--write docs/detail-benchmark.md]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.calibration import NIR, as_measured
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging.detail import learn_detail, sharpen

Array = NDArray[np.float64]
STEP: Final = 8
"""Images are cut to whole pixels of twice twice the size, and no more than a few rows are lost."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    text = report(Path(os.environ["SATFUSION_REAL_DATA"]))
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(folder: Path) -> str:
    lines = [
        "# Detail of near infrared, withheld from real images",
        "",
        "Near infrared of every image is averaged over 2 x 2 pixels and spread back bilinearly; its detail, then",
        "known, is told by blue, green and red. RMS in units of the files. Best slopes: fitted to the withheld detail",
        "itself, as no method can. Data: Sentinel-2 L2A of Innsbruck (Copernicus), Landsat 8 of Kranj",
        "(JohMast/ImageFusion). Written by `python -m benchmarks.detail`.",
        "",
        "| image | pixels | detail | left by slopes | share | left by best slopes | share |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, pixel, bands in images(folder):
        known, ours, best = left(bands)
        shares = (f"{size:.1f} | {100 * size / known:.0f} %" for size in (ours, best))
        lines.append(f"| {name} | {pixel:.0f} m | {known:.1f} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def images(folder: Path) -> Iterator[tuple[str, float, Array]]:
    """Name, pixel size and bands (4, H, W) of every image whose near infrared is known."""
    for path in sorted((folder / "s2_innsbruck").glob("*_B8A.tif")):
        scene = path.name.removesuffix("_B8A.tif")
        near, pixel = read(path)
        small = np.concatenate([read(path.with_name(f"{scene}_{band}.tif"))[0] for band in ("B02", "B03", "B04")])
        height, width = near.shape[1:]
        means = small[:, : 2 * height, : 2 * width].reshape(3, height, 2, width, 2).mean(axis=(2, 4))
        yield scene, pixel, cut(np.concatenate([means, near]))
    for path in sorted((folder / "kranj" / "landsat" / "filled").glob("*_kranj.tif")):
        bands, pixel = read(path)
        yield f"Kranj, day {path.name[4:7]} of {path.name[:4]}", pixel, cut(bands[:4])


def read(path: Path) -> tuple[Array, float]:
    with rasterio.open(path) as raster:
        return raster.read().astype(np.float64), float(raster.res[0])


def cut(bands: Array) -> Array:
    height, width = (size // STEP * STEP for size in bands.shape[1:])
    return bands[:, :height, :width]


def left(bands: Array) -> tuple[float, float, float]:
    """RMS of the withheld detail of near infrared, of what the learned slopes leave of it, and the best ones."""
    seen = as_measured(bands)
    stack = Images(np.empty(0), np.empty(0, np.int64), seen[None], np.zeros(1, np.int64), np.arange(1), np.empty(0))
    detail = learn_detail(stack)
    if detail is None:
        raise ValueError("Near infrared shows no larger pixels.")
    missing, sharp = bands[NIR] - seen[NIR], seen.copy()
    told = sharpen(sharp, 0, detail)[NIR]
    others = np.stack([band - as_measured(np.stack([band] * 4))[NIR] for band in bands[:NIR]], axis=-1)
    slopes = np.linalg.lstsq(others.reshape(-1, 3), missing.ravel(), rcond=None)[0]
    return rms(missing), rms(missing - told), rms(missing - others @ slopes)


def rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


if __name__ == "__main__":
    main()
