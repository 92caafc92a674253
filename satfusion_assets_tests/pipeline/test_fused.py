"""The fused product: what the fusion returns for a day lies in that day's files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from satfusion_assets.fusion.efast import Fused, Status
from satfusion_assets.fusion.efast.assessment import empty_layers
from satfusion_assets.fusion.efast.fused import Begin, FusedRows
from satfusion_assets.fusion.efast.operands import Layers
from satfusion_assets.fusion.efast.quality import NO_SCENE
from satfusion_assets.fusion.efast.uncertainty import ErrorModel
from satfusion_assets.fusion.season import SeasonStack
from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.fused.fuse import fuse_season, season_days
from satfusion_assets.pipeline.fused.kept import KeptSeason
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import StoreError
from satfusion_assets.vocabulary.scenarios import BANDS, Scenario, Strategy
from satfusion_assets_tests.pipeline.test_gap_experiment import BTI, HERE, SITE, publish_prepared


@pytest.mark.parametrize("scenario", [BTI, Scenario.parse("aggressive_kriging")], ids=str)
def test_each_day_that_could_be_fused_has_its_own_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Scenario
) -> None:
    """Every third day and the first ten have none; an image shows its day's number, with a pixel for each row."""
    store, days = ProductStore(tmp_path), season_days(HERE)
    publish_prepared(store, HERE, Strategy.AGGRESSIVE, every=60)
    missing = {place for place in range(len(days)) if place < 10 or place % 3 == 0}
    status = tuple(Status.NO_FINE if place in missing else Status.OK for place in range(len(days)))

    def numbered(shape: tuple[int, ...]) -> np.ndarray:
        values = np.empty((len(days), *shape), np.float32)
        for place in range(len(days)):
            values[place] = np.nan if place in missing else place / 1024
            values[place, ..., 0] += np.arange(shape[1]) / 1024
        return values

    def whole(season: SeasonStack, *_: object) -> Fused:
        return Fused(numbered(season.fine.shape[1:]), status)

    def by_rows(season: SeasonStack, scenario: Scenario, days: np.ndarray, begin: Begin, _: float) -> FusedRows:
        values, take = numbered(season.fine.shape[1:]), begin(status)
        for first in reversed(range(0, values.shape[2], 4)):
            rows = values[:, :, first : first + 4]
            take(first, rows, Layers(*map(np.zeros_like, empty_layers(rows.shape))))
        of_bands = np.zeros(values.shape[1])
        noise = ErrorModel(of_bands, of_bands, np.zeros((len(season.fine), len(of_bands))), of_bands)
        return FusedRows(status, np.zeros((len(days), *season.coarse.shape[2:]), np.uint8), noise)

    monkeypatch.setattr(SeasonStack, "fuse", whole)
    monkeypatch.setattr(SeasonStack, "fuse_rows", by_rows)
    outcome = fuse_season(store, SITE, HERE, scenario)
    folder, layout = store.folder(HERE), FusedLayout(scenario)
    statuses = json.loads((folder / layout.status).read_text())
    for place, day in enumerate(days):
        assert statuses[day.isoformat()] == ("no_fine" if place in missing else "ok")
        assert (folder / layout.image(day)).exists() == (place not in missing)
        if place not in missing:
            with rasterio.open(folder / layout.image(day)) as raster:
                image = raster.read()
            assert (image[:, :, 1:] == place / 1024).all(), day
            assert (image[:, :, 0] == (place + np.arange(image.shape[1])) / 1024).all(), day
    assert outcome.numbers["days"] == len(days) - len(missing)
    assert outcome.numbers["valid_fraction"] == round(1 - len(missing) / len(days), 4)


def test_a_value_that_no_image_can_hold_is_named_and_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ProductStore(tmp_path)
    publish_prepared(store, HERE, Strategy.AGGRESSIVE, every=60)

    def bright(season: SeasonStack, scenario: Scenario, days: np.ndarray, begin: Begin, _: float) -> FusedRows:
        values = np.full((len(days), *season.fine.shape[1:]), 0.2, np.float32)
        values[3, 1, 7, 5] = 3.5
        rows, fused = values[:, :, 6:], (Status.NO_FINE, *[Status.OK] * (len(days) - 1))
        begin(fused)(6, rows, Layers(*map(np.zeros_like, empty_layers(rows.shape))))
        raise AssertionError("taken")

    monkeypatch.setattr(SeasonStack, "fuse_rows", bright)
    with pytest.raises(StoreError, match=r"fused is 3\.5 in the image of 2024-01-04 at \(1, 7, 5\)"):
        fuse_season(store, SITE, HERE, BTI)
    assert not (store.folder(HERE) / FusedLayout(BTI).folder).exists()


@pytest.mark.parametrize("portion", [2, 3, 12])
def test_the_headline_says_the_medians_of_every_fifth_day_row_and_column(portion: int) -> None:
    rng, days = np.random.default_rng(1), season_days(HERE)[:21]
    shape = (len(days), 4, 12, 16)
    near = rng.integers(0, 40, (len(days), *shape[2:])).astype(np.uint8)
    near[rng.random(near.shape) < 0.1] = NO_SCENE
    deviation = rng.uniform(0.001, 0.1, shape).astype(np.float32)
    deviation[rng.random(shape) < 0.1] = np.nan
    kept = KeptSeason(days, BANDS, 12, 16)
    take = kept.begin([Status.OK] * len(days))
    for first in range(0, 12, portion):
        rows = (..., slice(first, first + portion), slice(None))
        take(first, deviation[rows], Layers(near[rows], np.ones_like(near[rows], np.float32), deviation[rows]))
    lattice = (slice(None, None, 5), ..., slice(None, None, 5), slice(None, None, 5))
    known = near[lattice][near[lattice] != NO_SCENE]
    assert kept.headline == {
        "median_days_to_scene": float(np.median(known)),
        "median_standard_deviation": round(float(np.nanmedian(deviation[lattice])), 5),
    }
