"""The fused product: what the fusion returns for a day lies in that day's files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from satfusion_assets.fusion.efast import Fused, Status
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.fuse import fuse_season, season_days
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets_tests.pipeline.test_gap_experiment import BTI, HERE, SITE, publish_prepared


@pytest.mark.parametrize("of_another_array", [False, True])
def test_each_day_that_could_be_fused_has_its_own_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_another_array: bool
) -> None:
    """Every third day and the first ten have none; an image shows its day's number."""
    store, days = ProductStore(tmp_path), season_days(HERE)
    publish_prepared(store, HERE, Strategy.AGGRESSIVE, every=60)
    missing = {place for place in range(len(days)) if place < 10 or place % 3 == 0}

    def numbered(season: SeasonStack, *_: object) -> Fused:
        values = np.empty((len(days), *season.fine.shape[1:]), np.float32)
        for place in range(len(days)):
            values[place] = np.nan if place in missing else place / 1024
        status = tuple(Status.NO_FINE if place in missing else Status.OK for place in range(len(days)))
        return Fused(values[:] if of_another_array else values, status)

    monkeypatch.setattr(SeasonStack, "fuse", numbered)
    outcome = fuse_season(store, SITE, HERE, BTI)
    folder, layout = store.folder(HERE), FusedLayout(BTI)
    statuses = json.loads((folder / layout.status).read_text())
    for place, day in enumerate(days):
        assert statuses[day.isoformat()] == ("no_fine" if place in missing else "ok")
        assert (folder / layout.image(day)).exists() == (place not in missing)
        if place not in missing:
            with rasterio.open(folder / layout.image(day)) as raster:
                assert (raster.read() == place / 1024).all(), day
    assert outcome.numbers["days"] == len(days) - len(missing)
    assert outcome.numbers["valid_fraction"] == round(1 - len(missing) / len(days), 4)
