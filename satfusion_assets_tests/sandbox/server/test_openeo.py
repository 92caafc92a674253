"""The Copernicus back-end as the unmodified openEO client sees it."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openeo
import pytest
import rasterio
import xarray as xr
from openeo.rest import JobFailedException, OpenEoApiError
from openeo.rest.auth.oidc import OidcException
from pyproj import CRS, Transformer

from satfusion_assets.sandbox.server.credentials import CLIENT_ID, CLIENT_SECRET, PASSWORD, PUBLIC_CLIENTS, USER
from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.conftest import fake_server
from satfusion_assets_tests.sandbox.server.fake_world import (
    BANDS,
    GAP,
    LATITUDE,
    LONGITUDE,
    OLCI,
    STEP,
    SYN,
    cube_value,
)

AREA = {
    "west": LONGITUDE - 0.02,
    "south": LATITUDE - 0.02,
    "east": LONGITUDE + 0.02,
    "north": LATITUDE + 0.02,
}


def connect(server: ServerProcess) -> openeo.Connection:
    return openeo.connect(f"{server.url}/openeo/1.2")


@pytest.fixture
def connection(server: ServerProcess) -> openeo.Connection:
    return connect(server).authenticate_oidc_client_credentials(CLIENT_ID, CLIENT_SECRET, provider_id="CDSE")


def olci(connection: openeo.Connection, extent: Any = AREA, days: Any = ("2024-06-01", "2024-06-04")) -> Any:
    return connection.load_collection(OLCI, spatial_extent=extent, temporal_extent=days, bands=["B04", "B17"])


def control(server: ServerProcess, **changes: Any) -> None:
    httpx.post(f"{server.url}/_world", json=changes).raise_for_status()


def expected(day: date, band: str, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """The world's values at places."""
    return cube_value(day, band, np.floor(longitude / STEP), np.ceil(latitude / STEP))


def test_the_client_discovers_what_there_is(server: ServerProcess) -> None:
    connection = openeo.connect(server.url)
    assert connection.capabilities().api_version() == "1.2.0"
    assert connection.list_collection_ids() == list(BANDS)
    assert [band.name for band in connection.collection_metadata(OLCI).bands] == BANDS[OLCI]
    assert {"NetCDF", "GTiff"} == set(connection.list_output_formats())
    assert "resample_spatial" in [process["id"] for process in connection.list_processes()]


def test_pixels_of_the_native_grid_arrive_unchanged_with_centres_as_coordinates(
    connection: openeo.Connection, tmp_path: Path
) -> None:
    olci(connection).download(tmp_path / "cube.nc", format="NetCDF")
    with xr.open_dataset(tmp_path / "cube.nc", engine="h5netcdf") as cube:
        assert cube.B04.dims == ("t", "y", "x")
        assert [str(day)[:10] for day in cube.t.values] == ["2024-06-01", "2024-06-02", "2024-06-03"]
        assert (np.diff(cube.x) > 0).all()
        assert (np.diff(cube.y) < 0).all()
        np.testing.assert_allclose(cube.x / STEP % 1, 0.5, atol=1e-6)
        assert cube.x[0] - STEP / 2 <= AREA["west"] < cube.x[0] + STEP / 2
        assert cube.y[-1] - STEP / 2 <= AREA["south"] < cube.y[-1] + STEP / 2
        wanted = expected(date(2024, 6, 2), "B17", cube.x.values[None, :], cube.y.values[:, None])
        np.testing.assert_allclose(cube.B17.sel(t="2024-06-02"), wanted, atol=1e-6)


def test_the_file_is_laid_out_as_the_back_end_writes_it(connection: openeo.Connection, tmp_path: Path) -> None:
    olci(connection).resample_spatial(resolution=300, projection=32632).download(tmp_path / "c.nc", format="NetCDF")
    with xr.open_dataset(tmp_path / "c.nc", decode_cf=False) as raw:
        assert (raw.t.units, raw.t.dtype, list(raw.t.values)) == (
            "days since 1990-01-01",
            np.int32,
            [12570, 12571, 12572],
        )
        assert (raw.x.units, raw.x.standard_name) == ("m", "projection_x_coordinate")
        assert (raw.B04.grid_mapping, raw.B04._FillValue, raw.B04.dtype) == ("crs", 0, np.float32)
        assert CRS.from_wkt(raw.crs.crs_wkt).to_epsg() == 32632
        assert raw.Conventions == "CF-1.9"


