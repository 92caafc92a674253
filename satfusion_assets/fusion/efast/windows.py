"""Which images a prediction day may use (Senty et al. 2024, section 2.3): strict windows around the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DayNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Half-open ranges ``first[p]:last[p]`` into a sorted list of days, one a prediction day."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        return self.last - self.first


def windows(prediction_days: DayNumbers, days: DayNumbers, reach: float) -> Windows:
    """The images of sorted ``days`` with ``|day - prediction day| < reach``, for every prediction day."""
    first = np.searchsorted(days, prediction_days - reach, side="right")
    last = np.searchsorted(days, prediction_days + reach, side="left")
    return Windows(first.astype(np.int64), last.astype(np.int64))
