"""Faults of the authors' package that the default mode does not have, and conformance mode reproduces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from satfusion_assets_tests.fusion.efast.scenes import DAY, RATIO, constant, random


def coarse_zero_is_not_a_measurement(conformance: bool) -> bool:
    """Zeros are written where composites have no data; a constant scene must stay what it is."""
    stack = constant(0.2)
    stack.coarse[50:70] = 0
    return bool(np.allclose(stack.fuse(conformance=conformance).values, 0.2, atol=1e-6))


def missing_coarse_pixel_blanks_no_neighbour(conformance: bool) -> bool:
    """One coarse pixel is never seen; its neighbours are."""
    stack = constant(0.2)
    stack.coarse[:, :, 1, 2] = np.nan
    lost = np.isnan(stack.fuse(conformance=conformance).values[0, 0])
    lost[RATIO : 2 * RATIO, 2 * RATIO : 3 * RATIO] = False
    return not lost.any()


def value_is_independent_of_the_area(conformance: bool) -> bool:
    """Half the area, fused alone, gives the same numbers (but for the half coarse pixel at the cut)."""
    stack = random(3, shape=(4, 8))
    stack.cloud_distance[:] = 16
    stack.cloud_distance[1, :, :4] = 2
    options = {"conformance": conformance, "minimum_acquisition_importance": 0.4}
    whole = stack.fuse(**options).values[..., : 4 * RATIO - RATIO // 2]
    half = stack.cut(slice(0, 4), slice(0, 4)).fuse(**options).values[..., : 4 * RATIO - RATIO // 2]
    return bool(np.array_equal(whole, half, equal_nan=True))


def season_edge_does_not_run_away(conformance: bool) -> bool:
    """Coarse data end with a trend, weeks before the prediction; the fine scenes show no such trend."""
    stack = constant(0.2, scenes=3)
    stack.coarse[:] = 0.2 + 0.02 * np.maximum(np.arange(-60, 61) + 20, 0)[:, None, None, None]
    known = stack.coarse_days <= DAY - 10
    stack = stack.replace(coarse=stack.coarse[known], coarse_days=stack.coarse_days[known])
    values = stack.fuse(DAY + np.arange(10, 20), conformance=conformance).values
    return bool((np.abs(values - 0.2) <= 0.1).all())


def dark_water_is_kept(conformance: bool) -> bool:
    """A reflectance of exactly 0 in the first band is a dark surface, not a hole."""
    stack = constant(0.2)
    stack.fine[:, 0, :3, :3] = 0
    return bool(np.isfinite(stack.fuse(conformance=conformance).values).all())


def band_without_value_takes_no_part(conformance: bool) -> bool:
    """A scene lacks one band in one pixel; the band comes from the other scenes."""
    stack = constant(0.2)
    stack.fine[2, 1, 5, 5] = np.nan
    return bool(np.allclose(stack.fuse(conformance=conformance).values, 0.2, atol=1e-6))


TRAPS = [
    coarse_zero_is_not_a_measurement,
    missing_coarse_pixel_blanks_no_neighbour,
    value_is_independent_of_the_area,
    season_edge_does_not_run_away,
    dark_water_is_kept,
    band_without_value_takes_no_part,
]


@pytest.mark.parametrize("holds", TRAPS, ids=lambda trap: trap.__name__)
def test_default_mode_is_free_of_the_trap(holds: Callable[[bool], bool]) -> None:
    assert holds(False)


@pytest.mark.parametrize("holds", TRAPS, ids=lambda trap: trap.__name__)
def test_conformance_mode_reproduces_the_trap(holds: Callable[[bool], bool]) -> None:
    assert not holds(True)
