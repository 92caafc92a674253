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
from pyproj import CRS

from satfusion_assets.archives.copernicus import CUBE_PRODUCTS, overpasses_on_grid, quarterly_requests, read_cube
from satfusion_assets.archives.copernicus.cubes import Cube
from satfusion_assets.errors import ArchiveAnswerInvalid
from satfusion_assets.grid import site_grid
from satfusion_assets.settings import S3Product
from satfusion_assets.sites import Site
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


@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_a_real_file_in_integers_is_refused_for_its_units(path: Path) -> None:
    product = replace(OLCI, bands=bands_of(path))
    with pytest.raises(ArchiveAnswerInvalid, match=r"ranges from .* which is not top-of-atmosphere reflectance"):
        read_cube(path.read_bytes(), product, path.name)


@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_a_real_file_lies_where_its_centres_say(path: Path) -> None:
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        original = dataset.load()
    bands = bands_of(path)
    scaled = original.assign({name: (original[name] / 1e4).astype(np.float32) for name in set(bands)})
    for name in set(bands):
        scaled[name].encoding = {}
    scaled = scaled.where(scaled[bands[0]] < 1, drop=False)[[*sorted(set(bands))]].assign(crs=original["crs"])
    cube = read_cube(netcdf(scaled), replace(OLCI, bands=bands), path.name)
    assert cube.values.shape == (original.sizes["t"], 4, original.sizes["y"], original.sizes["x"])
    x, y = cube.geobox.coords["x"].values, cube.geobox.coords["y"].values
    assert np.allclose(x, original["x"].values) and np.allclose(y, original["y"].values)  # noqa: PT018
    assert cube.geobox.boundingbox.left == pytest.approx(float(original["x"][0]) - 5)
    assert str(cube.geobox.crs.proj.name) in ("ETRS89 / LAEA Europe", "WGS 84 / UTM zone 31N")
    assert cube.times[0].date() == original["t"].values[0].astype("datetime64[D]").item()


def test_zero_is_missing_in_olci() -> None:
    values = np.full((1, 11, 11), 0.2)
    values[0, 5, 5] = 0
    cube = read_cube(result(dict.fromkeys(OLCI.bands, values), ["2024-05-01"]), OLCI, "test")
    assert np.isnan(cube.values[0, :, 5, 5]).all()
    assert np.isnan(cube.values).sum() == 4


def test_cloudy_ambiguous_margin_and_unflagged_pixels_of_syn_are_masked_and_counted() -> None:
    flags = np.zeros((1, 11, 11))
    flags[0, 0, :6] = [1, 2, 4, 8, 16 + 1, np.nan]
    bands = dict.fromkeys(SYN.bands, np.full((1, 11, 11), 0.3)) | {"CLOUD_flags": flags}
    cube = read_cube(result(bands, ["2024-05-01T09:41"]), SYN, "test")
    assert np.isnan(cube.values[0, 0, 0, :6]).tolist() == [True, True, True, False, True, True]
    assert cube.cloudy.tolist() == [4]
    assert cube.times == (datetime(2024, 5, 1, 9, 41, tzinfo=UTC),)


@pytest.mark.parametrize("value", [35.0, 2500.0, 1e-5, -1.0], ids=["radiance", "scaled", "tiny", "negative"])
def test_what_is_no_reflectance_is_refused(value: float) -> None:
    with pytest.raises(ArchiveAnswerInvalid, match="B04 ranges from"):
        read_cube(olci(value), OLCI, "test")


def test_rows_from_south_to_north_are_turned() -> None:
    with xr.open_dataset(io.BytesIO(olci()), engine="h5netcdf") as dataset:
        north_up = dataset.load()
    for name in OLCI.bands:
        north_up[name][0, 0, :] = 0.9
    one, other = (read_cube(netcdf(d), OLCI, "test") for d in (north_up, north_up.isel(y=slice(None, None, -1))))
    assert np.array_equal(one.values, other.values)
    assert one.geobox == other.geobox


def test_overpasses_lie_on_the_coarse_grid_and_are_named_by_time() -> None:
    """A ramp on a grid half a pixel off reads as the same ramp: half-pixel shifts would show."""
    box = GRID.coarse.boundingbox
    ramp = np.tile(np.linspace(0.1, 0.4, 12), (12, 1))[np.newaxis]
    first, second = ramp.repeat(2, 0), ramp + 0.1
    corner = (box.left - 1050, box.top + 1050)
    cubes = [
        read_cube(result(dict.fromkeys(SYN.bands, v) | {"CLOUD_flags": v * 0}, t, corner), SYN, "test")
        for v, t in ((second, ["2024-05-01T10:20"]), (first, ["2024-05-01T09:40", "2024-05-02T09:10"]))
    ]
    found, empty = overpasses_on_grid(cubes, GRID)
    assert [one.name for one in found] == ["20240501_0", "20240501_1", "20240502_0"]
    step = (0.4 - 0.1) / 11
    assert found[0].values[0, 2] == pytest.approx(0.1 + step * (np.arange(5) + 3.5), abs=1e-6)
    assert empty == []


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
    cube = Cube(values, np.zeros(len(times), np.int64), moments, grid.coarse)
    found, _ = overpasses_on_grid([cube], grid)
    assert [one.name for one in found] == names


def test_an_overpass_without_a_valid_pixel_is_reported_empty() -> None:
    values = np.full((2, 11, 11), 0.2)
    values[1] = 0
    cube = read_cube(result(dict.fromkeys(OLCI.bands, values), ["2024-05-01", "2024-05-02"]), OLCI, "test")
    found, empty = overpasses_on_grid([cube], GRID)
    assert [one.name for one in found] == ["20240501_0"]
    assert [time.day for time in empty] == [2]


WHOLE = olci()


@given(st.integers(0, len(WHOLE)), st.binary(max_size=16), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_fuzzed_file_is_a_cube_or_one_typed_error(position: int, junk: bytes, cut: bool) -> None:
    body = WHOLE[:position] + junk + (b"" if cut else WHOLE[position + len(junk) :])
    with suppress(ArchiveAnswerInvalid):
        read_cube(body, OLCI, "test")


def test_requests_cover_the_season_and_its_margins_quarter_by_quarter() -> None:
    requests = quarterly_requests(OLCI, GRID, date(2023, 11, 17), date(2025, 2, 14))
    spans = [(one.start.isoformat(), one.end.isoformat()) for one in requests]
    assert spans[0] == ("2023-11-17", "2023-12-31")
    assert spans[1] == ("2024-01-01", "2024-03-31")
    assert spans[4] == ("2024-10-01", "2024-12-31")
    assert spans[5] == ("2025-01-01", "2025-02-14")
    assert len({one.fingerprint for one in requests}) == 6


def test_the_process_graph_names_grid_bands_and_an_open_ended_interval() -> None:
    request = quarterly_requests(SYN, GRID, date(2024, 1, 1), date(2024, 1, 31))[0]
    graph = request.process_graph
    assert graph["resample"]["arguments"]["projection"] == 32632
    assert graph["resample"]["arguments"]["resolution"] == 300
    assert graph["load"]["arguments"]["temporal_extent"] == ["2024-01-01", "2024-02-01"]
    assert graph["load"]["arguments"]["bands"][-1] == "CLOUD_flags"
    assert graph["save"]["arguments"]["format"] == "NetCDF"
