"""Sentinel-3's cubes: the back-end's grid and time axis, and the landscape through a wide point spread."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer
from scipy.ndimage import gaussian_filter, map_coordinates

from satfusion_assets.sandbox.archive import SandboxWorld
from satfusion_assets.sandbox.orbits import solar_hour
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.sandbox.conftest import SITES

L1B, SYN = "SENTINEL3_OLCI_L1B", "SENTINEL3_SYN_L2_SYN"
L1B_BANDS = ["B04", "B06", "B08", "B17"]
SYN_BANDS = [f"Syn_Oa{n}_reflectance" for n in ("04", "06", "08", "17")]
JUNE, JULY = datetime(2024, 6, 1), datetime(2024, 7, 1)


def area(site: Site) -> tuple[float, float, float, float]:
    return (site.longitude - 0.02, site.latitude - 0.0135, site.longitude + 0.02, site.latitude + 0.0135)


@pytest.fixture(scope="module")
def top(world: SandboxWorld) -> xr.DataArray:
    return world.cube(L1B, area(SITES["innsbruck"]), JUNE, JULY, L1B_BANDS)


@pytest.fixture(scope="module")
def surface(world: SandboxWorld) -> xr.DataArray:
    return world.cube(SYN, area(SITES["innsbruck"]), JUNE, JULY, [*SYN_BANDS, "CLOUD_flags"])


@pytest.mark.parametrize("name", ["top", "surface"])
def test_pixel_centres_lie_on_the_global_grid_and_cover_the_area(name: str, request: pytest.FixtureRequest) -> None:
    cube = request.getfixturevalue(name)
    west, south, east, north = area(SITES["innsbruck"])
    step = 1 / 336
    assert step == pytest.approx(0.00297619, abs=1e-8)
    for axis, origin in (("x", -180.0), ("y", 90.0)):
        index = (cube[axis].values - origin) / step
        np.testing.assert_allclose(index % 1, 0.5, atol=1e-6)
    assert (np.diff(cube.x) > 0).all()
    assert (np.diff(cube.y) < 0).all()
    assert cube.x[0] - step / 2 <= west < cube.x[0] + step / 2
    assert cube.x[-1] - step / 2 < east <= cube.x[-1] + step / 2
    assert cube.y[-1] - step / 2 <= south < cube.y[-1] + step / 2
    assert cube.y[0] - step / 2 < north <= cube.y[0] + step / 2
    assert cube.dims == ("t", "bands", "y", "x")
    assert cube.dtype == np.float32


def test_l1b_has_one_value_a_utc_day_at_midnight(top: xr.DataArray) -> None:
    days = top.t.values
    assert (days == days.astype("datetime64[D]")).all()
    assert len(np.unique(days)) == len(days)
    assert 27 <= len(days) <= 30
    assert days[0] >= np.datetime64(JUNE)
    assert days[-1] < np.datetime64(JULY)


def test_syn_has_every_overpass_at_its_minute(surface: xr.DataArray) -> None:
    times = surface.t.values
    assert (times == times.astype("datetime64[m]")).all()
    assert (np.diff(times) > np.timedelta64(0)).all()
    per_day = np.unique(times.astype("datetime64[D]"), return_counts=True)[1]
    assert per_day.max() >= 2
    hours = (times - times.astype("datetime64[D]")) / np.timedelta64(1, "h") + SITES["innsbruck"].longitude / 15
    assert ((hours > 9) & (hours < 11)).all()


def test_missing_is_zero_in_l1b_and_nan_in_syn(world: SandboxWorld) -> None:
    site, spring = SITES["innsbruck"], (datetime(2024, 4, 1), datetime(2024, 7, 1))
    top = world.cube(L1B, area(site), *spring, L1B_BANDS)
    surface = world.cube(SYN, area(site), *spring, SYN_BANDS)
    assert top.attrs["nodata"] == 0
    assert np.isnan(surface.attrs["nodata"])
    gaps = (top == 0).all("bands")
    assert 0 < gaps.mean() < 0.1
    assert np.isfinite(top).all()
    assert ((top == 0).any("bands") == gaps).all()
    missing = np.isnan(surface).any("bands")  # type: ignore[call-overload]
    assert 0 < missing.mean() < 0.1
    assert missing.equals(np.isnan(surface).all("bands"))  # type: ignore[call-overload]


def clear_steps(surface: xr.DataArray) -> xr.DataArray:
    """Steps without a flag other than snow."""
    flags = surface.sel(bands="CLOUD_flags")
    return surface.isel(t=np.flatnonzero(flags.isin([0, 8]).all(("y", "x"))))


def test_top_of_atmosphere_is_brighter_than_the_surface_in_blue_and_hardly_in_the_infrared(
    top: xr.DataArray, surface: xr.DataArray
) -> None:
    calm = clear_steps(surface)
    days = np.intersect1d(calm.t.values.astype("datetime64[D]"), top.t.values.astype("datetime64[D]"))
    above = top.sel(t=days.astype("datetime64[ns]")).median(("t", "y", "x")).values
    below = calm.sel(bands=SYN_BANDS).median(("t", "y", "x")).values
    added = above - below
    assert 0.03 < added[0] < 0.12
    assert added[0] > added[1] > added[2]
    assert abs(added[3]) < 0.05


def test_clouds_are_bright_and_unflagged_in_l1b(top: xr.DataArray) -> None:
    blue = top.sel(bands="B04").mean(("y", "x"))
    assert float(blue.max()) > 0.5
    assert float(blue.min()) < 0.15
    assert set(L1B_BANDS) == set(top.bands.values)


def test_cloud_flags_are_bits_of_the_product(surface: xr.DataArray) -> None:
    flags = surface.sel(bands="CLOUD_flags").values
    flags = flags[np.isfinite(flags)].astype(int)
    assert set(np.unique(flags)) <= set(range(16))
    assert {1, 0} <= set(np.unique(flags & 1))
    assert (flags & 4).any()
    assert not ((flags & 1).astype(bool) & (flags & 4).astype(bool)).any()


def test_clear_syn_pixels_are_the_truth_under_a_gaussian_wider_than_the_pixel_and_lie_where_they_say(
    world: SandboxWorld, surface: xr.DataArray
) -> None:
    landscape, calm = world.landscape("innsbruck"), clear_steps(surface)
    day = calm.t.values[0].astype("datetime64[D]").astype(date)
    west, _, _, north = landscape.bounds
    step, origin = 20.0, (west + 2400.0, north - 2400.0)
    line = np.arange(390) * step + step / 2
    truth = landscape.at(*np.meshgrid(origin[0] + line, origin[1] - line)).reflectance(day)
    longitude, latitude = np.meshgrid(calm.x, calm.y)
    seen = calm.isel(t=0).sel(bands=SYN_BANDS).values

    def expected(fwhm: float, right: float = 0.0, down: float = 0.0) -> np.ndarray:
        """The truth under a Gaussian at the cube's pixel centres, moved by shares of a pixel."""
        x, y = Transformer.from_crs(4326, landscape.epsg, always_xy=True).transform(
            longitude + right / 336, latitude - down / 336
        )
        at = [(origin[1] - y) / step - 0.5, (x - origin[0]) / step - 0.5]
        spread = fwhm / 2.3548 / step
        return np.stack([map_coordinates(gaussian_filter(band, spread), at, order=1) for band in truth])

    def misfit(**model: float) -> float:
        """Scatter around a line per band: gains and residual haze are the sensor's own."""
        return float(
            np.mean(
                [
                    np.std(s - np.polyval(np.polyfit(e.ravel(), s.ravel(), 1), e)) / s.mean()
                    for s, e in zip(seen, expected(**model), strict=True)
                ]
            )
        )

    np.testing.assert_allclose(seen.mean((1, 2)), expected(405).mean((1, 2)), rtol=0.06, atol=0.006)
    best = misfit(fwhm=405)
    assert best < 0.03
    for right, down in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)):
        assert misfit(fwhm=405, right=right, down=down) > 1.3 * best
    assert misfit(fwhm=150) > 1.2 * best


