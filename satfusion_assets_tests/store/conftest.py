"""A server of buckets for the room, and an empty bucket for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, which the environment leads to."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3}.items():
        monkeypatch.setenv(name, value)
    return new_bucket(s3)
