"""Squared errors of every pair of methods on what both estimate, in one pass over the pixels.

Common pixels of all methods would let one that estimates little decide where the others are judged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit


def pair_sums(errors: npt.NDArray[np.float32], group: npt.NDArray[np.int64], groups: int) -> npt.NDArray[np.float64]:
    """(groups, m, m, 2): for methods i and j the number of pixels that both estimate, and there the squares of i.

    errors: (m, n) estimate minus truth of m methods in n pixels, NaN = no estimate. group: (n,) 0 ... groups - 1, or
    negative for a pixel that is in none.
    """
    return np.asarray(_accumulate(np.ascontiguousarray(errors), group, groups))


@njit(cache=True, nogil=True)
def _accumulate(errors: Any, group: Any, groups: int) -> Any:
    methods, pixels = errors.shape
    sums = np.zeros((groups, methods, methods, 2))
    there = np.empty(methods, np.int64)
    for n in range(pixels):
        if group[n] < 0:
            continue
        count = 0
        for i in range(methods):
            if np.isfinite(errors[i, n]):
                there[count] = i
                count += 1
        of = sums[group[n]]
        for a in range(count):
            i = there[a]
            square = np.float64(errors[i, n]) ** 2
            for b in range(count):
                of[i, there[b], 0] += 1
                of[i, there[b], 1] += square
    return sums
