"""Neighbours that go the same way: pixels of one field, whose scenes say the same but for the noise of each.

A meadow's cut and regrowth are a few hundredths of GCC high and weeks long, a scene's noise in one pixel is half as
large, and neighbours in the same field have noise of their own. Their mean is the better observation, where they are
one field at all: they differ over the season by no more than noise does (non-local means; Buades, Coll and Morel 2005,
CVPR 2, 60, with the eight neighbours for the search window and the series for the patch).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

ONE_FIELD: Final = 1.5
"""Mean squared difference of two pixels, in that of usual neighbours, up to which they are one field. Noise alone gives
1 with a standard deviation of a fifth over 50 scenes; a cut a week apart, seen by two of them, 2 and more."""

LEAST_SCENES: Final = 10
"""Fewer scenes in common tell nothing of two pixels."""

MEDIAN_OF_SQUARES: Final = 0.455
"""Of a standard normal."""


def field_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (n, H, W) of scenes, NaN = not clear, each the mean over its pixel and the neighbours of the same field.

    What is not clear stays so, and helps nobody.
    """
    noise = _usual_difference(values)
    total, count = np.nan_to_num(values), np.isfinite(values).astype(np.float64)
    for here, there in _neighbours(values.shape[1], values.shape[2]):
        mine, other = values[:, *here], values[:, *there]
        squares = np.square(mine - other) / noise[:, None, None]
        common = np.isfinite(squares)
        shared = common.sum(axis=0)
        difference = np.where(common, squares, 0.0).sum(axis=0) / np.maximum(shared, 1)
        joined = common & ((difference <= ONE_FIELD) & (shared >= LEAST_SCENES))
        total[:, *here] += np.where(joined, other, 0.0)
        count[:, *here] += joined
    return np.divide(total, count, out=np.full(values.shape, np.nan), where=np.isfinite(values))


def _usual_difference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) mean squared difference of neighbours in one field in each scene; infinite where nothing is seen.

    Most neighbours are in one field, so that the median tells.
    """
    usual = np.full(len(values), np.inf)
    for n, scene in enumerate(values):
        steps = np.concatenate([np.diff(scene, axis=0).ravel(), np.diff(scene, axis=1).ravel()])
        steps = steps[np.isfinite(steps)]
        if steps.size:
            usual[n] = max(float(np.median(np.square(steps))) / MEDIAN_OF_SQUARES, np.finfo(np.float32).eps ** 2)
    return usual


def _neighbours(height: int, width: int) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Pairs of windows: all pixels that have a neighbour in one of the eight directions, and these neighbours."""
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if down or right:
                yield (
                    (slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))),
                    (slice(max(down, 0), height - max(-down, 0)), slice(max(right, 0), width - max(-right, 0))),
                )
