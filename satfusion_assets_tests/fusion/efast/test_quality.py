"""Quality layers say how a value came about, and how far it may be off."""

from __future__ import annotations

import numpy as np
import pytest

from satfusion_assets.fusion.efast import FusionPlan, Parameters, assessment, check_images, plan, tallies
from satfusion_assets.fusion.efast.assessment import SceneErrors, assess_whole, scene_errors, study_by
from satfusion_assets.fusion.efast.blocks import blocks, cut
from satfusion_assets.fusion.efast.coarse import CoarseSupport
from satfusion_assets.fusion.efast.coarse_noise import coarse_departures
from satfusion_assets.fusion.efast.inputs import Images
from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.quality import NO_SCENE
from satfusion_assets.fusion.efast.uncertainty import ErrorModel
from satfusion_assets.fusion.efast.upsampling import sample, upsample
from satfusion_assets.fusion.efast.weights import leave_one_out_weights
from satfusion_assets.fusion.efast.withholding import squared_integral, withhold
from satfusion_assets_tests.fusion.efast.scenes import DAY, RATIO, Stack, constant, random


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


@pytest.mark.parametrize("rows", [1, 5, assessment.KEPT_ROWS])
def test_a_season_that_is_taken_row_by_row_has_the_numbers_of_the_whole(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coarse pixels are known on the first scene's day alone, so that cells around them are evaluated again."""
    monkeypatch.setattr(plan, "KEPT_ROWS", rows)
    stack, days = random(3), DAY + np.arange(0, 40, 3)
    stack.coarse[46:, :, 1, 1] = np.nan
    stack.coarse[46:, 0, 2, 0] = np.nan
    parameters = Parameters(ratio=RATIO)
    whole = FusionPlan(_images(stack)).fuse(days, parameters)
    taken: dict[int, tuple[int, np.ndarray, Layers]] = {}

    def take(first: int, values: np.ndarray, layers: Layers) -> None:
        taken[first] = values.shape[2], values.copy(), Layers(*(layer.copy() for layer in layers))

    rest = FusionPlan(_images(stack)).fuse_rows(days, parameters, lambda status: take)
    height = whole.values.shape[2]
    assert {first: count for first, (count, _, _) in taken.items()} == {
        first: min(rows, top + RATIO - first, height - first)
        for top in range(0, height, RATIO)
        for first in range(top, min(top + RATIO, height), rows)
    }
    in_order = [taken[first] for first in sorted(taken)]
    np.testing.assert_array_equal(np.concatenate([values for _, values, _ in in_order], axis=-2), whole.values)
    for name in Layers._fields:
        rows_of = [getattr(layers, name) for _, _, layers in in_order]
        np.testing.assert_array_equal(np.concatenate(rows_of, axis=-2), getattr(whole.quality, name), err_msg=name)
    assert rest.status == whole.status
    np.testing.assert_array_equal(rest.coarse_support, whole.quality.coarse_support)
    np.testing.assert_array_equal(rest.error_model.scene_noise, whole.quality.error_model.scene_noise)


def test_conformance_mode_has_no_quality_layers() -> None:
    with pytest.raises(ValueError, match="conformance"):
        _ = constant().fuse(conformance=True).quality


def test_one_scene_says_nothing_of_its_error() -> None:
    deviation = constant(scenes=1).fuse().quality.standard_deviation
    assert np.isnan(deviation).all()


def test_scenes_without_any_error_are_known_no_better_than_their_digits() -> None:
    """Reflectance in 16 bits has steps of 0.0001: no deviation is below 0.0003."""
    deviation = constant(scenes=8).fuse().quality.standard_deviation
    known = deviation[np.isfinite(deviation)]
    assert known.size
    assert known.min() >= 3e-4


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


def test_scene_noise_is_estimated_from_the_scenes() -> None:
    truth = Truth(3, 0.01)
    learned = truth.stack.fuse(truth.days[:1]).quality.error_model
    np.testing.assert_allclose(np.sqrt(np.median(learned.scene_noise, axis=0)), 0.01, rtol=0.3)


class Walk:
    """A surface that departs from a constant coarse series by a random walk of its own in every pixel.

    Every fourth scene is hazy: its noise is many times that of the others.
    """

    DRIFT = 5e-6
    CLEAR, HAZY = 0.005, 0.03

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        plain = constant(bands=1, scenes=70)
        self.days = DAY + np.arange(-180, 180)
        pixels = plain.fine.shape[2:]
        self.values = 0.2 + np.cumsum(rng.normal(0, np.sqrt(self.DRIFT), (360, 1, *pixels)), axis=0)
        scenes = np.sort(rng.choice(360, 70, replace=False))
        self.noise = np.where(np.arange(70) % 4 == 0, self.HAZY, self.CLEAR)
        fine = self.values[scenes] + rng.normal(0, 1, (70, 1, *pixels)) * self.noise[:, None, None, None]
        coarse = np.full((360, *plain.coarse.shape[1:]), 0.2, np.float32)
        self.stack = plain.replace(
            coarse=coarse, coarse_days=self.days, fine=fine.astype(np.float32), fine_days=self.days[scenes]
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_process_of_known_noise_and_drift_is_covered(seed: int) -> None:
    walk = Walk(seed)
    fused = walk.stack.fuse(walk.days)
    score = np.abs(fused.values - walk.values) / fused.quality.standard_deviation
    assert np.mean(score < 1) == pytest.approx(0.68, abs=0.05)
    assert np.mean(score < 1.96) == pytest.approx(0.95, abs=0.03)
    np.testing.assert_allclose(fused.quality.error_model.drift, walk.DRIFT, rtol=0.5)


@pytest.mark.parametrize("kind", ["clear", "hazy"])
def test_intervals_with_its_own_noise_cover_a_withheld_scene(kind: str) -> None:
    """Given in any order: a scene's noise is found in its own row."""
    walk = Walk(4)
    shuffled = np.random.default_rng(0).permutation(70)
    stack, noise = walk.stack.of_scenes(shuffled), walk.noise[shuffled]
    own = stack.fuse().quality.error_model.scene_noise
    inside = []
    for scene in np.flatnonzero(noise == {"clear": walk.CLEAR, "hazy": walk.HAZY}[kind])[:12]:
        fused = stack.of_scenes(np.arange(70) != scene).fuse(stack.fine_days[scene])
        spread = np.sqrt(fused.quality.standard_deviation[0] ** 2 + own[scene][:, None, None])
        inside.append([np.mean(np.abs(fused.values[0] - stack.fine[scene]) / spread < level) for level in (1, 1.96)])
    np.testing.assert_allclose(np.mean(inside, axis=0), (0.68, 0.95), atol=0.05)


def test_the_noise_of_a_scene_not_seen_is_that_of_the_others() -> None:
    """One scene in four is hazy: so are two of eight equally likely levels."""
    walk = Walk(5)
    levels = np.sqrt(walk.stack.fuse().quality.error_model.noise_levels[:, 0])
    assert (levels[:6] < 3 * walk.CLEAR).all()
    np.testing.assert_allclose(levels[6:], walk.HAZY, rtol=0.2)


def test_a_hazy_scene_widens_the_days_that_rest_on_it_and_no_others() -> None:
    walk = Walk(3)
    hazy_day = walk.stack.fine_days[35]
    clear_sky = walk.stack.fine.copy()
    walk.stack.fine[35] += 0.1
    with_haze, without = (
        stack.fuse([hazy_day, hazy_day + 60]).quality.standard_deviation
        for stack in (walk.stack, walk.stack.replace(fine=clear_sky))
    )
    wider = np.median(with_haze / without, axis=(1, 2, 3))
    assert wider[0] > 1.25
    assert wider[1] == pytest.approx(1, abs=0.05)


def test_a_prediction_between_two_scenes_drifts_by_half_a_gap() -> None:
    """Shares of a half on both sides: the integral is a quarter of the 20 days."""
    distance = squared_integral(np.array([[0.5], [-1.0], [0.5]]), np.array([0, 10, 20]))
    np.testing.assert_allclose(distance, 5.0)


def test_kernel_and_withheld_scenes_agree_on_distance_and_shares() -> None:
    plan = FusionPlan(_images(random(7, scenes=9)))
    images, parameters = plan.images, Parameters(ratio=RATIO)
    rows, columns = map(np.arange, images.fine.shape[2:])
    left_out = leave_one_out_weights(images, parameters)
    scenes = scene_errors(plan, parameters, left_out, rows, columns)

    def variance(drift: float) -> np.ndarray:
        """Of each scene's day predicted from the others, without coarse noise."""
        noise, slow, one = np.zeros_like(plan.coarse_then), np.full(images.bands, drift), np.ones(images.bands)
        model = ErrorModel(one, slow, np.zeros((len(images.fine), images.bands)), scenes.typical_error)
        studied = study_by(model, plan, images.fine_days, parameters, left_out, left_out, noise)
        assessed = assess_whole(plan, studied, parameters, np.zeros_like(images.fine))
        return np.square(assessed.standard_deviation.reshape(flat))

    flat = (len(images.fine), images.bands, -1)
    upsampled = upsample(
        left_out.values, plan.grid(parameters.ratio, plan.images.dtype), rows, plan.images.fine.shape[3]
    )
    departures, squares = scenes.departures.reshape(flat), scenes.squares.reshape(flat)
    left = withhold(images.fine_days, left_out, upsampled.reshape(len(upsampled), -1), departures, squares)
    np.testing.assert_allclose(variance(0), np.maximum(left.scene_variance, tallies.LEAST_VARIANCE), rtol=1e-4)
    np.testing.assert_allclose(variance(1), left.scene_variance + left.distance[:, None], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("apart", "possible"), [(4, False), (11, True)])
def test_drift_is_learned_across_ten_days_and_more(apart: int, possible: bool) -> None:
    """A prediction that does without the scenes within ten days needs others: three scenes within nine have none."""
    stack = random(7, scenes=3)
    days = np.sort(stack.fine_days)[0] + apart * np.arange(3)
    plan = FusionPlan(_images(stack.replace(fine_days=days)))
    rows, columns = map(np.arange, stack.fine.shape[2:])
    parameters = Parameters(ratio=RATIO)
    left_out = leave_one_out_weights(plan.images, parameters)
    scenes = scene_errors(plan, parameters, left_out, rows, columns)
    flat = (3, plan.images.bands, -1)
    upsampled = upsample(
        left_out.values, plan.grid(parameters.ratio, plan.images.dtype), rows, plan.images.fine.shape[3]
    )
    departures, squares = scenes.departures.reshape(flat), scenes.squares.reshape(flat)
    weights = upsampled.reshape(len(upsampled), -1)
    change = withhold(plan.images.fine_days, left_out, weights, departures, squares).change
    assert np.isfinite(change).any() == possible


def test_a_lattice_is_sampled_from_what_is_upsampled() -> None:
    """Where coarse pixels are missing, too."""
    images = _images(random(4))
    coarse = np.where(np.arange(images.coarse.shape[-1]) == 1, np.nan, images.coarse[:2])
    height, width = images.fine.shape[2:]
    rows, columns = np.array([0, 3, height - 1]), np.array([0, 5, 6, width - 1])
    grid = FusionPlan(images).grid(RATIO, coarse.dtype)
    whole = upsample(coarse, grid, rows, width)[..., columns]
    np.testing.assert_allclose(sample(coarse, grid, rows, columns).reshape(whole.shape), whole, rtol=1e-5)


def test_the_trend_of_a_pixel_asks_nothing_of_what_others_miss() -> None:
    coarse = _images(random(6)).coarse.copy()
    coarse[3:9, :, 0, 0] = np.nan
    coarse[:, 0, 1, 1] = np.nan
    days = np.arange(len(coarse))
    together = coarse_departures(coarse, days)
    for row, column in np.ndindex(*coarse.shape[2:]):
        alone = coarse_departures(coarse[..., row : row + 1, column : column + 1], days)
        np.testing.assert_allclose(alone[..., 0, 0], together[..., row, column], atol=1e-12)


@pytest.mark.parametrize("bands", [3, 4])
def test_what_one_band_lacks_changes_no_error_of_another(bands: int) -> None:
    """The scenes that predict another may be whole while one of the season is not; four bands are added at once."""
    stack = random(3, bands=bands)
    stack.fine[0, 1, 6:9, 3:] = np.nan
    parameters = Parameters(RATIO, sigma=5, max_days=15)

    def errors(stack: Stack) -> SceneErrors:
        images = _images(stack)
        rows, columns = map(np.arange, images.fine.shape[2:])
        return scene_errors(FusionPlan(images), parameters, leave_one_out_weights(images, parameters), rows, columns)

    found = errors(stack)
    assert np.isfinite(found.squares).all()
    for band in set(range(bands)) - {1}:
        one = slice(band, band + 1)
        alone = errors(stack.replace(coarse=stack.coarse[:, one], fine=stack.fine[:, one]))
        np.testing.assert_allclose(found.errors[:, one], alone.errors, rtol=1e-6)


@pytest.mark.parametrize(("scenes", "bands"), [(9, 2), (9, 4), (60, 4)])
def test_blocks_under_one_error_model_give_equal_bits(scenes: int, bands: int) -> None:
    """The row of 140 coarse pixels is longer than a kernel's chunk, which is longer for few scenes than for many; four
    bands are added at once."""
    days, parameters = DAY + np.arange(-150, 151, 25), Parameters(ratio=RATIO)
    images = _images(random(3, shape=(4, 140), scenes=scenes, bands=bands))
    whole = FusionPlan(images).fuse(days, parameters).quality
    for block in blocks(4, 140, 3, 60):
        top, left = block.halo
        plan = FusionPlan(cut(images, block, RATIO), top * RATIO, left * RATIO, error_model=whole.error_model)
        part, here = plan.fuse(days, parameters).quality, (..., *block.fine(RATIO))
        np.testing.assert_array_equal(part.standard_deviation, whole.standard_deviation[here])
        np.testing.assert_array_equal(part.effective_scenes, whole.effective_scenes[here])
        np.testing.assert_array_equal(part.days_to_scene, whole.days_to_scene[here])


def _images(stack: Stack) -> Images:
    arrays = (stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, stack.cloud_distance)
    return check_images(*arrays, stack.ratio)
