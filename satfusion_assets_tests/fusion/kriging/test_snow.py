"""What counts as snow in a scene: plain snow anywhere, and what is merely bright where plain snow is about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from satfusion_assets.fusion.efast.blocks import blocks
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import snow_flags
from satfusion_assets.own_images.kriged import plan_block

RATIO = 10
MEADOW, FOREST = np.array([0.05, 0.08, 0.06, 0.3]), np.array([0.02, 0.03, 0.02, 0.17])
WHITE, UNDER_TREES = np.array([0.7, 0.68, 0.65, 0.6]), np.array([0.09, 0.1, 0.09, 0.22])
"""Reflectance in blue, green, red and near infrared; snow under trees is dark, green, and bright for a forest."""
DAYS = np.arange("2024-09-01", "2024-12-01", dtype="datetime64[D]")[::10]


def winter_scene(white_share: float) -> np.ndarray:
    """Fine flags (20, 10) of the last scene of two cells: in the first, ``white_share`` is white meadow and the rest a
    forest with snow beneath it; in the second, all is forest, and as bright."""
    ground = np.broadcast_to(FOREST[:, None, None], (4, 2 * RATIO, RATIO)).copy()
    white = np.zeros((2 * RATIO, RATIO), bool)
    white.ravel()[: round(white_share * RATIO**2)] = True
    ground[:, white] = MEADOW[:, None]
    fine = np.repeat(ground[None], len(DAYS), axis=0)
    fine[-1] = UNDER_TREES[:, None, None]
    fine[-1][:, white] = WHITE[:, None]
    coarse = fine[:-1].reshape(len(DAYS) - 1, 4, 2, RATIO, 1, RATIO).mean(axis=(3, 5))
    found = snow_flags(coarse, DAYS[:-1], fine, DAYS, RATIO).fine
    assert not found[:-1].any()
    np.testing.assert_array_equal(found[-1] & white, white)
    return found[-1]


def test_bright_forest_is_snow_where_plain_snow_covers_a_tenth_of_its_cell() -> None:
    found = winter_scene(0.3)
    assert found[:RATIO].all()
    assert not found[RATIO:].any()  # As bright by haze, for all that this cell shows.


def test_a_little_that_is_white_makes_no_cell_snowy() -> None:
    assert winter_scene(0.05)[:RATIO].sum() == round(0.05 * RATIO**2)


@pytest.mark.parametrize("cell", [0, 1])
def test_each_cell_is_told_from_itself_alone(cell: int) -> None:
    """Blocks of any size give equal flags."""
    part = slice(cell * RATIO, (cell + 1) * RATIO)
    ground = np.where(np.arange(2 * RATIO)[:, None] < RATIO, 0.05, 0.02) * np.ones((2 * RATIO, RATIO))
    fine = np.repeat(np.repeat(ground[None, None], 4, axis=1), len(DAYS), axis=0)
    fine[-1] *= 2.5
    fine[-1, :, :3] = 0.6
    coarse = fine[:-1].reshape(len(DAYS) - 1, 4, 2, RATIO, 1, RATIO).mean(axis=(3, 5))
    whole = snow_flags(coarse, DAYS[:-1], fine, DAYS, RATIO).fine
    alone = snow_flags(coarse[:, :, cell : cell + 1], DAYS[:-1], fine[:, :, part], DAYS, RATIO).fine
    np.testing.assert_array_equal(alone, whole[:, part])
    assert whole[-1, :RATIO].all()
    assert not whole[-1, RATIO:].any()


def test_a_folders_block_is_flagged_row_by_row_as_its_whole() -> None:
    """Snow is in the second row of coarse pixels alone."""
    fine = np.repeat(np.broadcast_to(FOREST[:, None, None], (4, 2 * RATIO, RATIO))[None], len(DAYS), axis=0).copy()
    fine[-1, :, RATIO:] = WHITE[:, None, None]
    coarse = fine[:-1].reshape(len(DAYS) - 1, 4, 2, RATIO, 1, RATIO).mean(axis=(3, 5))
    days = DAYS.astype(np.int64)
    images = Images(coarse, days[:-1], fine, days, np.arange(len(days)), np.zeros((len(days), 2, 1)))
    (block,) = blocks(2, 1, 2, 1)
    settings = cast(Any, SimpleNamespace(detail=None, surface=None))
    usable = plan_block(images, block.fine(RATIO), block, RATIO, settings, threads=1).usable
    whole = snow_flags(coarse, DAYS[:-1], fine, DAYS, RATIO).fine
    assert usable is not None
    np.testing.assert_array_equal(usable, ~whole)
    assert not usable[-1, RATIO:].any()
    assert usable[-1, :RATIO].all()
