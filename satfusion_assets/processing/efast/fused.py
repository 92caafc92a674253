"""What a fusion returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Status(StrEnum):
    """Whether a day could be predicted at all."""

    OK = "ok"
    NO_COARSE = "no_coarse"
    """No coarse image with a value lies in the day's window."""
    NO_FINE = "no_fine"
    """No fine image with a value and a weight lies in the day's window."""


@dataclass(frozen=True)
class Fused:
    """Fused images of the prediction days, in the order they were asked for.

    values: (p, b, H, W), NaN = no estimate. status: (p,) one word a day.
    """

    values: NDArray[np.floating[Any]]
    status: tuple[Status, ...]