def test_a_projected_grid_starts_at_the_asked_corner_and_takes_the_nearest_pixels(
    connection: openeo.Connection, tmp_path: Path
) -> None:
    box = {"west": 680_400, "south": 5_228_100, "east": 683_400, "north": 5_231_100, "crs": 32632}
    olci(connection, box).resample_spatial(resolution=300, projection=32632).download(
        tmp_path / "c.nc", format="NetCDF"
    )
    with xr.open_dataset(tmp_path / "c.nc") as cube:
        np.testing.assert_allclose(cube.x, 680_550 + 300 * np.arange(10))
        np.testing.assert_allclose(cube.y, 5_230_950 - 300 * np.arange(10))
        to_degrees = Transformer.from_crs(32632, 4326, always_xy=True)
        longitude, latitude = to_degrees.transform(*np.meshgrid(cube.x, cube.y))
        inside = np.abs(longitude / STEP % 1 - 0.5) < 0.35
        inside &= np.abs(latitude / STEP % 1 - 0.5) < 0.35
        wanted = expected(date(2024, 6, 1), "B04", longitude, latitude)
        assert inside.sum() > 30
        np.testing.assert_allclose(cube.B04.values[0][inside], wanted[inside], atol=1e-6)


@pytest.mark.parametrize(
    "argument", [{"resolution": -1}, {"method": "guess"}, {"align": "lower-right"}, {"projection": "EPSG:1"}]
)
def test_a_resampling_that_is_not_offered_is_refused(
    connection: openeo.Connection, tmp_path: Path, argument: dict[str, Any]
) -> None:
    wanted = {"resolution": 300, "projection": 32632} | argument
    with pytest.raises(OpenEoApiError, match="ProcessParameterInvalid"):
        olci(connection).resample_spatial(**wanted).download(tmp_path / "c.nc", format="NetCDF")


def test_resolution_zero_keeps_the_ground_size_of_the_source_pixel(
    connection: openeo.Connection, tmp_path: Path
) -> None:
    olci(connection).resample_spatial(projection=32632).download(tmp_path / "c.nc", format="NetCDF")
    with xr.open_dataset(tmp_path / "c.nc") as cube:
        assert 200 < float(cube.x[1] - cube.x[0]) < 340


def test_overpasses_of_one_day_are_steps_of_their_own_counted_in_seconds(
    connection: openeo.Connection, tmp_path: Path
) -> None:
    cube = connection.load_collection(SYN, spatial_extent=AREA, temporal_extent=["2024-06-09", "2024-06-12"])
    cube.download(tmp_path / "syn.nc", format="NetCDF")
    with xr.open_dataset(tmp_path / "syn.nc", decode_times=False) as raw:
        assert raw.t.units == "seconds since 1990-01-01"
    with xr.open_dataset(tmp_path / "syn.nc") as decoded:
        stamps = [str(time)[:16] for time in decoded.t.values]
    assert stamps == ["2024-06-09T09:17", "2024-06-09T10:02", "2024-06-11T09:17", "2024-06-11T10:02"]


def test_filters_narrow_a_cube_like_the_arguments_of_load_collection(
    connection: openeo.Connection, tmp_path: Path
) -> None:
    olci(connection).download(tmp_path / "a.nc", format="NetCDF")
    wide = connection.load_collection(OLCI, temporal_extent=["2024-01-01", None])
    wide = wide.filter_temporal("2024-06-01", "2024-06-04").filter_bbox(**AREA).filter_bands(["B04", "B17"])  # type: ignore[arg-type]
    wide.download(tmp_path / "b.nc", format="NetCDF")
    with xr.open_dataset(tmp_path / "a.nc") as one, xr.open_dataset(tmp_path / "b.nc") as other:
        xr.testing.assert_identical(one, other)


def test_a_batch_job_gives_the_same_file_and_can_be_found_again_by_its_id(
    connection: openeo.Connection, server: ServerProcess, tmp_path: Path
) -> None:
    cube = olci(connection)
    cube.download(tmp_path / "sync.nc", format="NetCDF")
    job = cube.create_job(out_format="NetCDF", title="quarter")
    assert job.status() == "created"
    job.start_and_wait(print=lambda _: None)
    again = connection.job(job.job_id)
    assert next(one["id"] for one in connection.list_jobs()) == job.job_id
    (asset,) = again.get_results().get_assets()
    asset.download(tmp_path / "batch.nc")
    assert (tmp_path / "batch.nc").read_bytes() == (tmp_path / "sync.nc").read_bytes()
    assert httpx.get(asset.href).status_code == 200  # the address is the permission
    assert httpx.get(asset.href.replace("expires=1", "expires=2")).status_code == 403
    job.delete()
    with pytest.raises(OpenEoApiError, match="JobNotFound"):
        job.status()