def test_weights_of_every_pixel_sum_to_one_and_reach_beyond_it(world: SandboxWorld) -> None:
    olci = world._places["innsbruck"].cubes.olci
    sums = np.asarray(olci._weights(0.0, 0.0).sum(axis=1)).ravel()
    np.testing.assert_allclose(sums, 1, atol=1e-4)
    middle = olci._weights(0.0, 0.0).shape[0] // 2 + olci.lattice.columns // 2
    x, y = (values[olci._samples] for values in olci.landscape.cells.coordinates)
    weight = np.asarray(olci._weights(0.0, 0.0)[[middle]].todense()).ravel()
    centre = np.average(x, weights=weight), np.average(y, weights=weight)
    sigma = np.sqrt(np.average((x - centre[0]) ** 2 + (y - centre[1]) ** 2, weights=weight) / 2)
    assert 1.2 * 300 < 2.355 * sigma < 1.5 * 300


def test_sentinel_2_and_3_see_the_same_weather_at_different_hours(world: SandboxWorld) -> None:
    place = world._places["innsbruck"]
    plan, longitude = place.landscape.plan, place.site.longitude
    field = np.hypot(plan.east, plan.north) < 750
    pairs = []
    for product in place.catalogue.products("sentinel-2-l2a", date(2024, 1, 1), date(2024, 12, 31)):
        passes = place.cubes.olci.overpasses(product.sensing.date())
        if passes:
            hour = solar_hour(passes[-1].time, longitude)
            other = place.landscape.weather.cloud(product.sensing.date(), hour, plan.east[field], plan.north[field])
            pairs.append((place.renderer.conditions(product).cloud[field].mean(), other.mean()))
    seen = np.array(pairs)
    assert 0.6 < np.corrcoef(seen.T)[0, 1] < 0.999


