"""The landscape: its truth is a function of site, seed and day, and its seasons are those of its place."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from affine import Affine

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.landscape import Landscape, SurfaceView
from satfusion_assets.sandbox.layout import vegetation
from satfusion_assets.sandbox.signatures import Cover
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.sandbox.conftest import SITES, SOUTHERN


def square(landscape: Landscape, side: int, resolution: int = 10) -> SurfaceView:
    """A square grid of ``side`` pixels around the site."""
    west, south, east, north = landscape.bounds
    x, y = (west + east) / 2 - side * resolution / 2, (north + south) / 2 + side * resolution / 2
    return landscape.view(Affine(resolution, 0, x, 0, -resolution, y), (side, side))


def gcc_of(view: SurfaceView, year: int) -> np.ndarray:
    """(days, *cells): snow-free GCC of a calendar year, written out independently of ``true_dates``."""
    length = date(year, 12, 31).timetuple().tm_yday
    days = [view.canopy(date(year, 1, 1) + timedelta(i), ("blue", "green", "red")) for i in range(length)]
    return np.stack([green / (blue + green + red) for blue, green, red in days])


def test_the_truth_depends_on_site_seed_and_day_alone() -> None:
    first, second = Landscape(SITES["innsbruck"], 7), Landscape(SITES["innsbruck"], 7)
    square(second, 20).reflectance(date(2019, 8, 1))  # what was asked before makes no difference
    day = date(2024, 5, 3)
    np.testing.assert_array_equal(square(first, 40).reflectance(day), square(second, 40).reflectance(day))
    other = square(Landscape(SITES["innsbruck"], 8), 40).reflectance(day)
    assert np.abs(other - square(first, 40).reflectance(day)).max() > 0.01


@pytest.mark.parametrize("name", SITES)
def test_the_cameras_vegetation_lies_at_the_centre_of_a_mixed_landscape(world: SandboxWorld, name: str) -> None:
    landscape = world.landscape(name)
    main, second = vegetation(SITES[name])
    covers = square(landscape, 150).land_cover
    assert (covers[65:85, 65:85] == main).mean() > 0.9
    assert (covers == second).sum() > 200
    assert len(np.unique(covers)) >= 5


def test_a_grid_asks_the_cells_under_its_pixel_centres(world: SandboxWorld) -> None:
    landscape, day = world.landscape("innsbruck"), date(2024, 7, 1)
    fine = square(landscape, 60).reflectance(day)
    coarse = square(landscape, 20, resolution=30).reflectance(day)
    np.testing.assert_array_equal(coarse, fine[:, 1::3, 1::3])
    with pytest.raises(ValueError, match="beyond the sandbox's world of innsbruck"):
        square(landscape, 2000)


def test_meadows_swing_between_brown_and_green_and_conifers_hardly_at_all(world: SandboxWorld) -> None:
    landscape = world.landscape("innsbruck")
    meadow = gcc_of(landscape.field(Cover.GRASS), 2024).mean(axis=1)
    forest = gcc_of(landscape.field(Cover.CONIFER), 2024).mean(axis=1)
    assert 0.325 < meadow.min() < 0.345
    assert 0.405 < meadow.max() < 0.435
    assert np.ptp(forest) < 0.02


def test_the_meadow_at_innsbruck_is_cut_twice_or_thrice_and_grows_again(world: SandboxWorld) -> None:
    one = world.landscape("innsbruck").field(Cover.GRASS)
    meadow = gcc_of(one, 2024)[:, :50].mean(axis=1)
    drops = np.flatnonzero(meadow[2:] - meadow[:-2] < -0.02)
    cuts = drops[np.diff(drops, prepend=-99) > 20]
    assert 2 <= len(cuts) <= 3
    for cut in cuts[:2]:  # what is cut in autumn does not come back
        assert meadow[cut + 32 : cut + 36].max() > meadow[cut + 4] + 0.015


@pytest.mark.parametrize("name", SITES)
def test_neighbouring_years_differ_in_date_and_amplitude(world: SandboxWorld, name: str) -> None:
    landscape, season = world.landscape(name), SITES[name].seasons[-1]
    years = [landscape.field(landscape.main).true_dates(year) for year in (season - 1, season, season + 1)]
    springs = sorted(float(np.median(year.rising[2])) for year in years)
    heights = sorted(float(np.median(year.maximum)) for year in years)
    assert springs[2] - springs[0] > 1.5
    assert min(np.diff(springs)) > 0.02
    assert heights[2] - heights[0] > 0.002


def test_dates_differ_between_the_pixels_of_one_year(world: SandboxWorld) -> None:
    view = square(world.landscape("innsbruck"), 60)
    dates = view.true_dates(2024)
    meadows = dates.rising[2][view.land_cover == Cover.GRASS]
    assert np.nanstd(meadows) > 2


def test_true_dates_are_where_the_daily_truth_crosses_the_shares_of_its_amplitude(world: SandboxWorld) -> None:
    view = world.landscape("vindeln2").field(Cover.BROADLEAF)
    dates, days = view.true_dates(2023), gcc_of(view, 2023)
    low, high = days.min(axis=0), days.max(axis=0)
    axis = np.arange(1, 366)
    for share, rising, falling in zip((0.1, 0.25, 0.5), dates.rising, dates.falling, strict=True):
        for cell in range(0, 200, 40):
            level = low[cell] + share * (high[cell] - low[cell])
            assert np.interp(rising[cell], axis, days[:, cell]) == pytest.approx(level, abs=1e-4)
            assert np.interp(falling[cell], axis, days[:, cell]) == pytest.approx(level, abs=1e-4)
            assert (days[: int(rising[cell]), cell] < level).all()
            assert (days[int(np.ceil(falling[cell])) :, cell] < level).all()
    assert (np.diff(dates.rising, axis=0) > 0).all()
    assert (np.diff(dates.falling, axis=0) < 0).all()


def test_ground_without_a_season_has_no_dates(world: SandboxWorld) -> None:
    view = square(world.landscape("innsbruck"), 150)
    dates = view.true_dates(2024)
    still = np.isin(view.land_cover, [Cover.WATER, Cover.BUILT, Cover.BARE])
    assert np.isnan(dates.rising[:, still]).all()
    assert np.isfinite(dates.rising[:, view.land_cover == Cover.GRASS]).all()


def test_south_of_the_equator_the_season_runs_over_new_year(world: SandboxWorld) -> None:
    landscape = world.landscape(SOUTHERN.name)
    assert landscape.epsg == 32755
    view = landscape.field(Cover.GRASS)
    dates = view.true_dates(2023)
    north = Landscape(SOUTHERN.model_copy(update={"latitude": -SOUTHERN.latitude}), 1).field(Cover.GRASS)
    shift = np.median(dates.rising[2]) - np.median(north.true_dates(2023).rising[2])
    assert min(abs(shift - 182), abs(shift + 182)) < 30


def test_snow_lies_where_winters_are_cold_and_nowhere_else(world: SandboxWorld) -> None:
    winter = [date(2024, 1, 1) + timedelta(i) for i in range(0, 60, 5)]
    alpine = square(world.landscape("innsbruck"), 30)
    snowy = max(winter, key=lambda day: float(alpine.snow(day).mean()))
    assert alpine.reflectance(snowy, ("blue",)).mean() > 0.5
    assert alpine.canopy(snowy, ("blue",)).mean() < 0.15
    coast = square(world.landscape("sunflowerjerez1"), 30)
    assert max(float(coast.snow(day).max()) for day in winter) == 0


def test_any_season_since_2016_has_a_truth(world: SandboxWorld) -> None:
    view = square(world.landscape("institutekarnobat"), 10)
    for year in range(2015, 2031):
        for month in range(1, 13):
            truth = view.reflectance(date(year, month, 15))
            assert np.isfinite(truth).all()
            assert 0 < truth.min() < truth.max() < 1


@pytest.mark.parametrize(
    ("latitude", "longitude", "epsg", "tile"),
    [
        (0.02, 36.9, 32637, "37NBA"),
        (-54.81, -68.31, 32719, "19FEV"),
        (69.58, 20.41, 32634, "34WDC"),
        (-33.62, 150.74, 32756, "56HKH"),
    ],
)
def test_any_place_on_earth_works(latitude: float, longitude: float, epsg: int, tile: str) -> None:
    site = Site(name="anywhere", latitude=latitude, longitude=longitude, vegetation_type="Grassland")
    landscape = Landscape(site, 3)
    assert landscape.epsg == epsg
    assert landscape.cells.tile.name == tile
    view = square(landscape, 60)
    assert (view.land_cover[25:35, 25:35] == Cover.GRASS).mean() > 0.8
    dates = landscape.field(Cover.GRASS).true_dates(2023)
    assert np.isfinite(dates.rising).all()
    assert (dates.maximum - dates.minimum > 0.05).all()
