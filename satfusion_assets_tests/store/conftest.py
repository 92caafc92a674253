"""Servers of buckets for the room, and an empty bucket for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from satfusion_assets_tests.store.servers.ceph import has_ceph, radosgw
from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket

CEPH = pytest.mark.skipif(not has_ceph(), reason="radosgw, ceph-mon and ceph-osd are not installed, or we are not root")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture(scope="session", params=["moto", pytest.param("radosgw", marks=[pytest.mark.slow, CEPH])])
def s3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Moto's server in every run, Ceph's beside it in long ones."""
    if request.param == "moto":
        yield request.getfixturevalue("moto_url")
        return
    with radosgw(tmp_path_factory.mktemp("ceph")) as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, which the environment leads to."""
    return emptied(s3, monkeypatch)


@pytest.fixture
def moto_bucket(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same of moto alone."""
    return emptied(moto_url, monkeypatch)


def emptied(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
        monkeypatch.setenv(name, value)
    return new_bucket(url)
