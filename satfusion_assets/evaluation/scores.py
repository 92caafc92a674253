"""Scores of a series against the camera, and the roll-up of a site-season: the contract's metrics.json.

With x the series, y the camera on their common days: ``NSE = 1 - sum((y - x)^2) / sum((y - mean(y))^2)`` (Nash and
Sutcliffe 1970), ``nRMSE = RMSE / mean(y)``, residual = x - y. The contract's ``r_squared`` and ``nse_pc`` are other
names of NSE. What a degenerate input leaves undefined is null: correlation of a constant series, NSE of a constant
truth, everything on fewer than two common days. The square of ``pearson_r`` is ``pearson_r2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from satfusion_assets.phenology.whittaker import LAMBDA, smooth_series
from satfusion_assets.sampling.series import DailySeries
from satfusion_assets.vocabulary.scenarios import SIGMAS, Mode, Scenario, Sigma, Strategy

FloatArray = npt.NDArray[np.float64]
Scores = dict[str, Any]

WHITTAKER_KEY: Final = f"s2_whittaker_lambda{LAMBDA:.0f}"
MASKED_WHITTAKER_KEY: Final = f"s2_masked_whittaker_lambda{LAMBDA:.0f}"


@dataclass(frozen=True)
class Paired:
    """Two series on their common days: predicted x against the reference y."""

    days: npt.NDArray[np.datetime64]
    predicted: FloatArray
    reference: FloatArray

    def __len__(self) -> int:
        return len(self.days)


def pair(predicted: DailySeries, reference: DailySeries) -> Paired:
    """The days that both series have."""
    days, left, right = np.intersect1d(predicted.days, reference.days, assume_unique=True, return_indices=True)
    return Paired(days, predicted.values[left], reference.values[right])


def temporal_scores(predicted: DailySeries, reference: DailySeries) -> Scores | None:
    """The contract's scores on common days; None when there are fewer than two."""
    common = pair(predicted, reference)
    if len(common) < 2:
        return None
    x, y = common.predicted, common.reference
    residual = x - y
    efficiency = nse(x, y)
    mean = float(y.mean())
    return {
        "pearson_r": pearson(x, y),
        "r_squared": efficiency,
        "rmse": rmse(residual),
        "mae": float(np.abs(residual).mean()),
        "nrmse": rmse(residual) / mean if mean != 0 else None,
        "nse_pc": efficiency,
        "nse": efficiency,
        "n_samples": len(common),
        "date_range": {"start": str(common.days[0]), "end": str(common.days[-1])},
        "residual_vs_phenocam": {
            "mean": float(residual.mean()),
            "std": float(residual.std()),
            "mae": float(np.abs(residual).mean()),
            "rmse": rmse(residual),
            "n_samples": len(common),
        },
    }


def series_scores(predicted: DailySeries, reference: DailySeries) -> Scores | None:
    """The contract's scores, and the coefficient of determination that the name of its ``r_squared`` promises.

    pearson_r2: share of the reference's variance that a line through the series explains, free of bias and gain.
    """
    found = temporal_scores(predicted, reference)
    if found is None:
        return None
    r = found["pearson_r"]
    return found | {"pearson_r2": None if r is None else r**2}


def rmse(residual: FloatArray) -> float:
    """Root of the mean squared residual."""
    return float(np.sqrt(np.mean(np.square(residual))))


def nse(predicted: FloatArray, reference: FloatArray) -> float | None:
    """Nash-Sutcliffe efficiency; None when the reference is constant."""
    if reference.size == 0 or np.ptp(reference) == 0:
        return None
    squares = np.square(reference - reference.mean()).sum()
    return float(1 - np.square(reference - predicted).sum() / squares)


def pearson(x: FloatArray, y: FloatArray) -> float | None:
    """Pearson's correlation; None when either side is constant or there are fewer than two values."""
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    return float(np.clip((dx @ dy) / np.sqrt((dx @ dx) * (dy @ dy)), -1, 1))


def phenocam_stats(camera: DailySeries) -> Scores | None:
    """Mean, population standard deviation, extremes and number of the camera's values; None without any."""
    if not len(camera):
        return None
    values = camera.values
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
        "n_samples": len(values),
    }


