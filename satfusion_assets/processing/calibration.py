"""Whether a stated standard deviation is the right one: coverage of its intervals, and CRPS.

CRPS of a normal forecast (Gneiting and Raftery 2007, JASA 102, 359): with z = (y - x) / s,
``s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))``; for s = 0 it is the absolute error, so a method without a stated
uncertainty is compared by its MAE. Lower is better.
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
    noise: float = 0.0,
) -> Calibration:
    """Calibration over the scored pixels that are finite in all three and have a positive total standard deviation.

    noise: standard deviation of the truth itself (a withheld scene is a measurement), added in quadrature.
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
    noise: float = 0.0,
) -> npt.NDArray[np.float64]:
    """The sums of each group of pixels: (groups, 6), to be pooled in any way; group: 0 ... groups - 1 of each pixel."""
    spread = np.hypot(sd.astype(np.float64), noise)
    error = truth.astype(np.float64) - predicted
    usable = scored & np.isfinite(error) & (spread > 0)
    spread, where = spread[usable], group[usable]
    z = error[usable] / spread
    columns = [np.ones_like(z), normal_crps(z, spread), spread, np.square(z)]
    columns += [np.abs(z) <= width for width in COVERAGES.values()]
    return np.stack([np.bincount(where, weights=column, minlength=groups) for column in columns], axis=1)


def pool(rows: npt.NDArray[np.float64]) -> Calibration:
    """One ``Calibration`` of several groups (k, 6)."""
    n, crps, sd, squared_z, *inside = rows.sum(axis=0).tolist()
    return Calibration(int(n), crps, sd, squared_z, tuple(int(count) for count in inside))


def normal_crps(z: npt.NDArray[np.float64], sd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CRPS of normal forecasts from standardised errors z and standard deviations sd."""
    density = np.exp(-0.5 * np.square(z)) / sqrt(2 * pi)
    return sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / sqrt(pi))
