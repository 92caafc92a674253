"""The authors' package behind the platform's interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from satfusion_assets.fusion.efast import fuse
from satfusion_assets.pipeline.fused.engines import EngineName, engine, package_installed
from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets_tests.fusion.efast.test_conformance import CASES, fuse_case


def test_the_platforms_own_engine_is_always_there() -> None:
    assert engine(EngineName.SATFUSION) is fuse


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satfusion_assets.pipeline.fused.engines.find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match="efast"):
        engine(EngineName.PACKAGE)


if package_installed():

    @pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
    def test_conformance_mode_equals_the_installed_package(case: Path) -> None:
        package, _, _ = fuse_case(case, fuse=engine(EngineName.PACKAGE))
        ours, _, _ = fuse_case(case)
        assert package.status == ours.status
        np.testing.assert_array_equal(np.isnan(package.values), np.isnan(ours.values))
        known = np.isfinite(ours.values)
        np.testing.assert_allclose(package.values[known], ours.values[known], rtol=0, atol=5e-7)
