"""Whether a stated standard deviation is the right one: coverage of its intervals, and CRPS.

CRPS of a normal forecast (Gneiting and Raftery 2007, JASA 102, 359): with z = (y - x) / s,
``s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))``; for s = 0 it is the absolute error, so a method without a stated
uncertainty is compared by its MAE. Lower is better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import pi, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

COVERAGES: Final = {"coverage_68": 1.0, "coverage_95": 1.959963984540054}
"""Name of each interval and its half-width in standard deviations (68.27 % and 95 % of a normal)."""


@dataclass
class Calibration:
    """Running sums over predictions with a stated standard deviation."""

    n: int = 0
    crps: float = 0.0
    sd: float = 0.0
    squared_z: float = 0.0
    inside: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COVERAGES, 0))

    def add(
        self,
        predicted: npt.NDArray[Any],
        sd: npt.NDArray[Any],
        truth: npt.NDArray[Any],
        scored: npt.NDArray[np.bool_],
        noise: float = 0.0,
    ) -> None:
        """Add the scored pixels that are finite in all three and whose total standard deviation is positive.

        noise: standard deviation of the truth itself (a withheld scene is a measurement), added in quadrature.
        """
        usable = scored & np.isfinite(predicted) & np.isfinite(sd) & np.isfinite(truth)
        spread = np.hypot(sd[usable].astype(np.float64), noise)
        error = truth[usable].astype(np.float64) - predicted[usable]
        error, spread = error[spread > 0], spread[spread > 0]
        z = error / spread
        self.n += z.size
        self.crps += float(normal_crps(z, spread).sum())
        self.sd += float(spread.sum())
        self.squared_z += float(np.square(z).sum())
        for name, width in COVERAGES.items():
            self.inside[name] += int((np.abs(z) <= width).sum())

    def scores(self) -> dict[str, float | int | None]:
        """n, mean CRPS, mean stated sd, root mean square z (1 = calibrated) and coverages; null without pixels."""
        if not self.n:
            return {"n": 0, "crps": None, "mean_sd": None, "z_rms": None, **dict.fromkeys(COVERAGES)}
        return {
            "n": self.n,
            "crps": self.crps / self.n,
            "mean_sd": self.sd / self.n,
            "z_rms": sqrt(self.squared_z / self.n),
            **{name: count / self.n for name, count in self.inside.items()},
        }


def normal_crps(z: npt.NDArray[np.float64], sd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CRPS of normal forecasts from standardised errors z and standard deviations sd."""
    density = np.exp(-0.5 * np.square(z)) / sqrt(2 * pi)
    return sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / sqrt(pi))
