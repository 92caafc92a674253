"""What a fusion returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.quality import Quality, TakeRows
from satfusion_assets.fusion.efast.uncertainty import ErrorModel


class Status(StrEnum):
    """Whether a day could be predicted at all."""

    OK = "ok"
    NO_COARSE = "no_coarse"
    """No coarse pixel has the values in the day's window that an estimate needs: four for EFAST, any for kriging."""
    NO_FINE = "no_fine"
    """No fine image with a value and a weight lies in the day's window."""


@dataclass(frozen=True)
class Fused:
    """Fused images of the prediction days, in the order they were asked for.

    values: (p, b, H, W), NaN = no estimate. status: (p,) one word a day. The quality layers are computed when they are
    first asked for, from the images that were given (keep those unchanged until then). assess: computes them, None in
    conformance mode; kriging, whose deviations come with its values, keeps them as they are.
    """

    values: NDArray[np.floating[Any]]
    status: tuple[Status, ...]
    assess: Callable[[], Quality] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def quality(self) -> Quality:
        """Quality layers of these days; ValueError in conformance mode, which has none."""
        if self.assess is None:
            raise ValueError("conformance mode has no quality layers; fuse with conformance=False.")
        return self.assess()


Begin = Callable[[tuple[Status, ...]], TakeRows]
"""Says who takes a season's rows, once each day's status is known: a day that is not OK has no value."""


@dataclass(frozen=True)
class FusedRows:
    """What there is to say of a season whose images and layers were handed over row by row: as in ``Fused`` and
    ``Quality``.
    """

    status: tuple[Status, ...]
    coarse_support: NDArray[np.uint8]
    error_model: ErrorModel