def test_the_season_of_the_landscape_shows_in_the_cube(world: SandboxWorld) -> None:
    site = SITES["innsbruck"]
    cube = world.cube(SYN, area(site), datetime(2024, 3, 1), JULY, [*SYN_BANDS, "CLOUD_flags"])
    calm = clear_steps(cube)
    red, nir = calm.sel(bands=SYN_BANDS[2]), calm.sel(bands=SYN_BANDS[3])
    ndvi = ((nir - red) / (nir + red)).mean(("y", "x"))
    month = calm.t.dt.month
    assert float(ndvi[month >= 6].mean()) > float(ndvi[month <= 3].mean()) + 0.2


def test_extents_are_half_open_and_times_may_carry_a_zone(world: SandboxWorld, top: xr.DataArray) -> None:
    site = SITES["innsbruck"]
    aware = world.cube(L1B, area(site), JUNE.replace(tzinfo=UTC), JULY.replace(tzinfo=UTC), L1B_BANDS)
    np.testing.assert_array_equal(aware.values, top.values)
    none = world.cube(L1B, area(site), JUNE, JUNE, L1B_BANDS)
    assert none.sizes["t"] == 0
    assert none.sizes["y"] == top.sizes["y"]


def test_there_is_nothing_before_the_satellites_and_beyond_the_world(world: SandboxWorld) -> None:
    site = SITES["innsbruck"]
    assert world.cube(L1B, area(site), datetime(2016, 1, 1), datetime(2016, 3, 1), L1B_BANDS).sizes["t"] == 0
    assert world.cube(SYN, area(site), datetime(2018, 1, 1), datetime(2018, 3, 1), SYN_BANDS).sizes["t"] == 0
    assert world.cube(L1B, (0, 0, 0.05, 0.05), JUNE, JULY, L1B_BANDS).sizes["t"] == 0
    single = world.cube(L1B, area(site), datetime(2017, 6, 1), datetime(2017, 7, 1), L1B_BANDS).sizes["t"]
    assert 12 < single < 27


def test_an_unknown_band_is_named(world: SandboxWorld) -> None:
    with pytest.raises(ValueError, match="no band 'B22'"):
        world.cube(L1B, area(SITES["innsbruck"]), JUNE, JULY, ["B22"])


def test_all_bands_are_there_and_the_oxygen_band_is_dark(world: SandboxWorld) -> None:
    described = {c["id"]: c for c in world.cube_collections()}
    assert set(described) == {L1B, SYN}
    bands = described[L1B]["cube:dimensions"]["bands"]["values"]
    assert bands == [f"B{n:02d}" for n in range(1, 22)]
    cube = world.cube(L1B, area(SITES["innsbruck"]), JUNE, datetime(2024, 6, 8), bands)
    means = cube.median(("t", "y", "x"))
    assert float(means.sel(bands="B13")) < 0.7 * float(means.sel(bands="B12"))
    assert (cube.values > 0).mean() > 0.9
