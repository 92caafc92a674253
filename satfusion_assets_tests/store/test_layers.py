"""Numbers of layers: what they are rounded to does not depend on how many are encoded together."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.store.layers import CHUNK, LAYERS
from satfusion_assets.vocabulary.errors import StoreError

DEVIATION = LAYERS["standard_deviation"]


def test_deviations_have_the_nearest_number_of_five_significant_bits_and_ties_the_even_one() -> None:
    assert DEVIATION.significant == 5
    steps = np.arange(DEVIATION.limits[1] / DEVIATION.step + 1, dtype=np.float32)
    fraction, exponent = np.frexp(steps)
    nearest = np.ldexp(np.rint(np.ldexp(fraction, 5)), exponent - 5)
    stored = DEVIATION.encode("standard_deviation", (steps * np.float32(DEVIATION.step)).reshape(1, 1, -1))
    np.testing.assert_array_equal(stored.ravel(), nearest)


def test_a_value_that_does_not_fit_is_named_by_its_place_in_the_season() -> None:
    images = np.zeros((5, 2, 40, CHUNK // 100), np.float32)
    images[3, 1, 7, 9] = 4
    with pytest.raises(StoreError, match=r"standard_deviation is 4 in image 13 at \(1, 7, 9\)"):
        DEVIATION.encode("standard_deviation", images, first=10)
    with pytest.raises(StoreError, match=r"standard_deviation is 4 in image 3 at \(1, 127, 9\)"):
        DEVIATION.encode("standard_deviation", images, row=120)
    with pytest.raises(StoreError, match=r"effective_scenes is -1 in image 0 at \(31, 5\)"):
        LAYERS["effective_scenes"].encode(
            "effective_scenes", np.full((1, 6, 6), -1.0) * (np.eye(6)[1:2].T @ np.eye(6)[5:]), row=30
        )


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_rows_and_days_encoded_apart_are_those_of_the_whole(name: str) -> None:
    lowest, highest = LAYERS[name].limits
    values = np.random.default_rng(3).uniform(lowest, highest, (9, 200, 120)).astype(np.float32)
    values[values > 0.9 * highest] = np.nan
    whole = LAYERS[name].encode(name, values)
    parts = np.concatenate([LAYERS[name].encode(name, values[:, row : row + 7]) for row in range(0, 200, 7)], axis=1)
    one_by_one = np.stack([LAYERS[name].encode(name, image[None])[0] for image in values])
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_array_equal(one_by_one, whole)
    assert whole.dtype == LAYERS[name].dtype
    assert ((whole == LAYERS[name].missing) == np.isnan(values)).all()
