"""Quality layers say how a value came about, and how far it may be off."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.processing.efast.coarse import CoarseSupport
from satfusion_assets.processing.efast.quality import NO_SCENE
from satfusion_assets_tests.processing.efast.scenes import DAY, RATIO, Stack, constant


def test_days_to_the_nearest_scene_are_those_of_the_pixel() -> None:
    stack = constant()
    stack.fine[2, :, 0, 0] = np.nan
    stack.cloud_distance[2, 3, 4] = 0
    days = stack.fuse([DAY, DAY + 1, DAY + 100]).quality.days_to_scene
    assert days[0, 5, 5] == 1
    assert days[1, 5, 5] == 0
    assert days[0, 0, 0] == 9, "the pixel is missing in the nearest scene"
    assert days[0, -1, -1] == 9, "the nearest scene is cloudy there"
    assert (days[2] == NO_SCENE).all()


def test_effective_scenes_count_equal_weights_whole_and_faint_ones_hardly() -> None:
    stack = constant(scenes=3)
    stack = stack.replace(fine_days=np.array([DAY - 5, DAY - 5, DAY + 5]))
    stack.cloud_distance[:, :, 0] = np.array([16, 16, 1.001])[:, None]
    scenes = stack.fuse([DAY, DAY + 100]).quality.effective_scenes
    assert scenes[0, 0, -1] == pytest.approx(3)
    assert scenes[0, 0, 0] == pytest.approx(2, abs=1e-3)
    assert (scenes[1] == 0).all()


def test_every_extrapolated_day_is_flagged() -> None:
    stack = constant()
    stack.coarse[::2, :, 0, 0] = np.nan
    stack.coarse[:, 1, 1, 1] = 0
    known = stack.coarse_days <= DAY + 2
    stack = stack.replace(coarse=stack.coarse[known], coarse_days=stack.coarse_days[known])
    support = stack.fuse(DAY + np.arange(5)).quality.coarse_support
    observed, between, beyond = CoarseSupport.OBSERVED, CoarseSupport.INTERPOLATED, CoarseSupport.EXTRAPOLATED
    assert list(support[:, 2, 2]) == [observed] * 3 + [beyond] * 2
    # coarse_days[60] is DAY, so every second day is missing from DAY on.
    assert list(support[:, 0, 0]) == [between, observed, beyond, beyond, beyond]
    assert (support[:, 1, 1] == CoarseSupport.NONE).all(), "the weakest band counts, and 0 is no observation"


def test_conformance_mode_has_no_quality_layers() -> None:
    with pytest.raises(ValueError, match="conformance"):
        _ = constant().fuse(conformance=True).quality


def test_one_scene_says_nothing_of_its_error() -> None:
    deviation = constant(scenes=1).fuse().quality.standard_deviation
    assert np.isnan(deviation).all()


class Truth:
    """A landscape of pixels that green up at their own pace, seen with noise by both sensors."""

    def __init__(self, seed: int, noise: float) -> None:
        rng = np.random.default_rng(seed)
        self.days = np.datetime64("2024-01-01") + np.arange(366)
        shape = (6, 6)
        height, width = shape[0] * RATIO, shape[1] * RATIO
        day = np.arange(366, dtype=float)[:, None, None, None]
        rise = 110 + rng.normal(0, 6, (height, width))
        fall = 270 + rng.normal(0, 6, (height, width))
        green = 1 / (1 + np.exp(-(day - rise) / 9)) - 1 / (1 + np.exp(-(day - fall) / 12))
        base, gain = rng.uniform(0.05, 0.1, (2, height, width)), rng.uniform(0.05, 0.3, (2, height, width))
        self.values = base + gain * green
        scenes = np.sort(rng.choice(366, 80, replace=False))
        coarse = self.values.reshape(366, 2, shape[0], RATIO, shape[1], RATIO).mean(axis=(3, 5))
        fine = self.values[scenes]
        self.noise = noise
        self.stack = Stack(
            (coarse + rng.normal(0, noise, coarse.shape)).astype(np.float32),
            self.days,
            (fine + rng.normal(0, noise, fine.shape)).astype(np.float32),
            self.days[scenes],
            rng.uniform(0, 18, (80, *shape)).astype(np.float32),
        )


@pytest.mark.parametrize(("seed", "noise"), [(4, 0.01), (2, 0.02)])
def test_intervals_cover_the_true_surface(seed: int, noise: float) -> None:
    truth = Truth(seed, noise)
    fused = truth.stack.fuse(truth.days)
    quality = fused.quality
    for band in range(2):
        error = np.abs(fused.values - truth.values)[:, band]
        score = error / quality.standard_deviation[:, band]
        season = (truth.days > np.datetime64("2024-04-01")) & (truth.days < np.datetime64("2024-10-31"))
        known = np.isfinite(score)
        assert np.mean(score[known] < 1) == pytest.approx(0.68, abs=0.05)
        assert np.mean(score[known] < 1.96) == pytest.approx(0.95, abs=0.05)
        for part in (season, ~season):
            inside = score[part][known[part]]
            assert np.mean(inside < 1) == pytest.approx(0.68, abs=0.10)
            assert np.mean(inside < 1.96) == pytest.approx(0.95, abs=0.10)


def test_scene_noise_is_told_from_the_scenes() -> None:
    truth = Truth(3, 0.01)
    learned = truth.stack.fuse(truth.days[:1]).quality.error_model
    np.testing.assert_allclose(np.sqrt(learned.scene_noise), 0.01, rtol=0.3)
