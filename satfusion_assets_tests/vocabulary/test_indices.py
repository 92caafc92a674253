"""Indices are shares of reflected light, and exist only where every band was measured."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.vocabulary import indices


def test_gcc_uses_all_three_visible_bands() -> None:
    # The senescent pixel that an index without blue reads as 0.250.
    assert indices.gcc(0.06, 0.10, 0.15) == pytest.approx(0.10 / 0.31)


def test_ndvi_of_a_known_pixel() -> None:
    assert indices.ndvi(0.1, 0.3) == pytest.approx(0.5)


@pytest.mark.parametrize("red", [np.nan, -0.01])
def test_a_missing_or_negative_band_leaves_the_index_undefined(red: float) -> None:
    assert np.isnan(indices.gcc(0.1, 0.1, red))
    assert np.isnan(indices.ndvi(red, 0.3))


def test_no_light_at_all_leaves_the_index_undefined() -> None:
    assert np.isnan(indices.gcc(0.0, 0.0, 0.0))
    assert np.isnan(indices.ndvi(0.0, 0.0))


def test_digital_numbers_do_not_overflow() -> None:
    dn = np.array([60_000], dtype=np.uint16)
    assert indices.gcc(dn, dn, dn) == pytest.approx(1 / 3)
    assert indices.ndvi(dn, dn) == 0


def test_single_precision_stays_single() -> None:
    band = np.full((2, 2), 0.1, dtype=np.float32)
    assert indices.gcc(band, band, band).dtype == np.float32
