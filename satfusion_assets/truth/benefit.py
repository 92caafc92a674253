"""What fusing adds for a camera: series read through its footprint, with and without the other sensor.

A camera shows some hundreds of square metres. Here every series is read through that footprint: Sentinel-3, Sentinel-2
filled by each method that knows it alone, and each fusion, all on the target's scale (`evaluation.footprints`). Fine
structure matters on a day and at a place where even the true mean of the 300 m cell, mapped the same way, misses what
the footprint shows by ``FINE``: only there can a fusion add anything to 300 m data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from satfusion_assets.evaluation.footprints import COARSE, calibrated_errors, readings, spread
from satfusion_assets.fusion.season import Days
from satfusion_assets.sampling.footprint import read_footprints
from satfusion_assets.truth.season import ScoredSeason

FloatArray = npt.NDArray[np.float64]

FINE: Final = 0.01
"""GCC by which the best 300 m series must miss the footprint for fine structure to matter: a tenth of the season of a
meadow or wood, and several times a camera's scatter from day to day (Sonnentag et al. 2012)."""
TESTED: Final = ("all", "fine", "coarse")
LEAST_SNOW_FREE: Final = 0.95
"""Share of the footprint without snow on a day that counts: snow is masked in every Sentinel-2 image."""


@dataclass(frozen=True)
class Cameras:
    """Cameras on the landscape. weights: (k, H * W) footprints. covers: (k,) what each mostly shows.

    seen: (p, k) GCC as the cameras show it on the judged days, NaN = no picture. kind: ``camera`` for one that has its
    own colours and faults, ``place`` for the truth in a footprint somewhere.
    """

    kind: str
    weights: csr_matrix
    covers: tuple[str, ...]
    seen: FloatArray


def true_series(season: ScoredSeason, weights: csr_matrix) -> FloatArray:
    """(p, k): the true GCC in each footprint."""
    return read_footprints(season.true["gcc"], weights)


def benefit_rows(season: ScoredSeason, cameras: Cameras) -> Iterator[dict[str, Any]]:
    """Per pair of a fusion and something else, stratum and day: number of cameras and both sums of squared errors.

    Strata: ``TESTED``, all and where fine structure matters and where not; and by cover. Two fusions are a pair once.
    """
    free = read_footprints(season.snow_free.astype(np.float32), cameras.weights) >= LEAST_SNOW_FREE
    target = np.where(free, cameras.seen, np.nan)
    cells = calibrated_errors(season.days, _true_cells(season, cameras.weights), target)
    images = {name: of["gcc"] for name, of in season.images.items()}
    errors = {
        name: calibrated_errors(season.days, read, target)
        for name, read in readings(season.stack, images, season.days, cameras.weights).items()
    }
    strata: dict[str, npt.NDArray[np.bool_]] = {
        "all": np.isfinite(cells),
        "fine": np.abs(cells) >= FINE,
        "coarse": np.abs(cells) < FINE,
    }
    covers = np.array(cameras.covers)
    strata |= {name: strata["all"] & (covers == name) for name in sorted(set(cameras.covers))}
    for number, fusion in enumerate(season.fusions):
        alone = (name for name in season.names if name not in season.fusions)
        for other in (*COARSE, *alone, *season.fusions[number + 1 :]):
            pair = errors[fusion], errors[other]
            head = {"target": cameras.kind, "strategy": str(season.strategy), "a": fusion, "b": other}
            for stratum, chosen in strata.items():
                yield from _daily(head | {"stratum": stratum}, season.days, chosen, *pair)


def _true_cells(season: ScoredSeason, weights: csr_matrix) -> FloatArray:
    """(p, k): the best that 300 m can say, the true mean of the cells under each footprint."""
    true, ratio = season.true["gcc"], season.stack.ratio
    days, height, width = true.shape
    cells = true.reshape(days, height // ratio, ratio, width // ratio, ratio).mean(axis=(2, 4))
    return read_footprints(spread(cells, ratio), weights)


def _daily(
    head: Mapping[str, Any], days: Days, chosen: npt.NDArray[np.bool_], first: FloatArray, second: FloatArray
) -> Iterator[dict[str, Any]]:
    """Sums over the cameras that both sources have on a day."""
    both = chosen & np.isfinite(first) & np.isfinite(second)
    squares = [np.where(both, error, 0.0) ** 2 for error in (first, second)]
    count, one, other = (layer.sum(axis=1) for layer in (both.astype(int), *squares))
    for day, n, sse_a, sse_b in zip(days, count.tolist(), one.tolist(), other.tolist(), strict=True):
        if n:
            yield {**head, "day": str(day), "n": n, "sse_a": sse_a, "sse_b": sse_b}
