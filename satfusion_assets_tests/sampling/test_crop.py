"""The valid window: what was ever fused, and the coarse pixels under it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from satfusion_assets.sampling.crop import Window, valid_pixels, valid_window


def test_the_window_is_the_union_over_days_and_bands() -> None:
    values = np.full((2, 2, 6, 8), np.nan)
    values[0, 0, 1, 2] = 0.3
    values[1, 1, 4, 5] = 0.3
    values[1, 0, 0, 0] = 0.001
    assert valid_window(valid_pixels(values, (6, 8))) == Window(row=1, col=2, height=4, width=4)


def test_nothing_fused_is_no_window() -> None:
    assert valid_window(valid_pixels(np.full((3, 1, 4, 4), np.nan), (4, 4))) is None
    assert valid_window(valid_pixels(np.zeros((3, 1, 4, 4)), (4, 4))) is None


def test_no_image_is_looked_at_after_every_pixel_was_valid() -> None:
    def images() -> Iterator[np.ndarray]:
        yield np.array([[[0.3, np.nan]], [[np.nan, 0.3]]])
        raise AssertionError("looked at")

    assert valid_pixels(images(), (1, 2)).all()


def test_fine_pixels_lie_in_the_coarse_one_around_them() -> None:
    rows, columns = Window(row=2, col=1, height=3, width=4).coarse_places(ratio=3)
    assert (rows.tolist(), columns.tolist()) == ([0, 1, 1], [0, 0, 1, 1])


def test_cut_is_the_window_itself() -> None:
    fine = np.arange(30).reshape(5, 6)
    np.testing.assert_array_equal(Window(1, 2, 2, 3).cut(fine), [[8, 9, 10], [14, 15, 16]])