def test_a_geotiff_job_has_one_file_a_day(connection: openeo.Connection, tmp_path: Path) -> None:
    job = olci(connection).create_job(out_format="GTiff")
    job.start_and_wait(print=lambda _: None)
    files = sorted(path for path in job.get_results().download_files(tmp_path) if path.suffix == ".tif")
    assert [path.name for path in files] == [f"openEO_2024-06-0{day}Z.tif" for day in (1, 2, 3)]
    with rasterio.open(files[0]) as tif:
        assert (tif.count, tif.descriptions, tif.nodata) == (2, ("B04", "B17"), 0)


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"process_id": "ndvi"}, "ProcessUnsupported", 400),
        ({"collection": "SENTINEL9"}, "CollectionNotFound", 404),
        ({"days": [GAP.isoformat(), "2024-06-11"]}, "Internal", 400),
        ({"collection": SYN, "bands": BANDS[SYN], "days": ["2025-01-01", "2025-02-01"]}, "NoDataAvailable", 400),
        ({"days": ["2024-06-02", "2024-06-01"]}, "TemporalExtentEmpty", 400),
        ({"bands": ["B99"]}, "ProcessParameterInvalid", 400),
        ({"format": "PNG"}, "FormatUnsupported", 400),
        ({"extent": None}, "MissingSpatialFilter", 400),
    ],
)
def test_graphs_that_cannot_be_run_are_refused_with_the_code_of_the_api(
    connection: openeo.Connection, change: dict[str, Any], code: str, status: int
) -> None:
    graph = flat_graph(**change)
    with pytest.raises(OpenEoApiError) as refused:
        connection.execute(graph)
    assert (refused.value.code, refused.value.http_status_code) == (code, status)
    if code not in ("NoDataAvailable", "Internal"):  # known only when the archive is asked
        assert [error["code"] for error in connection.validate_process_graph(graph)] == [code]


def flat_graph(
    process_id: str = "filter_bands",
    collection: str = OLCI,
    days: Any = ("2024-06-01", "2024-06-02"),
    bands: Any = ("B04",),
    format: str = "NetCDF",
    extent: Any = AREA,
) -> dict[str, Any]:
    arguments = {"id": collection, "spatial_extent": extent, "temporal_extent": list(days), "bands": list(bands)}
    return {
        "load": {"process_id": "load_collection", "arguments": arguments},
        "step": {"process_id": process_id, "arguments": {"data": {"from_node": "load"}, "bands": list(bands)}},
        "save": {
            "process_id": "save_result",
            "arguments": {"data": {"from_node": "step"}, "format": format},
            "result": True,
        },
    }


@pytest.mark.parametrize(("collection", "words"), [(OLCI, "NoSuchFeatures"), (SYN, "NoDataAvailable")])
def test_a_job_without_data_fails_and_its_log_says_why(
    connection: openeo.Connection, collection: str, words: str
) -> None:
    days = [GAP.isoformat(), "2024-06-11"]
    job = connection.create_job(flat_graph(collection=collection, bands=BANDS[collection], days=days))
    with pytest.raises(JobFailedException):
        job.start_and_wait(print=lambda _: None)
    (entry,) = job.logs(level="error")
    assert words in entry.message
    with pytest.raises(OpenEoApiError, match="JobFailed"):
        job.get_results().get_metadata()


