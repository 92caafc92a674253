"""How much each scene counts on each day (Senty et al. 2024, eq. 2 and section 2.5), per coarse pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satfusion_assets.fusion.efast.compiled import compiled
from satfusion_assets.fusion.efast.inputs import Images, Parameters
from satfusion_assets.fusion.efast.operands import Weights
from satfusion_assets.fusion.efast.windows import DayNumbers, Windows, windows


@dataclass(frozen=True)
class SceneWeights:
    """Normalised weights of the scenes in every day's window, 0 = no part.

    window: which scenes (sorted by day) each day may use. values: (sum of window sizes, h, w); the weights of
    day p start at ``offsets[p]``.
    """

    window: Windows
    values: NDArray[np.floating[Any]]
    offsets: NDArray[np.int64]

    @property
    def packed(self) -> Weights:
        """As the kernels take them."""
        return Weights(self.values, self.offsets, self.window.first, self.window.last)

    @cached_property
    def squared_shares(self) -> NDArray[np.floating[Any]]:
        """Sum of squared weights (p, h, w) of every day."""
        sizes = self.window.sizes
        squares = np.zeros((len(sizes), *self.values.shape[1:]), self.values.dtype)
        for day, values in zip(np.repeat(np.arange(len(sizes)), sizes), self.values, strict=True):
            squares[day] += np.square(values)
        return squares


def scene_weights(days: DayNumbers, images: Images, parameters: Parameters) -> SceneWeights:
    """``exp(-(t_i - t)^2 / (2 sigma^2)) * clip((d_i - 1) / D, 0, 1)``, normalised over the scenes of a day's window.

    With a ``minimum_acquisition_importance`` m, a coarse pixel leaves out the scenes whose share is not above m
    times the mean share of its m scenes with weight, but never its heaviest: one pixel's rule asks nothing of
    its neighbours.
    """
    window = windows(days, images.fine_days, parameters.max_days)
    return _weights(days, images, parameters, window, leave_out=False)


def leave_one_out_weights(images: Images, parameters: Parameters) -> SceneWeights:
    """Weights on each scene's own day, that scene having none: what the others say about it."""
    window = windows(images.fine_days, images.fine_days, parameters.max_days)
    return _weights(images.fine_days, images, parameters, window, leave_out=True)


def _weights(
    days: DayNumbers, images: Images, parameters: Parameters, window: Windows, *, leave_out: bool
) -> SceneWeights:
    offsets = np.concatenate([[0], np.cumsum(window.sizes)]).astype(np.int64)
    values = np.zeros((int(offsets[-1]), *images.cloud_distance.shape[1:]), images.dtype)
    clear = np.clip(
        (images.cloud_distance[images.order].astype(np.float64) - 1) / parameters.cloud_distance_limit, 0, 1
    )
    _weigh(
        days,
        images.fine_days,
        np.nan_to_num(clear),
        float(parameters.sigma),
        float(parameters.minimum_acquisition_importance),
        window.first,
        window.last,
        offsets,
        leave_out,
        values,
    )
    return SceneWeights(window, values, offsets)


@compiled
def _weigh(
    days: Any,
    fine_days: Any,
    clear: Any,
    sigma: float,
    importance: float,
    first: Any,
    last: Any,
    offsets: Any,
    leave_out: bool,
    values: Any,
) -> None:
    _, height, width = clear.shape
    for p in range(len(days)):
        temporal = np.empty(last[p] - first[p], np.float64)
        for i in range(len(temporal)):
            distance = float(fine_days[first[p] + i] - days[p])
            temporal[i] = np.exp(-(distance * distance) / (2 * sigma * sigma))
            if leave_out and first[p] + i == p:
                temporal[i] = 0.0
        for row in range(height):
            for column in range(width):
                total = 0.0
                heaviest = 0.0
                present = 0
                for i in range(len(temporal)):
                    weight = temporal[i] * clear[first[p] + i, row, column]
                    total += weight
                    heaviest = max(heaviest, weight)
                    present += weight > 0
                if total == 0.0:
                    continue
                threshold = min(importance * total / present, heaviest)
                for i in range(len(temporal)):
                    weight = temporal[i] * clear[first[p] + i, row, column]
                    if weight > threshold or weight == heaviest or importance == 0.0:
                        values[offsets[p] + i, row, column] = weight / total
