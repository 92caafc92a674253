"""The viewer says the same of products in a bucket as of the same products in a folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.blobs import Blobs, Waits
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.copying import copy_store
from satfusion_assets.store.version_cache import VersionCache
from satfusion_assets.viewer.listings import LISTING_S
from satfusion_assets_tests.store.servers.running import KEYS, moto, new_bucket
from satfusion_assets_tests.viewer.conftest import serve
from satfusion_assets_tests.viewer.test_versions import PIXEL, SCENARIO, SEASON, World

QUESTIONS = (
    "/_api/catalog",
    f"/_api/season/innsbruck/2024/{SCENARIO.key}",
    f"/_api/series/innsbruck/2024/{SCENARIO.key}/processed",
    f"/_api/series/innsbruck/2024/{SCENARIO.key}/raw",
    f"/_api/pixel/innsbruck/2024/{SCENARIO.key}/processed?x={PIXEL[0]}&y={PIXEL[1]}",
    "/_api/scenarios/innsbruck/2024",
    f"/_api/json/innsbruck/2024/processed_{SCENARIO.key}/none.json",
    f"/_files/innsbruck/2024/packs/{SCENARIO.key}.zarr/zarr.json",
    "/_files/tables/scores.csv",
    "/_files/innsbruck/2024/.satfusion/log/pack/000000000001.json",
    "/_files/../../etc/passwd",
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, BucketStore, httpx.Client, httpx.Client]]:
    """A folder and a bucket with the same products, and a viewer on each."""
    root = tmp_path_factory.mktemp("both")
    world = World(root / "data")
    world.publish()
    with world.store.publish(Product("raw_s2", SEASON)) as draft:
        draft.write_bytes("raw/s2/20240501_0.geotiff", b"II*\0 this is no raster")
    with moto() as url, pytest.MonkeyPatch.context() as environment:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            environment.setenv(name, value)
        where = new_bucket(url)
        writer = BucketStore(Blobs(where, Waits()), VersionCache(root / "writer", 10**9))
        list(copy_store(world.store, writer))
        reader = BucketStore(Blobs(where, Waits(2, 2)), VersionCache(root / "reader", 10**9))
        with serve(root / "data") as folder, serve(root / "data", bucket=reader) as bucket:
            with httpx.Client(base_url=folder) as one, httpx.Client(base_url=bucket) as other:
                yield world, writer, one, other


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_bucket_and_a_folder_give_the_same_answer(
    both: tuple[World, BucketStore, httpx.Client, httpx.Client], question: str
):
    *_, folder, bucket = both
    expected, answer = folder.get(question), bucket.get(question)
    assert answer.status_code == expected.status_code
    if "json" in expected.headers["content-type"]:
        assert answer.json() == expected.json()
    else:
        assert answer.content == expected.content


def test_what_is_published_is_seen_a_second_later(both: tuple[World, BucketStore, httpx.Client, httpx.Client]):
    world, writer, folder, bucket = both
    pixel = next(question for question in QUESTIONS if "/pixel/" in question)
    before = bucket.get(pixel).json()
    world.publish()
    assert bucket.get(pixel).json() == before
    list(copy_store(world.store, writer))
    time.sleep(LISTING_S)
    assert bucket.get(pixel).json() == folder.get(pixel).json() != before


def test_a_bucket_that_does_not_answer_is_said_without_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    store = BucketStore(Blobs("s3://private-name/products", Waits(1, 0)), VersionCache(tmp_path / "cache", 10**9))
    ProductStore(tmp_path / "data")
    World(tmp_path / "data")
    with serve(tmp_path / "data", bucket=store) as url:
        answer = httpx.get(f"{url}/_api/catalog")
    assert answer.status_code == 503
    assert "did not answer" in answer.json()["error"]
    assert "private-name" not in answer.text
