"""The back-end's NetCDFs: centres are centres, missing is NaN, clouds are masked, wrong units are refused."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from satfusion_assets.archives.copernicus import (
    CUBE_PRODUCTS,
    CubeProduct,
    CubeRequest,
    overpasses_on_grid,
    quarterly_requests,
    read_cube,
)
from satfusion_assets.archives.copernicus.cubes import Cube
from satfusion_assets.archives.copernicus.netcdf import open_netcdf
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid
from satfusion_assets.vocabulary.grid import SiteGrid, site_grid
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets.vocabulary.sites import Site
from satfusion_assets_tests.archives.conftest import FIXTURES
from satfusion_assets_tests.conftest import REAL_DATA

OLCI, SYN = CUBE_PRODUCTS[S3Product.OLCI_L1B], CUBE_PRODUCTS[S3Product.SYN_L2]
GRID = site_grid(Site(name="innsbruck", latitude=47.116171, longitude=11.320308))
REAL_FILE = FIXTURES / "gfmap_openEO_0_B02B03B04_LAEA_2023JJAS.nc"
REAL_FILES = [REAL_FILE, *REAL_DATA.glob("openeo_netcdf/gfmap_cdse*.nc")]


def bands_of(path: Path) -> tuple[str, str, str, str]:
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        names = [str(name) for name in dataset.data_vars if str(name).startswith("S2-L2A-B")]
    return (*names, names[-1])[:4]  # type: ignore[return-value]


def netcdf(dataset: xr.Dataset) -> bytes:
    target = io.BytesIO()
    dataset.to_netcdf(target, engine="h5netcdf")
    return target.getvalue()


def result(bands: dict[str, np.ndarray], times: list[str], corner: tuple[float, float] | None = None) -> bytes:
    """A result as the back-end writes it, on a 300 m grid whose upper left corner is ``corner``."""
    box = GRID.coarse.boundingbox
    left, top = corner or (box.left - 900, box.top + 900)
    _, rows, columns = next(iter(bands.values())).shape
    return netcdf(
        xr.Dataset(
            {name: (("t", "y", "x"), values.astype(np.float32)) for name, values in bands.items()}
            | {"crs": ((), b"", {"crs_wkt": CRS.from_epsg(GRID.epsg).to_wkt()})},
            coords={
                "t": np.array(times, "datetime64[ns]"),
                "y": top - 150 - 300 * np.arange(rows),
                "x": left + 150 + 300 * np.arange(columns),
            },
        )
    )


def olci(value: float = 0.2, times: list[str] | None = None, shape: tuple[int, int] = (11, 11)) -> bytes:
    times = times or ["2024-05-01"]
    return result({name: np.full((len(times), *shape), value) for name in OLCI.bands}, times)


def request(
    product: CubeProduct = OLCI, start: date = date(2024, 5, 1), end: date = date(2024, 5, 31), grid: SiteGrid = GRID
) -> CubeRequest:
    """A request that the files of this module answer."""
    return quarterly_requests(product, grid, start, end)[0]


@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_a_real_file_of_another_request_is_refused_for_its_pixels_or_place(path: Path) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match=r"its coordinate system is|its pixels are"):
        read_cube(path.read_bytes(), request(replace(OLCI, bands=bands_of(path))), path.name)


@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_a_real_file_in_integers_is_refused_for_its_type(path: Path) -> None:
    """Its layout is as it came; only the axes are those of the site."""
    bands = bands_of(path)
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as original:
        rows = original.isel(t=[0], y=slice(0, 11), x=slice(0, 11)).load()
    moved = rows.assign_coords(
        x=rows.x.copy(data=675_390 - 900 + 300 * np.arange(11.0)),
        y=rows.y.copy(data=5_221_290 + 900 - 300 * np.arange(11.0)),
        t=rows.t.copy(data=[12_539]),
    )
    moved["crs"].attrs |= dict.fromkeys(("crs_wkt", "spatial_ref"), CRS.from_epsg(GRID.epsg).to_wkt())
    with pytest.raises(ArchiveAnswerInvalid, match=r"is stored as u?int16, which is not top-of-atmosphere reflectance"):
        read_cube(netcdf(moved), request(replace(OLCI, bands=bands)), path.name)


def test_zero_is_missing_in_olci() -> None:
    values = np.full((1, 11, 11), 0.2)
    values[0, 5, 5] = 0
    cube = read_cube(result(dict.fromkeys(OLCI.bands, values), ["2024-05-01"]), request(), "test")
    assert np.isnan(cube.values[0, :, 5, 5]).all()
    assert np.isnan(cube.values).sum() == 4


def test_cloudy_ambiguous_margin_and_unflagged_pixels_of_syn_are_masked_and_counted() -> None:
    flags = np.zeros((1, 11, 11))
    flags[0, 0, :6] = [1, 2, 4, 8, 16 + 1, np.nan]
    bands = dict.fromkeys(SYN.bands, np.full((1, 11, 11), 0.3)) | {"CLOUD_flags": flags}
    cube = read_cube(result(bands, ["2024-05-01T09:41"]), request(SYN), "test")
    assert np.isnan(cube.values[0, 0, 0, :6]).tolist() == [True, True, True, False, True, True]
    assert cube.cloudy.tolist() == [4]
    assert cube.times == (datetime(2024, 5, 1, 9, 41, tzinfo=UTC),)


@pytest.mark.parametrize("value", [35.0, 2500.0, 1e-5, -1.0], ids=["radiance", "scaled", "tiny", "negative"])
def test_what_is_no_reflectance_is_refused(value: float) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="B04 ranges from"):
        read_cube(olci(value), request(), "test")


def test_rows_from_south_to_north_are_turned() -> None:
    with xr.open_dataset(io.BytesIO(olci()), engine="h5netcdf") as dataset:
        north_up = dataset.load()
    for name in OLCI.bands:
        north_up[name][0, 0, :] = 0.9
    one, other = (read_cube(netcdf(d), request(), "test") for d in (north_up, north_up.isel(y=slice(None, None, -1))))
    assert np.array_equal(one.values, other.values)
    assert one.geobox == other.geobox


def test_overpasses_lie_on_the_coarse_grid_and_are_named_by_time() -> None:
    """A ramp on a grid half a pixel off reads as the same ramp: half-pixel shifts would show."""
    box = GRID.coarse.boundingbox
    ramp = np.tile(np.linspace(0.1, 0.4, 12), (12, 1))[np.newaxis]
    first, second = ramp.repeat(2, 0), ramp + 0.1
    corner = (box.left - 1050, box.top + 1050)
    cubes = [
        read_cube(result(dict.fromkeys(SYN.bands, v) | {"CLOUD_flags": v * 0}, t, corner), request(SYN), "test")
        for v, t in ((second, ["2024-05-01T10:20"]), (first, ["2024-05-01T09:40", "2024-05-02T09:10"]))
    ]
    found, dropped = overpasses_on_grid(cubes, GRID)
    assert [one.name for one in found] == ["20240501_0", "20240501_1", "20240502_0"]
    step = (0.4 - 0.1) / 11
    assert found[0].values[0, 2] == pytest.approx(0.1 + step * (np.arange(5) + 3.5), abs=1e-6)
    assert dropped == []


@pytest.mark.parametrize(
    ("longitude", "times", "names"),
    [
        (151.0, ["2024-05-09T00:02:10", "2024-05-09T23:52:30"], ["20240509_0", "20240510_0"]),
        (175.0, ["2024-05-09T00:00:00"], ["20240510_0"]),
        (11.3, ["2024-05-09T00:00:00", "2024-05-09T09:12:00"], ["20240509_0", "20240509_1"]),
    ],
    ids=["two mornings of one UTC day", "a mosaic of a UTC day", "Europe"],
)
def test_overpasses_are_named_by_the_sites_own_day(longitude: float, times: list[str], names: list[str]) -> None:
    grid = site_grid(Site(name="somewhere", latitude=-33.0, longitude=longitude))
    height, width = grid.coarse.shape
    moments = tuple(datetime.fromisoformat(time).replace(tzinfo=UTC) for time in times)
    values = np.full((len(times), 4, height, width), 0.2, np.float32)
    cube = Cube(values, np.zeros(len(times), np.int64), np.zeros(len(times), np.int64), moments, grid.coarse)
    found, _ = overpasses_on_grid([cube], grid)
    assert [one.name for one in found] == names


def test_an_overpass_without_a_valid_pixel_is_reported_empty() -> None:
    values = np.full((2, 11, 11), 0.2)
    values[1] = 0
    cube = read_cube(result(dict.fromkeys(OLCI.bands, values), ["2024-05-01", "2024-05-02"]), request(), "test")
    found, dropped = overpasses_on_grid([cube], GRID)
    assert [one.name for one in found] == ["20240501_0"]
    assert [(step.time.day, step.kind) for step in dropped if step.time] == [(2, "empty")]


def ramp(times: list[str], columns: slice = slice(None)) -> bytes:
    """Reflectance that rises from west to east, of which only ``columns`` are known."""
    values = np.zeros((len(times), 11, 11))
    values[:, :, columns] = np.tile(np.linspace(0.1, 0.4, 11), (11, 1))[:, columns]
    return result(dict.fromkeys(OLCI.bands, values), times)


def test_equal_times_are_one_overpass_the_one_with_most_pixels() -> None:
    day = "2024-05-01"
    both = read_cube(
        result(
            dict.fromkeys(OLCI.bands, np.stack([np.full((11, 11), 0.3), np.full((11, 11), 0.2)])),
            [day, day],
        ),
        request(),
        "test",
    )
    half = replace(both, values=both.values.copy())
    half.values[0, :, :, :6] = np.nan
    found, dropped = overpasses_on_grid([half], GRID)
    assert [one.name for one in found] == ["20240501_0"]
    assert np.nanmax(found[0].values) == np.nanmin(found[0].values) == np.float32(0.2)
    assert [step.kind for step in dropped] == ["repeated"]


def test_the_halves_of_a_site_that_is_cut_in_two_are_one_overpass() -> None:
    west, east = (read_cube(ramp(["2024-05-01"], part), request(), "test") for part in (slice(0, 6), slice(5, None)))
    entire = read_cube(ramp(["2024-05-01"]), request(), "test")
    (whole,), _ = overpasses_on_grid([entire], GRID)
    (joined,), dropped = overpasses_on_grid([west, east], GRID)
    assert np.array_equal(joined.values, whole.values)
    assert dropped == []


def test_a_step_outside_the_request_is_dropped_and_most_of_them_refuse_the_file() -> None:
    cube = read_cube(olci(times=["2024-05-30", "2024-05-31", "2024-06-01"]), request(), "test")
    assert [time.day for time in cube.times] == [30, 31]
    assert [step.kind for step in cube.dropped] == ["outside the request"]
    with pytest.raises(ArchiveAnswerInvalid, match="2 of its 3 times lie outside 2024-05-01 to 2024-05-31"):
        read_cube(olci(times=["2024-05-31", "2024-06-01", "2024-06-02"]), request(), "test")


@pytest.mark.parametrize("unit", ["%", "W m-2 sr-1 um-1", "mW.m-2.sr-1.nm-1", "percent"])
def test_a_band_that_names_another_quantity_is_refused_whatever_its_numbers(unit: str) -> None:
    with xr.open_dataset(io.BytesIO(olci(0.05)), engine="h5netcdf") as dataset:
        named = dataset.load()
    named["B08"].attrs["units"] = unit
    with pytest.raises(ArchiveAnswerInvalid, match="B08 is in "):
        read_cube(netcdf(named), request(), "test")


def test_dark_water_and_low_sun_are_reflectance() -> None:
    """A lake is black in the near infrared, and single glints of a low sun are above 2."""
    values = {
        name: np.full((1, 11, 11), value) for name, value in zip(OLCI.bands, (0.08, 0.05, 0.03, 2e-4), strict=True)
    }
    values["B04"][0, 3, 3:6] = 2.6
    cube = read_cube(result(values, ["2024-05-01"]), request(), "test")
    assert cube.impossible.tolist() == [3]
    assert np.isnan(cube.values).sum() == 3


def test_numbers_that_are_no_cloud_flags_are_refused() -> None:
    bands = dict.fromkeys(SYN.bands, np.full((1, 11, 11), 0.3)) | {"CLOUD_flags": np.full((1, 11, 11), 0.5)}
    with pytest.raises(ArchiveAnswerInvalid, match="CLOUD_flags holds numbers that are no flags"):
        read_cube(result(bands, ["2024-05-01T09:41"]), request(SYN), "test")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("netcdf_form_*.nc")), ids=lambda path: path.stem)
def test_files_of_the_c_library_read_the_same_in_every_form(path: Path) -> None:
    """Written by netCDF-C 4.9.3 with a fixed and with an unlimited time, unsigned and 64-bit integers in CDF-5."""
    with open_netcdf(path.read_bytes()) as dataset:
        stored = dataset.load()
    rows = np.arange(363).reshape(3, 11, 11)
    assert stored["t"].values.tolist() == [12539, 12540, 12541]
    assert stored["B06"].values == pytest.approx(0.2 + rows / 1e4, abs=1e-6)
    assert stored["CLOUD_flags"].values.tolist() == (rows % 200).tolist()
    if "odd" in stored:
        assert stored["odd"].values.tolist() == (np.arange(33).reshape(3, 11) + 65_000).tolist()


WHOLE = olci()


@given(st.integers(0, len(WHOLE)), st.binary(max_size=16), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_fuzzed_file_is_a_cube_or_one_typed_error(position: int, junk: bytes, cut: bool) -> None:
    body = WHOLE[:position] + junk + (b"" if cut else WHOLE[position + len(junk) :])
    with suppress(ArchiveAnswerInvalid):
        read_cube(body, request(), "test")


@pytest.mark.parametrize("latitude", [-16.8, 0.5, 65.0])
@pytest.mark.parametrize("longitude", [179.9, 179.985, 179.99, 179.9995, 179.99999, -180.0, -179.9995, -179.99, 11.3])
def test_no_request_belts_the_globe(latitude: float, longitude: float) -> None:
    grid = site_grid(Site(name="x", latitude=latitude, longitude=longitude))
    requests = quarterly_requests(OLCI, grid, date(2024, 1, 1), date(2024, 1, 31))
    assert len(requests) in (1, 2)
    assert len({one.key for one in requests}) == len(requests)
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    x, y = np.meshgrid(grid.coarse.coords["x"].values, grid.coarse.coords["y"].values)
    east, north = to_degrees.transform(x, y)
    covered = np.zeros(x.shape, bool)
    for one in requests:
        assert -180 <= one.west < one.east <= 180
        assert 0.008 < one.east - one.west < 0.15, "wider than a pixel, and no wider than the site with its rim"
        covered |= (one.west <= east) & (east <= one.east) & (one.south <= north) & (north <= one.north)
    assert covered.all()


def test_the_requests_of_earlier_releases_are_the_same_so_that_what_they_fetched_is_kept() -> None:
    (one,) = quarterly_requests(OLCI, GRID, date(2024, 1, 1), date(2024, 1, 31))
    assert one.fingerprint == "e3cb93b95d644a87"


def test_requests_cover_the_season_and_its_margins_quarter_by_quarter() -> None:
    requests = quarterly_requests(OLCI, GRID, date(2023, 11, 17), date(2025, 2, 14))
    spans = [(one.start.isoformat(), one.end.isoformat()) for one in requests]
    assert spans[0] == ("2023-11-17", "2023-12-31")
    assert spans[1] == ("2024-01-01", "2024-03-31")
    assert spans[4] == ("2024-10-01", "2024-12-31")
    assert spans[5] == ("2025-01-01", "2025-02-14")
    assert len({one.fingerprint for one in requests}) == 6


def test_the_process_graph_names_grid_bands_and_an_open_ended_interval() -> None:
    graph = request(SYN, date(2024, 1, 1), date(2024, 1, 31)).process_graph
    assert graph["resample"]["arguments"]["projection"] == 32632
    assert graph["resample"]["arguments"]["resolution"] == 300
    assert graph["load"]["arguments"]["temporal_extent"] == ["2024-01-01", "2024-02-01"]
    assert graph["load"]["arguments"]["bands"][-1] == "CLOUD_flags"
    assert graph["save"]["arguments"]["format"] == "NetCDF"
