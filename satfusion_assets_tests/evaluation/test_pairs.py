"""Pairs of methods: each is judged on what both estimate, and no third one has a say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from satfusion_assets.evaluation.pairs import pair_sums

ERRORS = arrays.arrays(np.float32, (3, 40), elements=st.one_of(st.just(np.float32(np.nan)), st.floats(-1, 1, width=32)))
GROUPS = arrays.arrays(np.int64, 40, elements=st.integers(-1, 2))


@given(errors=ERRORS, group=GROUPS)
def test_every_pair_has_the_sums_of_its_own_common_pixels(errors: np.ndarray, group: np.ndarray) -> None:
    sums = pair_sums(errors, group, 3)
    for number in range(3):
        for i in range(3):
            for j in range(3):
                both = (group == number) & np.isfinite(errors[i]) & np.isfinite(errors[j])
                assert sums[number, i, j, 0] == both.sum()
                assert sums[number, i, j, 1] == pytest.approx((errors[i, both].astype(float) ** 2).sum())