def test_a_person_signs_in_with_a_password_or_the_device_flow(server: ServerProcess) -> None:
    connection = connect(server)
    connection.authenticate_oidc_resource_owner_password_credentials(
        USER, PASSWORD, client_id=PUBLIC_CLIENTS[0], provider_id="CDSE"
    )
    assert connection.describe_account()["user_id"] == USER

    def approve(line: str) -> None:
        for word in line.split():
            if word.startswith("http"):
                threading.Thread(target=httpx.get, args=(word,)).start()

    device = connect(server)
    device.authenticate_oidc_device(display=approve, store_refresh_token=True, max_poll_time=30)
    assert device.describe_account()["user_id"] == USER
    again = connect(server).authenticate_oidc_refresh_token(provider_id="CDSE")
    assert again.describe_account()["user_id"] == USER


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (
            {"grant_type": "password", "client_id": "cdse-public", "username": USER, "password": "x"},
            401,
            "invalid_grant",
        ),
        ({"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "cdse-public"}, 401, "unauthorized_client"),
        ({"grant_type": "refresh_token", "client_id": "cdse-public", "refresh_token": "x.y.z"}, 400, "invalid_grant"),
        ({"grant_type": "magic", "client_id": "cdse-public"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_in_the_words_of_oauth(
    server: ServerProcess, form: dict[str, str], status: int, error: str
) -> None:
    answer = httpx.post(f"{server.url}/auth/realms/CDSE/protocol/openid-connect/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    with pytest.raises(OidcException):
        connect(server).authenticate_oidc_client_credentials(CLIENT_ID, "x", provider_id="CDSE")


def test_nobody_may_run_anything_unknown_or_with_a_foreign_token(server: ServerProcess) -> None:
    with pytest.raises(OpenEoApiError, match="AuthenticationRequired") as refused:
        connect(server).list_jobs()
    assert refused.value.http_status_code == 401
    foreign = connect(server).authenticate_oidc_access_token("not-a-token", provider_id="CDSE")
    with pytest.raises(OpenEoApiError, match="TokenInvalid") as refused:
        foreign.list_jobs()
    assert refused.value.http_status_code == 403


def test_an_access_token_expires_and_the_client_renews_it(connection: openeo.Connection, server: ServerProcess) -> None:
    bare = connect(server).authenticate_oidc_access_token(connection.auth.bearer.rpartition("/")[2], provider_id="CDSE")  # type: ignore[attr-defined]
    control(server, token_seconds=0)
    with pytest.raises(OpenEoApiError, match="TokenInvalid"):
        bare.list_jobs()
    with pytest.raises(OpenEoApiError, match="TokenInvalid"):
        connection.list_jobs()  # renewed once, expired at once
    control(server, token_seconds=600)
    assert connection.list_jobs() is not None


def test_users_see_their_own_jobs_only(connection: openeo.Connection, server: ServerProcess) -> None:
    job = olci(connection).create_job(out_format="NetCDF")
    person = connect(server).authenticate_oidc_resource_owner_password_credentials(
        USER, PASSWORD, client_id=PUBLIC_CLIENTS[0], provider_id="CDSE"
    )
    with pytest.raises(OpenEoApiError, match="JobNotFound"):
        person.job(job.job_id).status()


def test_a_third_job_at_once_is_refused_until_one_ends(connection: openeo.Connection, server: ServerProcess) -> None:
    control(server, job_seconds=30)
    jobs = [olci(connection).create_job(out_format="NetCDF") for _ in range(3)]
    jobs[0].start()
    jobs[1].start()
    with pytest.raises(OpenEoApiError, match="ConcurrentJobLimit"):
        jobs[2].start()
    jobs[0].stop()
    jobs[2].start()
    for job in jobs[1:]:
        job.stop()
    assert [job.status() for job in jobs] == ["canceled"] * 3


def test_too_many_starts_in_a_minute_are_answered_with_the_seconds_to_wait(server: ServerProcess) -> None:
    person = connect(server).authenticate_oidc_resource_owner_password_credentials(
        USER, PASSWORD, client_id=PUBLIC_CLIENTS[0], provider_id="CDSE"
    )
    body = {"process": {"process_graph": flat_graph()}}

    def start() -> httpx.Response:
        headers = {"Authorization": f"Bearer {person.auth.bearer}"}  # type: ignore[attr-defined]
        return httpx.post(f"{server.url}/openeo/1.2/result", json=body, headers=headers)

    control(server, starts_per_minute=12, minute_seconds=3600)
    answers = [start() for _ in range(13)]
    assert [answer.status_code for answer in answers] == [200] * 12 + [429]
    assert 3500 < int(answers[-1].headers["retry-after"]) <= 3600
    control(server, minute_seconds=0)
    assert start().status_code == 200


def test_a_job_can_be_made_to_fail(connection: openeo.Connection, server: ServerProcess) -> None:
    control(server, failing_jobs=1)
    job = olci(connection).create_job(out_format="NetCDF")
    with pytest.raises(JobFailedException):
        job.start_and_wait(print=lambda _: None)
    job.start_and_wait(print=lambda _: None)
    assert job.status() == "finished"


def test_jobs_and_sign_ins_outlive_a_crash_and_what_ran_has_failed(tmp_path: Path) -> None:
    with fake_server(tmp_path) as server:
        connection = connect(server).authenticate_oidc_client_credentials(CLIENT_ID, CLIENT_SECRET, provider_id="CDSE")
        done = olci(connection).create_job(out_format="NetCDF")
        done.start_and_wait(print=lambda _: None)
        control(server, job_seconds=60)
        running = olci(connection).create_job(out_format="NetCDF")
        running.start()
        port = int(server.url.rpartition(":")[2])
        server.kill()
        with fake_server(tmp_path, port):
            assert (done.status(), running.status()) == ("finished", "error")
            assert len(done.get_results().get_assets()) == 1
