"""Parts of our own beside the library that does the same: equal results, and the time of each, in turns.

``arch`` is not among the package's dependencies; its row is left out where it is not installed.

    pip install arch && python -m benchmarks.own_parts [--rounds 5] [--write docs/own-parts-benchmark.md]
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rasterio
import zarr
from odc.geo.geobox import GeoBox
from rasterio.transform import Affine
from scipy.linalg import solveh_banded

from satfusion_assets.evaluation.bootstrap import Bootstrap, weighted_scores
from satfusion_assets.phenology.whittaker import LAMBDA, smooth_pixels
from satfusion_assets.pipeline.pictures import palette
from satfusion_assets.pipeline.pictures.charts import Chart, number_of, span
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.store.shard_reader import shard_of
from satfusion_assets.store.small_rasters import write_rasters

Array = npt.NDArray[np.float64]
RNG: Final = np.random.default_rng(7)
DAYS: Final = 366
PIXELS: Final = 2_000
"""Pixels that are smoothed: an eleventh of a site."""
SCORED_DAYS: Final = 250
IMAGES: Final = 60
BANDS: Final = ("blue", "green", "red", "nir")


@dataclass(frozen=True)
class Pair:
    """ours, theirs: the same job; each returns its result. differs: how far two results are apart, in words."""

    part: str
    stock: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    differs: Callable[[Any, Any], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, help="write the table as Markdown here")
    options = parser.parse_args()
    text = report(options.rounds)
    if options.write:
        options.write.write_text(text)
    sys.stdout.write(text)


def report(rounds: int) -> str:
    lines = [
        "# Own parts beside libraries",
        "",
        "Each part of our own does what a library could do; both did the same job in turns, and the best CPU time of "
        f"{rounds} rounds counts.",
        "",
        "    pip install arch && python -m benchmarks.own_parts --write docs/own-parts-benchmark.md",
        "",
        "| part | library | CPU of the library / ours | results |",
        "|---|---|---|---|",
    ]
    for pair in pairs():
        ours, theirs = pair.ours(), pair.theirs()
        best = np.full(2, np.inf)
        for _ in range(rounds):
            best = np.minimum(best, [_seconds(pair.ours), _seconds(pair.theirs)])
        lines.append(f"| {pair.part} | {pair.stock} | {best[1] / best[0]:.1f} | {pair.differs(ours, theirs)} |")
    return "\n".join(lines) + "\n"


def _seconds(job: Callable[[], Any]) -> float:
    begun = process_time()
    job()
    return process_time() - begun


def pairs() -> Iterator[Pair]:
    series = RNG.normal(0.4, 0.05, (DAYS, PIXELS))
    series[RNG.random(series.shape) < 0.8] = np.nan
    yield Pair(
        f"Whittaker curves of {PIXELS} pixels",
        "scipy.linalg.solveh_banded, a call a pixel",
        lambda: smooth_pixels(series),
        lambda: _banded(series),
        lambda a, b: f"largest difference {np.nanmax(np.abs(a - b)):.0e}",
    )
    if find_spec("arch"):
        yield _bootstrap()
    yield _rasters()
    yield _pixels()
    yield _chart()


def _banded(values: Array) -> Array:
    out = np.full_like(values, np.nan)
    for pixel in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, pixel]))
        if known.size < 2 or known[-1] - known[0] < 2:
            continue
        part = slice(known[0], known[-1] + 1)
        y = values[part, pixel]
        out[part, pixel] = solveh_banded(_bands(np.isfinite(y)), np.nan_to_num(y), lower=True)
    return out


def _bands(observed: npt.NDArray[np.bool_]) -> Array:
    """W + lambda D'D, its diagonals as ``solveh_banded`` takes them."""
    n = observed.size
    bands = np.zeros((3, n))
    for k, factor in enumerate((1.0, -2.0, 1.0)):
        bands[0, k : n - 2 + k] += LAMBDA * factor**2
    bands[1, : n - 2] += -2 * LAMBDA
    bands[1, 1 : n - 1] += -2 * LAMBDA
    bands[2, : n - 2] = LAMBDA
    bands[0] += observed
    return bands