@dataclass(frozen=True)
class SeasonSeries:
    """GCC series of one site-season.

    camera: gcc_90. fused: per scenario. s2_all: every Sentinel-2 scene of the season. s2_cloudfree: per strategy, the
    raw scenes that its pre-selection kept, with the margins around the season and without any mask: what the contract's
    key means. s2_masked, s3: per strategy, the prepared images and composites within the season.
    """

    camera: DailySeries
    fused: Mapping[Scenario, DailySeries]
    s2_all: DailySeries
    s2_cloudfree: Mapping[Strategy, DailySeries]
    s3: Mapping[Strategy, DailySeries]
    s2_masked: Mapping[Strategy, DailySeries] = field(default_factory=dict)

    @cached_property
    def s2_whittaker(self) -> dict[Strategy, DailySeries]:
        """The kept raw scenes' series, smoothed."""
        return {strategy: smooth_series(series, LAMBDA) for strategy, series in self.s2_cloudfree.items()}

    @cached_property
    def by_strategy(self) -> dict[str, Mapping[Strategy, DailySeries]]:
        """The series without fusion that a strategy has, by their key in metrics.json."""
        smoothed = {strategy: smooth_series(series, LAMBDA) for strategy, series in self.s2_masked.items()}
        return {
            "s2_cloudfree": self.s2_cloudfree,
            WHITTAKER_KEY: self.s2_whittaker,
            "s2_masked": self.s2_masked,
            MASKED_WHITTAKER_KEY: smoothed,
            "s3": self.s3,
        }

    @property
    def baselines(self) -> dict[str, DailySeries]:
        """Every series that needs no fusion, by its name in tables (``s2``, ``s2_cloudfree_aggressive``)."""
        named = {f"{name}_{key}": series for name, of in self.by_strategy.items() for key, series in of.items()}
        return {"s2": self.s2_all, **named}


def season_metrics(season: SeasonSeries, temporal: Mapping[str, Scores | None]) -> Scores:
    """metrics.json of one site-season (scores None = null); temporal: of each scenario by its score key."""
    return {
        "phenocam_stats": phenocam_stats(season.camera),
        "temporal": dict(temporal),
        "baseline": baselines(season),
        "derived": derived(temporal),
    }


def baselines(season: SeasonSeries) -> Scores:
    """What each source scores without any fusion."""

    def scored(by_strategy: Mapping[Strategy, DailySeries]) -> Scores:
        return {str(key): series_scores(series, season.camera) for key, series in by_strategy.items()}

    named = {name: scored(by_strategy) for name, by_strategy in season.by_strategy.items()}
    return {"s2": series_scores(season.s2_all, season.camera), **named}


def derived(temporal: Mapping[str, Scores | None]) -> Scores:
    """Comparisons of scenarios: sigma 20 against 30, and the mean residual of BtI beside ItB."""

    def score(strategy: Strategy, mode: Mode, sigma: Sigma) -> Scores | None:
        return temporal.get(Scenario(strategy, mode, sigma).score_key)

    def nse_difference(strategy: Strategy, mode: Mode) -> float | None:
        low, high = score(strategy, mode, 20), score(strategy, mode, 30)
        if low is None or high is None or low["nse_pc"] is None or high["nse_pc"] is None:
            return None
        return low["nse_pc"] - high["nse_pc"]

    def mean_residual(strategy: Strategy, mode: Mode, sigma: Sigma) -> float | None:
        found = score(strategy, mode, sigma)
        return None if found is None else found["residual_vs_phenocam"]["mean"]

    return {
        "delta_nse_pc_sigma20_minus_sigma30": {
            str(mode): {str(strategy): nse_difference(strategy, mode) for strategy in Strategy} for mode in Mode
        },
        "bti_vs_itb_mean_residual": [
            {
                "strategy": str(strategy),
                "sigma": sigma,
                "mean_residual_bti": mean_residual(strategy, Mode.BTI, sigma),
                "mean_residual_itb": mean_residual(strategy, Mode.ITB, sigma),
            }
            for strategy in Strategy
            for sigma in SIGMAS
        ],
    }
