"""What ``fuse(method="kriging")`` accepts, refuses, learns and reports."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import satfusion_assets
from satfusion_assets import fuse
from satfusion_assets.fusion.kriging import KrigingQuality, Support
from satfusion_assets.fusion.kriging.hyperparameters import GAIN_SPREAD, LEAST_SCENES
from satfusion_assets.fusion.kriging.indices import index_with_deviation
from satfusion_assets_tests.fusion.kriging.scenes import FIXED, START, Season, season


def error(stack: Season, **options: Any) -> float:
    """Root mean square error over all days and pixels."""
    return float(np.sqrt(np.mean((stack.fuse(**options).values - stack.truth) ** 2)))


def test_importing_the_package_loads_no_engine() -> None:
    code = """
import satfusion_assets, sys
assert "numba" not in sys.modules
satfusion_assets.fuse
assert "numba" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inputs_are_never_modified() -> None:
    """Scenarios of one strategy are made of the same arrays."""
    stack = season(3)
    stack.fine[2, :, :2] = np.nan
    stack.fine[5] += 0.4  # snow, or a cloud that nothing has flagged
    before = {name: np.copy(getattr(stack, name)) for name in ("coarse", "coarse_days", "fine", "fine_days")}
    assert np.isfinite(stack.fuse().quality.standard_deviation).all()
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(stack, name), array)


