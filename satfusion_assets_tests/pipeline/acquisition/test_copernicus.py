"""Sentinel-3 through the real clients: results in every form that has been seen, and what is made of bad ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from satfusion_assets.archives.copernicus import CUBE_PRODUCTS, BackEnd, Credentials, quarterly_requests
from satfusion_assets.archives.retry import RetryPolicy
from satfusion_assets.store import ProductStore
from satfusion_assets.store.rasters import read_raster
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveError, ArchiveUnavailable
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S3Product
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, TODAY, Sandbox
from satfusion_assets_tests.pipeline.acquisition.quarters import (
    RAW_S3,
    acquire,
    kinds,
    made_jobs,
    often,
    overpasses,
    version,
)

# -- results as real back-ends send them -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["2024", *often(["2026", "keys without ending"])])
def test_a_result_is_found_in_whatever_form_it_is_listed(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore, form: str
) -> None:
    """Object storage refuses requests that bring our token (HTTP 400), so it was not sent there."""
    with sandbox.turned(result_form=form):
        acquire(sandbox, store, TODAY)
    assert version(store) == version(whole)
    asked = sandbox.requests("/openeo-data-prod-waw4-1/")
    assert {entry["status"] for entry in asked} == ({200} if form != "2024" else set())


@pytest.mark.parametrize("form", ["classic", *often(["64-bit offset", "64-bit data"])])
def test_netcdf_is_read_in_every_classic_form(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore, form: str
) -> None:
    with sandbox.turned(netcdf=form):
        acquire(sandbox, store, TODAY)
    kept = [path.read_bytes()[:4] for path in store.cache(SEASON, "s3").glob("*+.nc")]
    assert set(kept) == {{"classic": b"CDF\x01", "64-bit offset": b"CDF\x02", "64-bit data": b"CDF\x05"}[form]}
    assert version(store) == version(whole)


@pytest.mark.parametrize(("form", "status"), [("2024", 410), ("2026", 403), *often([("2024", 403), ("2026", 400)])])
def test_an_address_that_has_expired_is_asked_for_again(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore, form: str, status: int
) -> None:
    sandbox.fault(path="openEO.nc", kind="status", status=status, times=1)
    with sandbox.turned(result_form=form):
        acquire(sandbox, store, TODAY)
    assert version(store) == version(whole)
    assert made_jobs(sandbox) == 2


def test_an_address_that_is_refused_when_it_is_new_does_not_speak_of_credentials_that_are_wrong(
    sandbox: Sandbox, store: ProductStore
) -> None:
    with sandbox.turned(result_form="2026", link_seconds=0), pytest.raises(ArchiveAnswerInvalid) as caught:
        acquire(sandbox, store, TODAY)
    assert "signed address" in str(caught.value)
    assert "credentials are not in question" in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"at": "assets", "value": {}}, "no NetCDF among its 0 files"),
        *often([({"at": "assets.*.type", "value": "image/tiff"}, "")]),
        ({"at": "assets", "drop": True}, "malformed"),
        *often(
            [
                ({"at": "assets.*.href", "value": "s3://bucket/openEO.nc"}, "cannot be fetched (s3:"),
                (
                    {"at": "assets", "value": {"openEO.tif": {"href": "x/openEO.tif", "type": "image/tiff"}}},
                    "no NetCDF among its 1 files (openEO.tif: image/tiff)",
                ),
            ]
        ),
    ],
    ids=["none", "wrong type", "no list", "another scheme", "another format"],
)
def test_a_finished_job_without_a_file_is_an_error_and_not_an_empty_quarter(
    sandbox: Sandbox, store: ProductStore, edit: dict[str, Any], says: str
) -> None:
    sandbox.fault(path=r"/jobs/[^/]+/results$", method="GET", kind="edit", edits=[edit])
    if says:
        with pytest.raises(ArchiveAnswerInvalid) as caught:
            acquire(sandbox, store, TODAY)
        assert says in str(caught.value)
        assert store.manifest(RAW_S3) is None
        sandbox.heal()
    outcome = acquire(sandbox, store, TODAY)
    assert outcome.numbers["empty_quarters"] == 0
    assert outcome.numbers["jobs_in_this_run"] == 2


# -- a cube is held against its request ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ("another year", "44 of its 44 times lie outside 2023-11-17 to 2023-12-31, such as 2024-11-16"),
        ("30 m", "its pixels are 30 x 30 m instead of 300 m"),
        ("percent", "which is not top-of-atmosphere reflectance"),
        *often(
            [
                ("in 1970", "times lie outside 2023-11-17 to 2023-12-31, such as 1970-01-01"),
                ("3 km", "its pixels are 3000 x 3000 m instead of 300 m"),
                ("other zone", "its coordinate system is 'WGS 84 / UTM zone 31N' instead of 'WGS 84 / UTM zone 32N'"),
                ("elsewhere", "m north, and the site from"),
                ("integers", "is stored as int16, which is not top-of-atmosphere reflectance"),
                ("no steps", "it has 0 steps along t"),
            ]
        ),
    ],
)
def test_a_cube_that_is_no_answer_to_its_request_is_refused(
    sandbox: Sandbox, store: ProductStore, spoilt: str, says: str
) -> None:
    with sandbox.turned(spoilt=spoilt), pytest.raises(ArchiveAnswerInvalid) as caught:
        acquire(sandbox, store, TODAY)
    assert says in str(caught.value)
    assert store.manifest(RAW_S3) is None


@pytest.mark.parametrize(("spoilt", "kind"), [("end day", "outside the request"), ("twice", "repeated")])
def test_times_that_were_not_asked_for_and_times_that_come_again_are_dropped(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore, spoilt: str, kind: str
) -> None:
    with sandbox.turned(spoilt=spoilt):
        outcome = acquire(sandbox, store, TODAY)
    assert overpasses(store) == overpasses(whole)
    assert kind in kinds(outcome)


def test_one_bad_overpass_costs_itself(sandbox: Sandbox, store: ProductStore, whole: ProductStore) -> None:
    with sandbox.turned(spoilt="one step in percent"):
        outcome = acquire(sandbox, store, TODAY)
    lost = set(overpasses(whole)) - set(overpasses(store))
    assert len(lost) == kinds(outcome).count("no reflectance") == 2, "one of each quarter"


def test_values_that_cannot_be_reflectance_are_missing_and_counted(
    sandbox: Sandbox, store: ProductStore, whole: ProductStore
) -> None:
    with sandbox.turned(spoilt="specks"):
        outcome = acquire(sandbox, store, TODAY)
    assert overpasses(store) == overpasses(whole)
    assert outcome.numbers["impossible_values"] == 3 * len(overpasses(whole))
    with store.read(RAW_S3) as view:
        values = np.stack([read_raster(view.path(name)).values for name in view.names("raw/s3/*.geotiff")])
    assert np.nanmax(values) <= 2.0
    assert np.nanmin(values) >= -0.2


# -- jobs ---------------------------------------------------------------------------------------------------------


def test_a_job_is_found_on_any_page(sandbox: Sandbox) -> None:
    settings = sandbox.settings()

    def back_end() -> BackEnd:
        return BackEnd(settings.openeo_url, Credentials.of(settings), RetryPolicy.of(settings))

    requests = quarterly_requests(
        CUBE_PRODUCTS[S3Product.OLCI_L1B], site_grid(sandbox.site), date(2021, 1, 1), date(2023, 12, 31)
    )
    made = {request.title: back_end().create(request) for request in requests}
    with sandbox.turned(jobs_on_a_page=2):
        assert {title: back_end().find(title) for title in made} == made
        assert back_end().find("no such job") is None


def test_a_list_of_jobs_that_goes_in_circles_ends(sandbox: Sandbox) -> None:
    settings = sandbox.settings()
    link = [{"rel": "next", "href": f"{settings.openeo_url}/jobs?limit=100"}]
    sandbox.fault(path=r"/jobs\?", method="GET", kind="edit", edits=[{"at": "links", "value": link}])
    back_end = BackEnd(settings.openeo_url, Credentials.of(settings), RetryPolicy.of(settings))
    assert back_end.find("no such job") is None


# -- limits and credentials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spot", ["/openid-connect/token", "^/openeo/1.2/collections/", "^/openeo/1.2/jobs"])
def test_an_answer_that_trickles_ends_at_its_deadline(sandbox: Sandbox, store: ProductStore, spot: str) -> None:
    """The first byte comes at once and each other one within the time-out of silence: no read ever takes too long."""
    sandbox.fault(path=spot, kind="trickle", seconds=0.1)
    with pytest.raises(ArchiveUnavailable):
        acquire(sandbox, store, TODAY, archive_deadline_s=0.5, archive_attempts=1)


def test_an_answer_without_end_is_not_swallowed(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path="^/openeo/1.2/collections/", kind="flood", keep=2**30)
    with pytest.raises(ArchiveAnswerInvalid, match="more than 64 MB"):
        acquire(sandbox, store, TODAY)


@pytest.mark.parametrize("retry_after", ["nan", "Wed, 21 Oct 2015 07:28:00 GMT", *often(["inf", "-5", "soon", 0])])
def test_a_retry_after_that_says_nothing_is_no_reason_to_wait_or_to_fall(
    sandbox: Sandbox, store: ProductStore, retry_after: str | int
) -> None:
    sandbox.fault(path="^/openeo/1.2/jobs", kind="status", status=429, retry_after=retry_after, times=2)
    assert acquire(sandbox, store, TODAY).numbers["overpasses"] > 0


@pytest.mark.parametrize(("method", "status"), [("GET", 503), ("POST", 429), *often([("GET", 429)])])
def test_a_service_that_asks_for_an_hour_ends_the_run(
    sandbox: Sandbox, store: ProductStore, method: str, status: int
) -> None:
    sandbox.fault(path="^/openeo/1.2/jobs", method=method, kind="status", status=status, retry_after=3600)
    with pytest.raises(ArchiveUnavailable, match="asks for 3600 s before it is asked again"):
        acquire(sandbox, store, TODAY)
    assert len([entry for entry in sandbox.requests("/openeo/1.2/jobs") if entry["fault"]]) == 1


@pytest.mark.parametrize("status", [307, *often([301, 302, 308])])
@pytest.mark.parametrize("spot", ["/openid-connect/token", r"^/openeo/1\.2/jobs"])
def test_credentials_do_not_follow_a_redirect_to_another_host(
    sandbox: Sandbox, store: ProductStore, spot: str, status: int
) -> None:
    elsewhere = sandbox.url.replace("127.0.0.1", "localhost")
    sandbox.fault(path=spot, kind="status", status=status, headers={"Location": f"{elsewhere}/data/elsewhere"})
    with pytest.raises(ArchiveAnswerInvalid, match="another host"):
        acquire(sandbox, store, TODAY)
    assert sandbox.requests("/data/elsewhere") == []


def test_an_identity_service_that_names_another_host_for_its_tokens_gets_no_password(
    sandbox: Sandbox, store: ProductStore
) -> None:
    elsewhere = sandbox.url.replace("127.0.0.1", "localhost")
    endpoint = f"{elsewhere}/auth/realms/CDSE/protocol/openid-connect/token"
    edits = [{"at": "token_endpoint", "value": endpoint}]
    sandbox.fault(path="openid-configuration", kind="edit", edits=edits)
    with pytest.raises(ArchiveError, match="another host"):
        acquire(sandbox, store, TODAY)
    assert [entry for entry in sandbox.requests("/auth/") if entry["method"] == "POST"] == []
