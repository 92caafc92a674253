"""Cameras on a known landscape: the archive's own with its faults, and others that see the truth."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from satfusion_assets.cli.truth_cameras import its_camera, other_cameras
from satfusion_assets.cli.truth_surface import known_truth
from satfusion_assets.sandbox.camera import SyntheticCamera
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.truth.season import ScoredSeason
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import Strategy
from satfusion_assets.vocabulary.sites import make_site
from satfusion_assets_tests.evaluation.gaps.builders import stack

DAYS = np.arange("2024-06-01", "2024-07-01", 3, dtype="datetime64[D]")
SITE = make_site("innsbruck", name="innsbruck", latitude=47.116171, longitude=11.320308, seasons=(2024,))


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return Landscape(SITE, 3)


@pytest.fixture(scope="module")
def season(landscape: Landscape) -> ScoredSeason:
    grid = site_grid(SITE).fine
    surface = landscape.view(grid.affine, (grid.height, grid.width))
    nothing = stack(DAYS[:2], np.full(2, np.nan), size=5, ratio=30)
    return ScoredSeason.of(Strategy.AGGRESSIVE, nothing, known_truth(surface), DAYS, [])


def test_the_sites_camera_shows_what_its_archive_serves(landscape: Landscape, season: ScoredSeason) -> None:
    cameras = its_camera(landscape, season)
    served = SyntheticCamera(landscape, date(2023, 1, 1), date(2025, 12, 31))
    assert cameras.seen.shape == (len(DAYS), 1)
    for day, seen in zip(DAYS.tolist(), cameras.seen[:, 0], strict=True):
        assert np.isnan(seen) == served.is_down(day)
        if np.isfinite(seen):
            assert seen == pytest.approx(served.shot(served.rois[0], day).gcc)


def test_other_cameras_stand_where_plants_grow_and_see_the_truth(season: ScoredSeason, landscape: Landscape) -> None:
    cameras = other_cameras(landscape, season)
    assert 20 < len(cameras.covers) <= 64
    assert set(cameras.covers) <= {"grass", "crop", "broadleaf", "conifer", "wetland"}
    assert np.asarray(cameras.weights.sum(axis=1)).ravel() == pytest.approx(np.ones(len(cameras.covers)))
    water = season.truth.land_cover.ravel() == Cover.WATER
    assert (cameras.weights @ water).max() <= 0.2
    pixel = int(cameras.weights[0].argmax())
    row, column = divmod(pixel, season.truth.land_cover.shape[1])
    assert cameras.seen[0, 0] == pytest.approx(season.true["gcc"][0, row, column], abs=0.03)
