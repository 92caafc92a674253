"""Whether a stated standard deviation is the right one: coverage of its intervals, and CRPS.

CRPS of a normal forecast (Gneiting and Raftery 2007, JASA 102, 359): with z = (y - x) / s,
``s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))``; for s = 0 it is the absolute error, so a method without a stated
uncertainty is compared by its MAE. Lower is better.

A truth that is itself a measurement has noise, and one that the method has not seen has a noise of which only the
levels of others are known. The forecast is then the mixture of the normals of all levels: heavier in the tails than
any one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

COVERAGES: Final = {"coverage_68": 1.0, "coverage_95": 1.959963984540054}
"""Name of each interval and its half-width in standard deviations (68.27 % and 95 % of a normal)."""


@dataclass(frozen=True)
class Calibration:
    """Sums over predictions with a stated standard deviation: number, CRPS, standard deviation, z^2, and how many
    truths lay within each interval.
    """

    n: int = 0
    crps: float = 0.0
    sd: float = 0.0
    squared_z: float = 0.0
    inside: tuple[int, ...] = (0,) * len(COVERAGES)

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(
            self.n + other.n,
            self.crps + other.crps,
            self.sd + other.sd,
            self.squared_z + other.squared_z,
            tuple(a + b for a, b in zip(self.inside, other.inside, strict=True)),
        )

    def scores(self) -> dict[str, float | int | None]:
        """n, mean CRPS, mean stated sd, root mean square z (1 = calibrated) and coverages; null without pixels."""
        if not self.n:
            return {"n": 0, "crps": None, "mean_sd": None, "z_rms": None, **dict.fromkeys(COVERAGES)}
        return {
            "n": self.n,
            "crps": self.crps / self.n,
            "mean_sd": self.sd / self.n,
            "z_rms": sqrt(self.squared_z / self.n),
            **{name: count / self.n for name, count in zip(COVERAGES, self.inside, strict=True)},
        }


def calibration(
    predicted: npt.NDArray[Any],
    sd: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    scored: npt.NDArray[np.bool_],
    noise: npt.NDArray[Any] | None = None,
) -> Calibration:
    """Calibration over the scored pixels that are finite in all three and have a positive total standard deviation.

    noise: (k,) equally likely standard deviations of the truth itself, added in quadrature; None = it has none.
    """
    everything = np.zeros(predicted.shape, dtype=np.int64)
    return pool(grouped_calibration(predicted, sd, truth, scored, everything, 1, noise))


def grouped_calibration(
    predicted: npt.NDArray[Any],
    sd: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    scored: npt.NDArray[np.bool_],
    group: npt.NDArray[np.int64],
    groups: int,
    noise: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.float64]:
    """The sums of each group of pixels: (groups, 6), to be pooled in any way; group: 0 ... groups - 1 of each pixel."""
    levels = np.zeros(1) if noise is None else noise.astype(np.float64)
    error = truth.astype(np.float64) - predicted
    usable = scored & np.isfinite(error) & (np.hypot(sd, levels.min()) > 0)
    where, error = group[usable], error[usable]
    spreads = np.hypot(sd[usable].astype(np.float64)[:, None], levels)
    spread = np.sqrt(np.square(spreads).mean(axis=1))
    within = interval(error, spreads)
    columns = [np.ones_like(error), mixture_crps(error, spreads), spread, np.square(error / spread)]
    columns += [within <= 2 * ndtr(width) - 1 for width in COVERAGES.values()]
    return np.stack([np.bincount(where, weights=column, minlength=groups) for column in columns], axis=1)


def interval(error: npt.NDArray[np.float64], spreads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probability (n,) of the smallest central interval that holds ``error`` (n,), under normals of ``spreads`` (n, k),
    equally likely.
    """
    inside: npt.NDArray[np.float64] = 2 * ndtr(np.abs(error)[:, None] / spreads).mean(axis=1) - 1
    return inside


def mixture_crps(error: npt.NDArray[np.float64], spreads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CRPS (n,) of equally likely normals of ``spreads`` (n, k): ``E|X - y| - E|X - X'| / 2`` (Grimit et al. 2006)."""
    levels = spreads.shape[1]
    crps = np.zeros(len(error))
    for one in range(levels):
        crps += normal_crps(error / spreads[:, one], spreads[:, one]) / levels
        for other in range(one):
            # normal_crps holds E|X - X'| / 2 of one level with itself; a pair's own lies above the mean of the two.
            pair, mean = np.hypot(spreads[:, one], spreads[:, other]), spreads[:, one] + spreads[:, other]
            crps -= (2 * pair - np.sqrt(2) * mean) / (np.sqrt(2 * pi) * levels**2)
    return crps


def pool(rows: npt.NDArray[np.float64]) -> Calibration:
    """One ``Calibration`` of several groups (k, 6)."""
    n, crps, sd, squared_z, *inside = rows.sum(axis=0).tolist()
    return Calibration(int(n), crps, sd, squared_z, tuple(int(count) for count in inside))


def normal_crps(z: npt.NDArray[np.float64], sd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CRPS of normal forecasts from standardised errors z and standard deviations sd."""
    density = np.exp(-0.5 * np.square(z)) / sqrt(2 * pi)
    return sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / sqrt(pi))
