"""Laws of the fusion that hold for any input."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.fusion.efast import FusionPlan, Parameters, check_images
from satfusion_assets.fusion.efast.blocks import blocks, cut
from satfusion_assets_tests.fusion.efast.scenes import DAY, RATIO, Stack, constant, random

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)
DAYS = DAY + np.arange(-40, 41, 8)


def holey(seed: int, **options: Any) -> Stack:
    """Random images with missing pixels of every kind."""
    stack = random(seed, **options)
    rng = np.random.default_rng(seed)
    stack.fine[rng.random(stack.fine.shape) < 0.1] = np.nan
    stack.coarse[rng.random(stack.coarse.shape) < 0.3] = np.nan
    stack.coarse[:, 0, 2, 3] = np.nan
    stack.coarse[30:, 1, 1, 1] = np.nan
    return stack


def assert_close(some: np.ndarray, others: np.ndarray, tolerance: float = 2e-6) -> None:
    np.testing.assert_array_equal(np.isnan(some), np.isnan(others))
    np.testing.assert_allclose(some, others, rtol=0, atol=tolerance)


@few
@given(value=st.floats(0.01, 1), seed=seeds, conformance=st.booleans())
def test_constant_scenes_stay_constant(value: float, seed: int, conformance: bool) -> None:
    stack = constant(value)
    distance = np.random.default_rng(seed).uniform(1.1, 20, stack.cloud_distance.shape).astype(np.float32)
    values = stack.replace(cloud_distance=distance).fuse(DAYS[3:-3], conformance=conformance).values
    np.testing.assert_allclose(values, value, rtol=0, atol=1e-6)


@few
@given(seed=seeds, importance=st.sampled_from([0.0, 1.5]))
def test_a_scene_without_weight_changes_nothing(seed: int, importance: float) -> None:
    stack = holey(seed)
    more = stack.replace(
        fine=np.concatenate([stack.fine, stack.fine[:1] + 5]),
        fine_days=np.append(stack.fine_days, DAY),
        cloud_distance=np.concatenate([stack.cloud_distance, np.zeros_like(stack.cloud_distance[:1])]),
    )
    options = {"minimum_acquisition_importance": importance}
    np.testing.assert_array_equal(more.fuse(DAYS, **options).values, stack.fuse(DAYS, **options).values)


@few
@given(seed=seeds, scale=st.floats(0.1, 10), offset=st.floats(-1, 1))
def test_scaling_and_offset_commute(seed: int, scale: float, offset: float) -> None:
    stack = holey(seed)
    moved = stack.replace(
        fine=(stack.fine * scale + offset).astype(np.float32), coarse=(stack.coarse * scale + offset).astype(np.float32)
    )
    expected = stack.fuse(DAYS).values * scale + offset
    assert_close(moved.fuse(DAYS).values, expected, 4e-6 * (scale + 1))


@few
@given(seed=seeds)
def test_the_order_of_scenes_changes_nothing(seed: int) -> None:
    stack = holey(seed)
    order = np.random.default_rng(seed).permutation(len(stack.fine))
    other = stack.replace(
        fine=stack.fine[order], fine_days=stack.fine_days[order], cloud_distance=stack.cloud_distance[order]
    )
    np.testing.assert_array_equal(other.fuse(DAYS).values, stack.fuse(DAYS).values)


@few
@given(seed=seeds)
def test_translation_by_a_coarse_pixel_commutes(seed: int) -> None:
    stack = holey(seed, shape=(4, 6))
    whole = stack.fuse(DAYS).values[..., RATIO + RATIO // 2 :]
    moved = stack.cut(slice(0, 4), slice(1, 6)).fuse(DAYS).values[..., RATIO // 2 :]
    np.testing.assert_array_equal(moved, whole)


@few
@given(seed=seeds)
def test_bands_do_not_know_each_other(seed: int) -> None:
    stack = holey(seed)
    alone = stack.replace(fine=stack.fine[:, 1:], coarse=stack.coarse[:, 1:])
    np.testing.assert_array_equal(alone.fuse(DAYS).values[:, 0], stack.fuse(DAYS).values[:, 1])


@few
@given(seed=seeds, scene=st.integers(0, 4), y=st.integers(0, 15), x=st.integers(0, 19))
def test_a_missing_fine_pixel_touches_its_own_pixel_only(seed: int, scene: int, y: int, x: int) -> None:
    stack = holey(seed)
    before = stack.fuse(DAYS).values
    stack.fine[scene, 0, y, x] = np.nan
    after = stack.fuse(DAYS).values
    changed = ~(np.equal(after, before) | (np.isnan(after) & np.isnan(before)))
    changed[:, 0, y, x] = False
    assert not changed.any()


@few
@given(seed=seeds, row=st.integers(0, 3), column=st.integers(0, 4), from_day=st.integers(0, 100))
def test_missing_coarse_values_reach_half_a_coarse_pixel_beyond_their_own(
    seed: int, row: int, column: int, from_day: int
) -> None:
    stack = random(seed)
    before = stack.fuse(DAYS).values
    stack.coarse[from_day:, 0, row, column] = np.nan
    after = stack.fuse(DAYS).values
    changed = ~(np.equal(after, before) | (np.isnan(after) & np.isnan(before)))
    reach = RATIO // 2
    rows = slice(max(row * RATIO - reach, 0), (row + 1) * RATIO + reach)
    columns = slice(max(column * RATIO - reach, 0), (column + 1) * RATIO + reach)
    changed[:, 0, rows, columns] = False
    assert not changed.any()
    lost = np.isnan(after) & ~np.isnan(before)
    lost[:, 0, row * RATIO : (row + 1) * RATIO, column * RATIO : (column + 1) * RATIO] = False
    assert not lost.any()


@few
@given(seed=seeds, rows=st.integers(1, 4), columns=st.integers(1, 5), threads=st.integers(1, 3))
def test_blocks_of_any_size_give_equal_bits(seed: int, rows: int, columns: int, threads: int) -> None:
    stack = holey(seed)
    whole = stack.fuse(DAYS).values
    images = check_images(
        stack.coarse, stack.coarse_days, stack.fine, stack.fine_days, stack.cloud_distance, stack.ratio
    )
    pieced = np.empty_like(whole)
    for block in blocks(4, 5, rows, columns):
        top, left = block.halo
        plan = FusionPlan(cut(images, block, RATIO), top * RATIO, left * RATIO, threads)
        pieced[..., block.fine(RATIO)[0], block.fine(RATIO)[1]] = plan.fuse(DAYS, Parameters(RATIO)).values
    np.testing.assert_array_equal(pieced, whole)


@pytest.mark.parametrize("conformance", [False, True])
def test_inputs_are_never_modified(conformance: bool) -> None:
    stack = holey(1)
    before = {field.name: np.copy(getattr(stack, field.name)) for field in fields(stack)}
    fused = stack.fuse(DAYS, conformance=conformance)
    if not conformance:
        assert fused.quality.standard_deviation.shape == fused.values.shape
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(stack, name), array)


def test_a_chunk_boundary_is_not_seen() -> None:
    """Rows longer than the kernel's chunk give the numbers of their pieces."""
    stack = random(2, shape=(2, 300))
    whole = stack.fuse(DAYS).values
    part = stack.cut(slice(0, 2), slice(100, 200)).fuse(DAYS).values
    inner = slice(100 * RATIO + RATIO // 2, 200 * RATIO - RATIO // 2)
    np.testing.assert_array_equal(part[..., RATIO // 2 : -(RATIO // 2)], whole[..., inner])
