"""Bands that the sensor sees with larger pixels: what they lack is told by the others, and what is not told is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import zoom

import satfusion_assets
from satfusion_assets.fusion.efast.blocks import blocks
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.kriging import KrigingPlan, plan
from satfusion_assets.fusion.kriging.detail import BILINEAR, Spreading, learn_detail, sharpen, spreading_of
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.vocabulary.scenarios import Scenario

SIDE, RATIO, SCENES = 48, 12, 14
DAYS = np.datetime64("2024-04-01") + 6 * np.arange(SCENES)
NOISE = 0.002


def measured(band: np.ndarray, row: int = 0, column: int = 0, order: int = 1) -> np.ndarray:
    """``band`` (H, W) as it comes from pixels twice as large, of which one begins at ``row, column``, spread bilinearly
    (order 1) or repeated (0); rounded as archives do."""
    height, width = band.shape
    padded = np.pad(band, ((row, row), (column, column)), mode="edge")
    larger = padded.reshape(len(padded) // 2, 2, -1, 2).mean(axis=(1, 3))
    spread = zoom(larger, 2, order=order, grid_mode=True, mode="nearest")[row:, column:][:height, :width]
    return np.round(spread, 4)


def surface(seed: int = 3) -> np.ndarray:
    """Patches of two covers, (2, H, W): a dark red field is bright in near infrared."""
    rng = np.random.default_rng(seed)
    covers = rng.random((SIDE, SIDE)) < 0.5
    patches = zoom(rng.normal(0, 1, (SIDE // 3, SIDE // 3)), 3, order=0) + np.where(covers, 0.3, -0.3)
    return np.stack([0.06 + 0.02 * patches, 0.30 - 0.08 * patches])


def scenes(told: bool = True, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scenes (n, 2, H, W), whose second band has larger pixels, and the surface. told: bands go together."""
    rng = np.random.default_rng(seed)
    truth = surface()
    if not told:
        truth[1] = surface(seed=4)[1]
    seen = truth + rng.normal(0, NOISE, (SCENES, *truth.shape))
    seen[:, 0] = np.round(seen[:, 0], 4)
    for scene in seen:
        scene[1] = measured(scene[1])
    return seen, truth


def arguments(seen: np.ndarray) -> dict[str, Any]:
    side = SIDE // RATIO
    clear = np.full((len(seen), side, side), 255, np.float32)
    return {
        "coarse": None,
        "coarse_days": [],
        "fine": seen,
        "fine_days": DAYS,
        "cloud_distance": clear,
        "ratio": RATIO,
    }


def fuse(seen: np.ndarray, **options: Any) -> Any:
    return satfusion_assets.fuse(DAYS[[7]] + 2, method="kriging", **arguments(seen), **options)


def error(fused: Any, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(fused.values[0, 1] - truth[1]))))


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize(("order", "weight"), [(1, BILINEAR), (0, 0.0)])
def test_images_say_how_they_were_spread(row: int, column: int, order: int, weight: float) -> None:
    assert spreading_of(measured(surface()[1], row, column, order)) == Spreading(weight, row, column)
    assert spreading_of(surface()[1]) is None


def test_detail_that_the_other_band_tells_is_predicted() -> None:
    seen, truth = scenes()
    assert error(fuse(seen), truth) < 0.4 * error(fuse(seen, finer=False), truth)


def test_detail_that_no_band_tells_is_not_made_up() -> None:
    seen, truth = scenes(told=False)
    assert error(fuse(seen), truth) < 1.02 * error(fuse(seen, finer=False), truth)


def test_the_band_with_its_own_pixels_is_left_alone() -> None:
    seen, _ = scenes()
    np.testing.assert_allclose(fuse(seen).values[0, 0], fuse(seen, finer=False).values[0, 0], atol=1e-12)


def test_detail_that_slopes_leave_over_widens_the_deviation() -> None:
    seen, truth = scenes()
    strange = surface(seed=6)[1] - 0.3
    for scene in seen:
        scene[1] += measured(0.5 * strange)
    truth[1] += 0.5 * strange
    fused = fuse(seen)
    score = (fused.values[0, 1] - truth[1]) / fused.quality.standard_deviation[0, 1]
    alone = (fused.values[0, 1] - truth[1]) / fuse(seen, finer=False).quality.standard_deviation[0, 1]
    assert (np.abs(score) < 1.96).mean() > (np.abs(alone) < 1.96).mean() + 0.1


def test_parts_of_a_scene_have_the_detail_of_the_whole() -> None:
    seen, _ = scenes()
    seen[2, :, 10:14, 20] = np.nan
    numbers = DAYS.astype("datetime64[D]").astype(np.int64)
    empty = np.empty((0, 2, 4, 4))
    detail = learn_detail(Images(empty, np.empty(0, np.int64), seen, numbers, np.arange(SCENES), np.empty(0)))
    assert detail is not None
    whole, part = seen[2].copy(), seen[2, :, 9:31, 3:40].copy()
    sharpen(whole, int(numbers[2]), detail)
    sharpen(part, int(numbers[2]), detail, row=9, column=3)
    np.testing.assert_array_equal(part[:, 2:-2, 2:-2], whole[:, 11:29, 5:38])


def test_blocks_have_the_detail_of_the_whole() -> None:
    whole: KrigingPlan = plan(**arguments(scenes()[0]))
    fused = whole.fuse(DAYS[[7]] + 2)
    for block in blocks(4, 4, 1, 3):
        part = whole.block(block).fuse(DAYS[[7]] + 2)
        rows, columns = block.fine(RATIO)
        np.testing.assert_array_equal(part.values, fused.values[..., rows, columns])
        np.testing.assert_array_equal(
            part.quality.standard_deviation, fused.quality.standard_deviation[..., rows, columns]
        )


def test_a_season_is_predicted_as_the_surface_is_or_as_it_is_measured() -> None:
    """What is judged by withheld scenes must not be blamed for detail that those lack."""
    seen = scenes()[0].astype(np.float32)
    side = SIDE // RATIO
    clear = np.full((SCENES, side, side), 255, np.float32)
    none = np.empty((0, 2, side, side), np.float32)
    season = SeasonStack(seen, DAYS, clear, none, np.empty(0, "datetime64[D]"), RATIO)
    kriging, days = Scenario.parse("aggressive_kriging"), DAYS[[7]] + 2
    np.testing.assert_array_equal(season.fuse(kriging, days).values, fuse(seen).values)
    as_measured = season.fuse(kriging, days, as_measured=True).values
    np.testing.assert_array_equal(as_measured, fuse(seen, finer=False).values)
    assert (as_measured[0, 1] != fuse(seen).values[0, 1]).mean() > 0.9


def test_detail_of_other_days_is_refused() -> None:
    seen, _ = scenes()
    learned = fuse(seen).quality.hyperparameters
    other = replace(learned, detail=replace(learned.detail, days=learned.detail.days + 1))
    with pytest.raises(ValueError, match="hyperparameters are of scenes of other days"):
        fuse(seen, hyperparameters=other)
