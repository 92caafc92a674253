"""What ``fuse`` accepts, refuses and reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from satfusion_assets_tests.fusion.efast.scenes import DAY, constant, random


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"coarse": np.zeros((121, 2, 4, 5))[0]}, "coarse"),
        ({"coarse": np.zeros((121, 2, 4, 5), np.int16)}, "coarse"),
        ({"coarse_days": DAY + np.arange(120)}, "coarse_days"),
        ({"coarse_days": np.sort(DAY + np.arange(121) // 2)}, "coarse_days"),
        ({"coarse_days": DAY - np.arange(121)}, "coarse_days"),
        ({"coarse_days": np.full(121, np.datetime64("NaT"), "datetime64[D]")}, "coarse_days"),
        ({"coarse_days": ["spring"] * 121}, "coarse_days"),
        ({"fine": np.zeros((5, 3, 16, 20), np.float32)}, "fine"),
        ({"fine": np.zeros((5, 2, 16, 21), np.float32)}, "fine"),
        ({"fine_days": DAY + np.arange(4)}, "fine_days"),
        ({"cloud_distance": np.zeros((5, 5, 4), np.float32)}, "cloud_distance"),
        ({"ratio": 0}, "ratio"),
        ({"ratio": 2.5}, "ratio"),
    ],
)
def test_arguments_that_do_not_fit_are_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        constant().replace(**changes).fuse()


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
@pytest.mark.parametrize("name", ["sigma", "max_days", "cloud_distance_limit"])
def test_parameters_must_be_positive(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        constant().fuse(**{name: value})


def test_importance_may_be_zero_but_not_negative() -> None:
    with pytest.raises(ValueError, match="minimum_acquisition_importance"):
        constant().fuse(minimum_acquisition_importance=-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_images_is_kept(dtype: type) -> None:
    stack = random(1)
    fused = stack.replace(coarse=stack.coarse.astype(dtype), fine=stack.fine.astype(dtype)).fuse()
    assert fused.values.dtype == dtype
    np.testing.assert_allclose(fused.values, stack.fuse().values, rtol=0, atol=5e-7)


def test_days_without_images_are_a_status() -> None:
    stack = constant()
    none = slice(0, 0)
    empty_coarse = stack.replace(coarse=stack.coarse[none], coarse_days=stack.coarse_days[none])
    empty_fine = stack.replace(
        fine=stack.fine[none], fine_days=stack.fine_days[none], cloud_distance=stack.cloud_distance[none]
    )
    assert stack.fuse([DAY, DAY + 60, DAY + 300]).status == ("ok", "no_fine", "no_coarse")
    assert empty_coarse.fuse().status == ("no_coarse",)
    assert empty_fine.fuse().status == ("no_fine",)
    for fused in (empty_coarse.fuse(), empty_fine.fuse(), stack.fuse(DAY + 300)):
        assert np.isnan(fused.values).all()
    assert stack.fuse(np.array([], "datetime64[D]")).values.shape == (0, 2, 16, 20)


@pytest.mark.parametrize(
    ("blank", "word"), [("coarse", "no_coarse"), ("fine", "no_fine"), ("cloud_distance", "no_fine")]
)
def test_images_without_any_value_are_a_status(blank: str, word: str) -> None:
    stack = constant()
    fused = stack.replace(**{blank: np.full_like(getattr(stack, blank), np.nan)}).fuse()
    assert fused.status == (word,)
    assert np.isnan(fused.values).all()


@pytest.mark.parametrize(("composites", "word"), [(4, "ok"), (3, "no_coarse"), (1, "no_coarse")])
def test_a_day_with_too_few_composites_for_an_estimate_has_no_coarse_images(composites: int, word: str) -> None:
    stack = constant()
    near = np.sort(np.argsort(np.abs(stack.coarse_days - DAY))[:composites])
    fused = stack.replace(coarse=stack.coarse[near], coarse_days=stack.coarse_days[near]).fuse(DAY)
    assert fused.status == (word,)
    assert np.isnan(fused.values).all() == (word != "ok")


def test_windows_are_strict() -> None:
    """A scene exactly ``max_days`` away, and a composite half as far again, take no part; four composites must."""
    stack = constant(scenes=1)
    stack = stack.replace(fine_days=stack.coarse_days[-4:][:1] - 41)
    day = stack.fine_days[0]
    assert stack.fuse([day + 29, day + 30, day - 29, day - 30]).status == ("ok", "no_fine", "ok", "no_fine")
    late = stack.replace(coarse=stack.coarse[-4:], coarse_days=stack.coarse_days[-4:])
    fourth = late.coarse_days[-1]
    assert list(np.isnan(late.fuse([fourth - 44, fourth - 45]).values[:, 0, 0, 0])) == [False, True]
