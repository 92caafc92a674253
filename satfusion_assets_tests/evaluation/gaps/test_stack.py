"""Withholding is true: nothing of a withheld pixel is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from satfusion_assets.evaluation.gaps.stack import CloudPattern, lay_clouds, withhold
from satfusion_assets.evaluation.gaps.windows import natural_gap
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.evaluation.gaps.builders import days, gap, stack

JULY = gap(date(2024, 7, 1), date(2024, 7, 31))
NATURAL = natural_gap(SiteSeason("innsbruck", 2024), 2023)


def test_every_scene_inside_the_gap_is_withheld() -> None:
    scenes = np.array(["2024-06-30", "2024-07-01", "2024-07-15", "2024-07-31", "2024-08-01"], dtype="datetime64[D]")
    whole = stack(scenes, np.linspace(0.8, 1.2, 5))
    held = withhold(whole, JULY)
    assert held.scenes.tolist() == [1, 2, 3]
    assert held.degraded.fine_days.astype(str).tolist() == ["2024-06-30", "2024-08-01"]
    assert held.degraded.cloud_distance.shape[0] == 2
    assert held.hidden.all()
    assert len(held.degraded.coarse_days) == len(whole.coarse_days), "Sentinel-3 stays"


def test_only_clear_pixels_are_the_truth() -> None:
    whole = stack(days(190, 200), np.ones(2))
    whole.fine[0, 3, 0, 0] = np.nan
    assert withhold(whole, JULY).hidden.sum() == whole.clear[:2].sum() == 2 * 12 * 12 - 1


def test_another_years_clouds_hide_what_they_covered() -> None:
    whole = stack(days(100, 150, 200), np.ones(3))
    clear = np.ones((2, 12, 12), dtype=bool)
    clear[0, :, :6] = False
    pattern = CloudPattern(
        2023, np.array(["2023-04-09", "2023-05-31"], dtype="datetime64[D]"), clear, np.full((2, 2, 2), 3, np.float32)
    )
    held = lay_clouds(whole, NATURAL, pattern)
    assert held.scenes.tolist() == [0, 2], "the middle scene met a clear day"
    assert held.hidden[0].sum() == 72
    assert held.hidden[1].all(), "no scene of 2023 within three days"
    assert held.degraded.fine_days.tolist() == whole.fine_days[:2].tolist()
    assert np.isnan(held.degraded.fine[0, :, :, :6]).all()
    assert np.isfinite(held.degraded.fine[0, :, :, 6:]).all()
    assert (held.degraded.cloud_distance == 3).all()
    assert np.isfinite(whole.fine).all(), "the full stack is untouched"


def test_scenes_outside_the_season_keep_their_pixels() -> None:
    whole = stack(days(-20, 380), np.ones(2))
    empty = CloudPattern(2023, days()[:0], np.ones((0, 12, 12), dtype=bool), np.ones((0, 2, 2), np.float32))
    held = lay_clouds(whole, NATURAL, empty)
    assert not len(held.scenes)
    assert len(held.degraded.fine_days) == 2


def test_the_site_part_holds_the_whole_window_and_its_halo() -> None:
    whole = stack(days(10), np.ones(1), size=5)
    whole = replace(whole, fine=np.arange(4 * 30 * 30, dtype=np.float32).reshape(1, 4, 30, 30))
    inside, row, col = whole.around(14, 15, halo=1)
    assert inside.coarse.shape[2:] == (3, 3)
    assert inside.fine[0, 0, row, col] == whole.fine[0, 0, 14, 15]
    at_border, row, col = whole.around(17, 15, halo=1)
    assert at_border.coarse.shape[2:] == (4, 3), "the window's last row lies in the next coarse pixel"
    assert at_border.fine[0, 0, row, col] == whole.fine[0, 0, 17, 15]
    corner, row, col = whole.around(0, 0, halo=1)
    assert corner.coarse.shape[2:] == (2, 2)
    assert (row, col) == (0, 0)


def test_index_then_blend_inputs_are_gcc() -> None:
    whole = stack(days(10, 20), np.array([0.8, 1.2]))
    np.testing.assert_allclose(whole.gcc.fine, 10 / 21, rtol=1e-6)
    assert whole.gcc.coarse.shape[1] == 1
