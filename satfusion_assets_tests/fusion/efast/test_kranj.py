"""The real benchmark: fusion beats every persistence on a withheld Landsat image."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.kranj import predictions
from satfusion_assets_tests.conftest import REAL_DATA

FOLDER = REAL_DATA / "kranj"


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is absent; SATFUSION_REAL_DATA names the folder above it")
def test_fusion_beats_every_persistence_in_every_band() -> None:
    methods, _, truth = predictions(FOLDER)
    rmse = {name: np.sqrt(np.nanmean((image - truth) ** 2, axis=(1, 2))) for name, image in methods.items()}
    fused = rmse.pop("fusion (default)")
    for name, others in rmse.items():
        if name.startswith("persistence"):
            assert (fused < others).all(), name
