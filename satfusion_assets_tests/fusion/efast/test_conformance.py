"""Conformance mode: equal to the authors' package, day for day and NaN for NaN."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.fusion.efast import Fused, fuse
from satfusion_assets_tests.conftest import GOLDENS

CASES = sorted(path for path in GOLDENS.glob("case*"))
STATUS = {"ok": "ok", "none": "no_coarse", "error:ZeroDivisionError": "no_fine"}


def days(numbers: np.ndarray) -> np.ndarray:
    """20240416 -> 2024-04-16."""
    return np.array([f"{n // 10000}-{n // 100 % 100:02d}-{n % 100:02d}" for n in numbers], "datetime64[D]")


conforming = partial(fuse, conformance=True)


def fuse_case(
    case: Path, *, fuse: Callable[..., Fused] = conforming, nodata_is_nan: bool = False
) -> tuple[Fused, np.ndarray, list[str]]:
    """A golden case through ``fuse``: the result, and the package's values and status."""
    arrays = np.load(case / "case.npz")
    params = json.loads((case / "params.json").read_text())
    fine = arrays["hr"]
    if nodata_is_nan:
        fine = np.where(fine[:, :1] == 0, np.nan, fine)
    fused = fuse(
        days(arrays["pred_dates"]),
        arrays["lr"],
        days(arrays["lr_dates"]),
        fine,
        days(arrays["hr_dates"]),
        arrays["dist"],
        ratio=params["ratio"],
        sigma=params["sigma"],
        max_days=params["max_days"],
        cloud_distance_limit=params["D"],
        minimum_acquisition_importance=params["minimum_acquisition_importance"],
    )
    return fused, arrays["out"], params["status"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_golden_case_is_reproduced(case: Path) -> None:
    fused, expected, status = fuse_case(case)
    tolerance = 1e-12 if expected.dtype == np.float64 else 5e-7
    assert fused.values.dtype == expected.dtype
    assert list(fused.status) == [STATUS[word] for word in status]
    np.testing.assert_array_equal(np.isnan(fused.values), np.isnan(expected))
    assert np.nanmax(np.abs(fused.values - expected)) <= tolerance


@pytest.mark.parametrize("name", ["case01", "case10"])
def test_default_mode_agrees_where_no_trap_bites(name: str) -> None:
    fused, expected, _ = fuse_case(GOLDENS / name, fuse=fuse, nodata_is_nan=True)
    np.testing.assert_array_equal(np.isnan(fused.values), np.isnan(expected))
    assert np.nanmax(np.abs(fused.values - expected)) <= 5e-7


def test_goldens_are_there() -> None:
    assert len(CASES) == 10
