"""Every pair of methods on one landscape, on what both estimate: by land cover and by the gap around a day."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from satfusion_assets.evaluation.calibration import grouped_calibration, pool
from satfusion_assets.evaluation.gaps.benchmark import QUANTITIES
from satfusion_assets.evaluation.pairs import pair_sums
from satfusion_assets.truth.scoring import DISTANCE_CLASSES, BoolArray, class_name
from satfusion_assets.truth.season import ScoredSeason
from satfusion_assets.vocabulary.scenarios import BANDS

Strata = dict[tuple[str, str], BoolArray]
"""(kind, stratum) -> which of the finest groups (cover by days to the nearest clear scene) it is made of."""


def pair_rows(season: ScoredSeason) -> Iterator[dict[str, Any]]:
    """One row per pair of methods, quantity and stratum of snow-free ground.

    n: pixels and days that both estimate. share: the part of the stratum that they are, so what is left out stands
    beside the score. rmse_a, rmse_b: of each there. A method with itself has its own pixels.
    """
    group, strata = _groups(season)
    pixels = np.bincount(group[group >= 0], minlength=_size(strata))
    names = list(season.names)
    for quantity in QUANTITIES:
        having = [name for name in names if quantity in season.images[name]]
        if not having:
            continue
        errors = np.stack([season.images[name][quantity] - season.true[quantity] for name in having])
        sums = pair_sums(errors.reshape(len(having), -1).astype(np.float32), group, _size(strata))
        for (kind, stratum), chosen in strata.items():
            total, of = int(pixels[chosen].sum()), sums[chosen].sum(axis=0)
            for i, j in [*((i, i) for i in range(len(having))), *combinations(range(len(having)), 2)]:
                n = int(of[i, j, 0])
                if not n:
                    continue
                yield {
                    "strategy": str(season.strategy),
                    "a": having[i],
                    "b": having[j],
                    "quantity": quantity,
                    "stratum_kind": kind,
                    "stratum": stratum,
                    "n": n,
                    "share": n / total,
                    "rmse_a": float(np.sqrt(of[i, j, 1] / n)),
                    "rmse_b": float(np.sqrt(of[j, i, 1] / n)),
                }


def calibration_rows(season: ScoredSeason) -> Iterator[dict[str, Any]]:
    """Per method, quantity and stratum: how often the truth lies within what the method states of itself."""
    group, strata = _groups(season)
    shape = season.snow_free.shape
    for name, prediction in season.predictions.items():
        if prediction.sd is None:
            continue
        stated = BANDS if prediction.values.shape[1] == len(BANDS) else ("gcc",)
        for band, quantity in enumerate(stated):
            sums = grouped_calibration(
                prediction.values[:, band],
                prediction.sd[:, band],
                season.true[quantity],
                season.snow_free,
                np.maximum(group, 0).reshape(shape),
                _size(strata),
            )
            for (kind, stratum), chosen in strata.items():
                scores = pool(sums[chosen]).scores()
                if scores["n"] and kind != "land_cover":
                    yield {
                        "strategy": str(season.strategy),
                        "method": name,
                        "quantity": quantity,
                        "stratum_kind": kind,
                        "stratum": stratum,
                        **scores,
                    }


def _groups(season: ScoredSeason) -> tuple[npt.NDArray[np.int64], Strata]:
    """Number of each pixel and day's group (p * H * W,), -1 under snow; strata as sets of groups."""
    first_days = np.array([first for first, _ in DISTANCE_CLASSES])
    distance = np.searchsorted(first_days, season.distance, side="right") - 1
    codes, cover = np.unique(season.truth.land_cover, return_inverse=True)
    number = cover.reshape(season.truth.land_cover.shape)[None] * len(DISTANCE_CLASSES) + distance
    of_cover, of_distance = np.divmod(np.arange(len(codes) * len(DISTANCE_CLASSES)), len(DISTANCE_CLASSES))
    covers = [season.truth.names.get(int(code), f"class {code}") for code in codes]
    strata: Strata = {("ground", "snow_free"): np.ones(of_cover.size, dtype=bool)}
    strata |= {("land_cover", name): of_cover == n for n, name in enumerate(covers)}
    strata |= {("days_to_clear", class_name(*limits)): of_distance == n for n, limits in enumerate(DISTANCE_CLASSES)}
    return np.where(season.snow_free, number, -1).ravel().astype(np.int64), strata


def _size(strata: Strata) -> int:
    return strata["ground", "snow_free"].size