def _bootstrap() -> Pair:
    from arch.bootstrap import CircularBlockBootstrap  # type: ignore[import-not-found,unused-ignore]

    days = np.datetime64("2024-01-01") + np.arange(SCORED_DAYS)
    reference = RNG.normal(0.4, 0.05, SCORED_DAYS)
    predicted = reference + RNG.normal(0, 0.02, SCORED_DAYS)
    drawing = Bootstrap()

    def theirs() -> Array:
        drawn = CircularBlockBootstrap(drawing.block_days, predicted, reference, seed=1)
        return np.asarray(drawn.apply(_scores, drawing.draws))

    def ours() -> Array:
        return np.stack(list(weighted_scores(predicted, reference, drawing.weights(days)).values()), axis=1)

    def differs(a: Array, b: Array) -> str:
        return f"the same draws from one seed; largest difference of a score {np.abs(a - b).max():.0e}"

    return Pair(f"block bootstrap of five scores, {drawing.draws} draws", "arch", ours, theirs, differs)


def _scores(predicted: Array, reference: Array) -> Array:
    residual = predicted - reference
    nse = 1 - np.mean(residual**2) / reference.var()
    correlation = np.corrcoef(predicted, reference)[0, 1]
    return np.array([np.sqrt(np.mean(residual**2)), np.abs(residual).mean(), residual.mean(), nse, correlation])


def _rasters() -> Pair:
    transform = Affine(10, 0, 675_000, 0, -10, 5_221_000)
    geobox = GeoBox((150, 150), transform, "EPSG:32632")
    stack = np.round(RNG.normal(0.2, 0.05, (IMAGES, 4, 150, 150)) * 2**14).astype(np.float32) / np.float32(2**14)
    folder = Path(tempfile.mkdtemp())
    paths = [folder / f"{n}.tif" for n in range(IMAGES)]

    def ours() -> Array:
        write_rasters(paths, stack, geobox, band_names=BANDS, threads=1)
        return _read(paths)

    def theirs() -> Array:
        for path, image in zip(paths, stack, strict=True):
            with rasterio.open(
                path, "w", driver="GTiff", count=4, height=150, width=150, dtype="float32", crs="EPSG:32632",
                transform=transform, nodata=np.nan, compress="deflate", predictor=3, zlevel=1, tiled=True,
                blockxsize=256, blockysize=256, interleave="band",
            ) as dataset:  # fmt: skip
                dataset.write(image)
                dataset.descriptions = BANDS
        return _read(paths)

    return Pair(
        f"{IMAGES} rasters of a season, written and read",
        "rasterio, a dataset a file",
        ours,
        theirs,
        lambda a, b: "equal pixels" if np.array_equal(a, b) else "other pixels",
    )


def _pixels() -> Pair:
    path = Path(tempfile.mkdtemp()) / "pack.zarr"
    values = RNG.normal(0.2, 0.05, (DAYS, 4, 150, 150)).astype(np.float32)
    days = np.datetime64("2024-01-01") + np.arange(DAYS)
    write_pack(path, [PackLayer("fused", days, values, BANDS)], (10, 0, 675_000, 0, -10, 5_221_000), 32632)
    array: Any = zarr.open_group(path, mode="r")["fused"]
    places = [(slice(None), slice(None), slice(at, at + 1), slice(at, at + 1)) for at in range(0, 150, 10)]

    def ours() -> Array:
        shard = shard_of(path / "fused", array)
        assert shard is not None
        return np.stack([shard.read(place) for place in places])

    def theirs() -> Array:
        return np.stack([array[place] for place in places])

    return Pair(
        f"{len(places)} pixels' seasons read from a pack",
        "zarr",
        ours,
        theirs,
        lambda a, b: "equal values" if np.array_equal(a, b) else "other values",
    )


def _read(paths: list[Path]) -> Array:
    images = []
    for path in paths:
        with rasterio.open(path) as dataset:
            images.append(dataset.read())
    return np.stack(images)


def _chart() -> Pair:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    days = [date(2024, 1, 1) + timedelta(n) for n in range(DAYS)]
    xs, ys = np.array([number_of(day) for day in days]), 0.35 + 0.05 * np.sin(np.arange(DAYS) / 58)

    def ours() -> int:
        chart = Chart("innsbruck 2024", "GCC", (xs[0], xs[-1]), span(ys))
        chart.line(xs, ys, palette.FUSED, "fused")
        chart.points(xs[::5], ys[::5], palette.S2, "clear Sentinel-2")
        return len(chart.drawn().content)

    def theirs() -> int:
        figure, axes = plt.subplots(figsize=(9, 3))
        axes.plot(xs, ys, label="fused")
        axes.plot(xs[::5], ys[::5], "o", label="clear Sentinel-2")
        axes.legend()
        axes.set_title("innsbruck 2024")
        held = io.BytesIO()
        figure.savefig(held)
        plt.close(figure)
        return len(held.getvalue())

    return Pair("a chart of a season", "matplotlib's SVG", ours, theirs, lambda a, b: f"{a} bytes, the library {b}")


if __name__ == "__main__":
    main()