def test_without_a_method_it_is_efast() -> None:
    stack = season(0)
    clear = np.full((len(stack.fine), 3, 4), 255, np.float32)
    images = (stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, clear)
    days = START + np.arange(40, 60)
    default = satfusion_assets.fuse(days, *images, ratio=stack.ratio)
    np.testing.assert_array_equal(default.values, satfusion_assets.fuse(days, *images, ratio=4, method="efast").values)
    with pytest.raises(ValueError, match="method"):
        satfusion_assets.fuse(days, *images, ratio=4, method="cokriging")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "options",
    [
        {"gain": [1.0, 2.0, 3.0]},
        {"variance": 0.0},
        {"correlation_days": -3.0},
        {"noise": np.zeros(16)},
        {"noise": np.nan},
        {"scene_offset": np.zeros((3, 3))},
        {"freedom": 0.0},
        {"smoothing_days": 0.0},
        {"coarse_snow": np.zeros((3, 3), bool)},
        {"fine_snow": np.zeros((16, 12, 16))},
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_argument_that_does_not_fit_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        season(0).fuse(**FIXED | options)


def test_without_a_coarse_series_the_scenes_speak_alone_and_it_is_said() -> None:
    stack = season(1)
    alone = stack.replace(coarse=stack.coarse[:0], coarse_days=stack.coarse_days[:0])
    fused = alone.fuse()
    assert set(fused.status) == {"no_coarse"}
    assert np.isfinite(fused.values).all()
    assert not np.isin(fused.quality.support, [Support.DRIFT, Support.SNOW]).any()  # type: ignore[attr-defined]
    missing = stack.replace(coarse=np.full_like(stack.coarse, np.nan))
    np.testing.assert_array_equal(missing.fuse().values, fused.values)
    np.testing.assert_array_equal(alone.replace(coarse=None).fuse().values, fused.values)


@pytest.mark.parametrize("scenes", [0, 1, 2, LEAST_SCENES - 1])
def test_with_hardly_a_scene_it_still_answers(scenes: int) -> None:
    stack = season(2, clouds=0.0).of_scenes(slice(0, scenes))
    fused = stack.fuse()
    assert np.isfinite(fused.values).all() == (scenes > 0)
    assert set(fused.status) == {"ok" if scenes else "no_fine"}
    if scenes:
        settings = fused.quality.hyperparameters  # type: ignore[attr-defined]
        assert settings.scenes == 0
        np.testing.assert_array_equal(settings.gain_spread, GAIN_SPREAD)
        assert (settings.gain >= 0).all()
        assert (settings.gain <= 1).all()


def test_the_effect_of_a_hazy_scene_is_learned_and_taken_off() -> None:
    stack = season(3, shape=(6, 6), clouds=0.1)
    hazy = stack.fine.copy()
    hazy[7] += np.array([0.06, 0.03])[:, None, None]
    found = stack.replace(fine=hazy).fuse().quality.hyperparameters.offset[7]  # type: ignore[attr-defined]
    np.testing.assert_allclose(found, [0.06, 0.03], atol=0.012)
    assert error(stack.replace(fine=hazy)) < 1.15 * error(stack)


def test_a_scene_that_is_merely_wrong_loses_its_weight() -> None:
    stack = season(4, shape=(6, 6), clouds=0.1)
    wrong = stack.fine.copy()
    middle = np.nanmean(wrong[9])
    wrong[9] = middle + 3 * (wrong[9] - middle)  # stretched in contrast
    assert error(stack.replace(fine=wrong)) < 1.15 * error(stack)


def test_a_missed_cloud_leaves_no_trace() -> None:
    stack = season(5, shape=(6, 6), scenes=24, clouds=0.0)
    cloudy = stack.fine.copy()
    cloudy[11, :, 3:6, 3:6] += 0.4
    there = (slice(None), slice(None), slice(3, 6), slice(3, 6))
    clean, spoiled = (s.fuse().values[there] for s in (stack, stack.replace(fine=cloudy)))
    assert np.abs(spoiled - clean).max() < 0.02


def test_gain_is_told_by_places_where_scenes_are_few() -> None:
    """Two scenes; the surface follows the coarse series at one place and not at all at another."""
    stack = season(6, shape=(8, 8), scenes=2, days=60, clouds=0.0)
    stack = stack.of_scenes(np.argsort(stack.fine_days)).replace(fine_days=START + np.array([2, 57]))
    rng = np.random.default_rng(6)
    change = rng.uniform(0, 0.1, (1, 2, 8, 8)) / (1 + np.exp(-(np.arange(60) - 30) / 5))[:, None, None, None] ** -1
    level = np.full((1, 2, 32, 32), 0.2)
    fine_change = np.repeat(np.repeat(change, 4, axis=2), 4, axis=3)
    follows = stack.replace(coarse=0.2 + change, fine=(level + fine_change)[[2, 57]])
    ignores = stack.replace(coarse=0.2 + change, fine=np.repeat(level, 2, axis=0) + rng.normal(0, 1e-3, (2, 2, 32, 32)))
    gains = [s.fuse().quality.hyperparameters.gain for s in (follows, ignores)]  # type: ignore[attr-defined]
    assert (gains[0] > 0.7).all()
    assert (gains[1] < 0.2).all()


def test_the_deviation_covers_what_it_says() -> None:
    scores = []
    for seed in range(3):
        stack = season(seed, shape=(5, 5), scenes=24)
        fused = stack.fuse()
        scores.append(np.abs(fused.values - stack.truth) / fused.quality.standard_deviation)
    sizes = np.concatenate([score.ravel() for score in scores])
    assert 0.55 < np.mean(sizes < 1) < 0.85
    assert np.mean(sizes < 1.96) > 0.86


def test_snow_is_no_ground_and_is_said() -> None:
    stack = season(7, bands=4, scenes=20, clouds=0.0)
    ground = np.array([0.05, 0.08, 0.07, 0.3])[None, :, None, None]
    truth = np.broadcast_to(ground, stack.truth.shape)
    days = (stack.fine_days - START).astype(int)
    white = (days > 80)[:, None, None, None]
    winter = (np.arange(120) > 80)[:, None, None, None]
    rng = np.random.default_rng(7)
    fine = np.where(white, 0.8, truth[days]) + rng.normal(0, 1e-3, stack.fine.shape)
    coarse = np.where(winter, 0.8, ground) + rng.normal(0, 1e-3, stack.coarse.shape)
    fused = stack.replace(fine=fine, coarse=coarse, truth=truth).fuse()
    assert np.abs(fused.values - truth).max() < 0.02
    assert (fused.quality.support[85:] == Support.SNOW).all()  # type: ignore[attr-defined]
    assert not (fused.quality.support[:75] == Support.SNOW).any()  # type: ignore[attr-defined]


def test_the_layers_say_what_a_value_rests_on() -> None:
    stack = season(8, clouds=0.0)
    first, last = stack.fine_days.min(), stack.fine_days.max()
    days = np.array([first, first + (last - first) // 2, last + 10, last + 300])
    quality = stack.fuse(days, **FIXED).quality
    assert isinstance(quality, KrigingQuality)
    words = quality.support[:, 0, 0].tolist()
    assert words[0] == Support.OBSERVED
    assert words[1] in (Support.BOTH_SIDES, Support.OBSERVED)
    assert words[2:] == [Support.ONE_SIDE, Support.LEVEL]
    assert quality.days_to_scene[[0, 2, 3], 0, 0].tolist() == [0, 10, 255]
    assert (np.diff(quality.effective_scenes[[0, 2, 3], 0, 0]) < 0).all()


@pytest.mark.parametrize("name", ["ndvi", "gcc"])
def test_the_deviation_of_an_index_is_that_of_its_bands_together(name: str) -> None:
    stack = season(9, bands=4, scenes=24)
    fused = stack.fuse(START + np.array([30, 60]))
    quality = fused.quality
    index, deviation = index_with_deviation(name, fused.values, quality)  # type: ignore[arg-type]
    rng = np.random.default_rng(9)
    correlation, common = quality.hyperparameters.band_correlation, quality.common_covariance[1]  # type: ignore[attr-defined]
    own = np.sqrt(np.maximum(quality.standard_deviation[1, :, 5, 5].astype(float) ** 2 - np.diag(common), 0))
    covariance = correlation * np.outer(own, own) + common
    drawn = fused.values[1, :, 5, 5] + rng.multivariate_normal(np.zeros(4), covariance, 20_000)
    of_drawn = index_with_deviation(name, drawn[:, :, None, None], quality_like(quality, len(drawn)))[0]  # type: ignore[arg-type]
    np.testing.assert_allclose(index[1, 5, 5], of_drawn.mean(), atol=0.01)
    np.testing.assert_allclose(deviation[1, 5, 5], of_drawn.std(), rtol=0.1)


def quality_like(quality: KrigingQuality, days: int) -> KrigingQuality:
    from dataclasses import replace

    zeros = np.zeros((days, 4, 4))
    return replace(quality, standard_deviation=np.zeros((days, 4, 1, 1), np.float32), common_covariance=zeros)


def test_a_surface_without_any_difference_is_told_as_it_is() -> None:
    days = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
    fine = np.full((len(days[::8]), 4, 12, 12), 0.2, np.float32)
    coarse, near = np.full((len(days[::2]), 4, 2, 2), 0.2, np.float32), np.full((len(fine), 2, 2), 20.0, np.float32)
    fused = fuse(days, coarse, days[::2], fine, days[::8], near, ratio=6, method="kriging")
    np.testing.assert_allclose(fused.values, 0.2, atol=1e-6)
    assert (fused.quality.standard_deviation < 0.001).all()
