"""Jobs at Copernicus and the sign-in to it, through the real client: what waits, what is tried again, what is said."""

from __future__ import annotations

import json

import pytest

from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import ArchiveUnavailable, CredentialsMissing, CredentialsRejected
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, Sandbox


def test_a_job_under_way_is_taken_up_by_the_next_run(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path="/results/assets/", kind="status", status=503)
    with pytest.raises(ArchiveUnavailable):
        sandbox.acquire("raw_s3", store)
    jobs = json.loads((store.cache(SEASON, "s3") / "jobs.json").read_text())
    assert len(jobs) >= 1
    sandbox.heal()
    sandbox.forget_requests()
    sandbox.acquire("raw_s3", store)
    created = [r for r in sandbox.requests("/openeo/1.2/jobs") if r["method"] == "POST" and r["path"].endswith("/jobs")]
    assert len(created) == 2 - len(jobs)


def test_an_expired_token_is_renewed(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.world(token_seconds=1.5, job_seconds=2.5)
    try:
        outcome = sandbox.acquire("raw_s3", store)
    finally:
        sandbox.world(token_seconds=600, job_seconds=0)
    assert outcome.numbers["overpasses"] > 0
    assert len([r for r in sandbox.requests("/auth/") if r["method"] == "POST"]) > 1


def test_a_failing_job_is_tried_once_more(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.world(failing_jobs=1)
    assert sandbox.acquire("raw_s3", store).numbers["overpasses"] > 0
    other = ProductStore(store.root / "other")
    sandbox.world(failing_jobs=9)
    try:
        with pytest.raises(ArchiveUnavailable, match="failed twice on SENTINEL3_OLCI_L1B"):
            sandbox.acquire("raw_s3", other)
    finally:
        sandbox.world(failing_jobs=0)


def test_a_start_beyond_the_quota_waits(sandbox: Sandbox, store: ProductStore) -> None:
    """Two jobs where the quota is used up after the first start: the second is refused once, with 429."""
    sandbox.fault(path=r"/jobs/[^/]+/results", method="POST", kind="status", status=429, retry_after=0, skip=1, times=1)
    try:
        outcome = sandbox.acquire("raw_s3", store, archive_attempts=5)
    finally:
        sandbox.heal()
    assert outcome.numbers["jobs_in_this_run"] == 2
    starts = [r for r in sandbox.requests("/openeo/") if r["method"] == "POST" and r["path"].endswith("/results")]
    assert [start["status"] for start in starts].count(429) == 1
    assert len(starts) == 3


def test_jobs_wait_while_the_account_has_no_free_slot(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.world(concurrent_jobs=1, job_seconds=0.6)
    try:
        outcome = sandbox.acquire("raw_s3", store)
    finally:
        sandbox.world(concurrent_jobs=2, job_seconds=0)
    assert outcome.numbers["jobs_in_this_run"] == 2
    refused = [r for r in sandbox.requests("/openeo/1.2/jobs") if r["path"].endswith("/results") and r["status"] == 400]
    assert refused


def test_an_oauth_client_can_sign_in(sandbox: Sandbox, store: ProductStore) -> None:
    outcome = sandbox.acquire(
        "raw_s3", store, cdse_client_id="sandbox-client", cdse_client_secret="sandbox-secret", cdse_user=None
    )
    assert outcome.numbers["overpasses"] > 0


def test_missing_credentials_name_the_variables(sandbox: Sandbox, store: ProductStore) -> None:
    with pytest.raises(CredentialsMissing, match="CDSE_USER and CDSE_PASSWORD, or CDSE_CLIENT_ID"):
        sandbox.acquire("raw_s3", store, cdse_user=None, cdse_password=None)


@pytest.mark.parametrize(
    ("wrong", "variables"),
    [
        ({"cdse_password": "not-the-password"}, "user of CDSE_USER and CDSE_PASSWORD"),
        (
            {"cdse_client_id": "nobody", "cdse_client_secret": "nothing"},
            "OAuth client of CDSE_CLIENT_ID and CDSE_CLIENT_SECRET",
        ),
    ],
    ids=["user", "client"],
)
def test_wrong_credentials_are_said_without_showing_them(
    sandbox: Sandbox, store: ProductStore, wrong: dict[str, str], variables: str
) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        sandbox.acquire("raw_s3", store, **wrong)
    says = str(caught.value)
    assert f"refused the sign-in as the {variables}; check both" in says
    assert "in .env a value with # or spaces needs single quotes" in says
    assert not any(secret in says for secret in wrong.values())
