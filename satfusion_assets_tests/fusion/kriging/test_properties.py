"""What kriging must hold to, whatever the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.fusion.efast.blocks import blocks
from satfusion_assets.fusion.efast.inputs import check_images
from satfusion_assets.fusion.kriging import KrigingPlan, plan
from satfusion_assets_tests.fusion.kriging.scenes import FIXED, RATIO, START, Season, season

DAYS = START + np.arange(-10, 140, 7)


def sd(fused: Any) -> np.ndarray:
    return np.asarray(fused.quality.standard_deviation)


def dense(
    days: np.ndarray, scenes: np.ndarray, y: np.ndarray, noise: np.ndarray, variance: float, length: float
) -> Any:
    """Ordinary kriging of one pixel by its equations (Cressie 1993, section 3.2), with the level's Lagrange
    multiplier."""
    n = len(y)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n] = variance * np.exp(-np.abs(scenes[:, None] - scenes) / length) + np.diag(noise)
    system[n, :n] = system[:n, n] = 1
    right = np.ones((n + 1, len(days)))
    right[:n] = variance * np.exp(-np.abs(scenes[:, None] - days) / length)
    solved = np.linalg.solve(system, right)
    return solved[:n].T @ y, np.sqrt(variance - np.einsum("nd,nd->d", solved, right))


def test_without_drift_it_is_ordinary_kriging_of_the_scenes() -> None:
    stack = season(3).replace(coarse=np.empty((0, 2, 3, 4)), coarse_days=np.empty(0, "datetime64[D]"))
    fused = stack.fuse(DAYS, **FIXED)
    for row, column in ((0, 0), (5, 7), (11, 15)):
        y = stack.fine[:, 1, row, column]
        known = np.isfinite(y)
        scenes = (stack.fine_days[known] - START).astype(float)
        noise = np.full(known.sum(), FIXED["noise"])
        mean, deviation = dense((DAYS - START).astype(float), scenes, y[known], noise, 4e-4, 25.0)
        np.testing.assert_allclose(fused.values[:, 1, row, column], mean, atol=1e-10)
        np.testing.assert_allclose(sd(fused)[:, 1, row, column], deviation, rtol=1e-5)


def test_with_drift_it_is_the_gaussian_process_of_the_model() -> None:
    stack = season(4)
    fused = stack.fuse(DAYS, **FIXED)
    drift_plan = _plan(stack, **FIXED)
    now, then = (
        drift_plan.drift((d - np.datetime64(0, "D")).astype(np.int64)) for d in (DAYS, np.sort(stack.fine_days))
    )
    row = column = 1  # above and left of the first coarse centre: that pixel's series alone
    c, cs = now[:, 0, 0, 0], then[:, 0, 0, 0]
    y = stack.fine[np.argsort(stack.fine_days), 0, row, column]
    known = np.isfinite(y)
    scenes, days = np.sort(stack.fine_days)[known], DAYS
    t, d = (scenes - START).astype(float), (days - START).astype(float)
    level, c0 = 1e3, cs[known].mean()
    cs, c = cs[known] - c0, c - c0

    def covariance(a: np.ndarray, ca: np.ndarray, b: np.ndarray, cb: np.ndarray) -> np.ndarray:
        return level + 0.16 * np.outer(ca, cb) + 4e-4 * np.exp(-np.abs(a[:, None] - b) / 25)

    inner = covariance(t, cs, t, cs) + 4e-5 * np.eye(len(t))
    cross = covariance(d, c, t, cs)
    mean = 0.6 * c + cross @ np.linalg.solve(inner, y[known] - 0.6 * cs)
    variance = np.diag(covariance(d, c, d, c) - cross @ np.linalg.solve(inner, cross.T))
    np.testing.assert_allclose(fused.values[:, 0, row, column], mean, atol=2e-6)
    np.testing.assert_allclose(sd(fused)[:, 0, row, column] ** 2, variance, atol=2e-6)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=5, deadline=None)
def test_the_order_of_scenes_does_not_matter(seed: int) -> None:
    stack = season(seed, scenes=12)
    order = np.random.default_rng(seed).permutation(12)
    one, other = stack.fuse(DAYS), stack.of_scenes(order).fuse(DAYS)
    np.testing.assert_allclose(other.values, one.values, atol=1e-6)
    np.testing.assert_allclose(sd(other), sd(one), atol=1e-6)


@pytest.mark.parametrize("options", [FIXED, {}], ids=["given", "learned"])
def test_an_offset_of_all_scenes_is_one_of_the_estimate(options: dict[str, Any]) -> None:
    stack = season(5)
    one, other = stack.fuse(DAYS, **options), stack.replace(fine=stack.fine + 0.25).fuse(DAYS, **options)
    np.testing.assert_allclose(other.values, one.values + 0.25, atol=1e-6)
    np.testing.assert_allclose(sd(other), sd(one), atol=1e-6)


def test_a_scene_of_infinite_noise_changes_nothing() -> None:
    stack = season(6)
    noise = np.full((len(stack.fine), 1), 4e-5)
    noise[4] = np.inf
    one = stack.replace(fine=np.where(np.arange(len(stack.fine))[:, None, None, None] == 4, 9.0, stack.fine))
    without = np.delete(np.arange(len(stack.fine)), 4)
    doubted, left_out = one.fuse(DAYS, **FIXED | {"noise": noise}), stack.of_scenes(without).fuse(DAYS, **FIXED)
    np.testing.assert_allclose(doubted.values, left_out.values, atol=1e-9)
    np.testing.assert_allclose(sd(doubted), sd(left_out), rtol=1e-6)


@given(variance=st.floats(1e-6, 1e-3), at=st.integers(0, 15))
@settings(max_examples=8, deadline=None)
def test_two_scenes_of_a_variance_act_as_one_of_half(variance: float, at: int) -> None:
    stack = season(7)
    noise = np.full((len(stack.fine), 1), 4e-5)
    noise[at] = variance
    twice = stack.of_scenes(np.append(np.arange(len(stack.fine)), at))
    two = twice.fuse(DAYS, **FIXED | {"noise": np.append(noise, noise[at : at + 1], axis=0)})
    noise[at] = variance / 2
    one = stack.fuse(DAYS, **FIXED | {"noise": noise})
    np.testing.assert_allclose(two.values, one.values, atol=1e-9)
    np.testing.assert_allclose(sd(two), sd(one), rtol=1e-5)


def test_an_acquisition_that_comes_twice_counts_once() -> None:
    stack = season(8)
    twice = stack.of_scenes(np.append(np.arange(len(stack.fine)), [2, 9]))
    np.testing.assert_allclose(twice.fuse(DAYS).values, stack.fuse(DAYS).values, atol=1e-6)
    np.testing.assert_allclose(sd(twice.fuse(DAYS)), sd(stack.fuse(DAYS)), rtol=1e-4)


def test_the_deviation_grows_with_the_days_to_the_next_scene() -> None:
    stack = season(9, clouds=0.0)
    last = stack.fine_days.max()
    away = sd(
        stack.of_scenes(slice(None)).fuse(last + np.arange(0, 60, 5), **FIXED | {"gain": 0.0, "gain_spread": 0.0})
    )
    assert (np.diff(away, axis=0) > 0).all()


def test_every_day_of_a_pixel_once_seen_has_a_value() -> None:
    stack = season(10, clouds=0.5)
    fine = stack.fine.copy()
    fine[:, :, 0, 0] = np.nan
    fine[:, :, 0, 1] = np.nan
    fine[3, :, 0, 1] = 0.2
    fused = stack.replace(fine=fine).fuse(START + np.arange(-300, 500, 20))
    assert np.isnan(fused.values[:, :, 0, 0]).all()
    assert np.isnan(sd(fused)[:, :, 0, 0]).all()
    seen = np.ones(fine.shape[2:], bool)
    seen[0, 0] = False
    assert np.isfinite(fused.values[:, :, seen]).all()
    assert (sd(fused)[:, :, seen] > 0).all()
    assert set(fused.status) == {"ok"}


@given(rows=st.integers(1, 3), columns=st.integers(1, 4))
@settings(max_examples=4, deadline=None)
def test_blocks_of_any_size_give_equal_bits(rows: int, columns: int) -> None:
    stack = season(11, dtype=np.float32)
    whole = _plan(stack)
    expected = whole.fuse(DAYS)
    for block in blocks(3, 4, rows, columns):
        part = whole.block(block).fuse(DAYS)
        fine = (..., *block.fine(RATIO))
        np.testing.assert_array_equal(part.values, expected.values[fine])
        np.testing.assert_array_equal(sd(part), sd(expected)[fine])
        np.testing.assert_array_equal(part.quality.support, expected.quality.support[fine])  # type: ignore[attr-defined]


@given(seed=st.integers(0, 1000))
@settings(max_examples=2, deadline=None)
def test_images_of_32_bits_say_what_those_of_64_do(seed: int) -> None:
    one, other = season(seed, days=300, scenes=80), season(seed, days=300, scenes=80, dtype=np.float32)
    learned = _plan(one).hyperparameters
    exact, single = (_plan(stack, hyperparameters=learned).fuse(DAYS) for stack in (one, other))
    np.testing.assert_allclose(single.values, exact.values, atol=2e-5)
    np.testing.assert_allclose(sd(single), sd(exact), atol=2e-5)


def test_threads_give_equal_bits() -> None:
    stack = season(12, dtype=np.float32)
    np.testing.assert_array_equal(stack.fuse(DAYS, threads=1).values, stack.fuse(DAYS, threads=3).values)


def _plan(stack: Season, **options: Any) -> KrigingPlan:
    clear = np.full((len(stack.fine), 3, 4), 255, np.float32)
    images = (stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, clear)
    assert check_images(*images, RATIO).bands == 2
    return plan(*images, ratio=RATIO, **options)
