"""Products in a bucket: several machines, servers that fail, garbage, moving there and back."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from satfusion_assets.pipeline.acquisition.cache import FetchCache
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.blobs import Blobs, Waits
from satfusion_assets.store.collect import collect
from satfusion_assets.store.copying import copy_store
from satfusion_assets.store.log import ProductLogs, Publication
from satfusion_assets.vocabulary.errors import (
    ProductCorrupt,
    ProductMissing,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from satfusion_assets_tests.store.conftest import CEPH
from satfusion_assets_tests.store.hosts import (
    FUSED,
    INNSBRUCK,
    NEW,
    OLD,
    PATIENT,
    RAW,
    content,
    on_host,
    publish,
)
from satfusion_assets_tests.store.servers.running import KEYS, Between, moto, new_bucket

# -- several machines --------------------------------------------------------------------------------------------


def test_another_host_reads_what_one_published_and_goes_on_where_it_stopped(bucket: str, tmp_path: Path):
    here, there = on_host(bucket, tmp_path / "a"), on_host(bucket, tmp_path / "b")
    publish(here, FUSED, OLD)
    assert content(there, FUSED) == OLD
    FetchCache(here.kept(INNSBRUCK, "s3")).put("quarter", {".nc": b"cube"}, {"job_id": "j-1"})
    entry = FetchCache(there.kept(INNSBRUCK, "s3")).get("quarter")
    assert entry.facts == {"job_id": "j-1"}
    assert entry.paths[".nc"].read_bytes() == b"cube"


def test_equal_contents_are_sent_and_kept_once(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    publish(store, FUSED, OLD)
    publish(store, RAW, {"raw/s2/a.geotiff": b"old"})
    assert len(store.blobs.below("innsbruck/2024/.satfusion/objects")) == 1


def test_who_creates_what_is_there_already_is_told_so_and_changes_nothing(bucket: str):
    blobs = [Blobs(bucket, PATIENT) for _ in range(4)]
    won = [one.create("first/come", f"writer {which}".encode()) for which, one in enumerate(blobs)]
    assert won == [True, False, False, False]
    assert {one.read("first/come") for one in blobs} == {b"writer 0"}


@pytest.mark.parametrize("s3", [pytest.param("radosgw", marks=[pytest.mark.slow, CEPH])], indirect=True)
def test_of_many_who_create_one_blob_exactly_one_does(bucket: str):
    """On a real server: moto looks whether a blob is there and then writes it, and between the two another may."""
    blobs = [Blobs(bucket, PATIENT) for _ in range(4)]
    for number in range(200):
        start = threading.Barrier(len(blobs))
        won: list[bool] = []

        def race(which: int, number: int = number, start: Any = start, won: list[bool] = won) -> None:
            start.wait()
            won.append(blobs[which].create(f"race/{number}", f"writer {which}".encode()))

        run_side_by_side([partial(race, which) for which in range(len(blobs))])
        assert sorted(won) == [False, False, False, True]


def run_side_by_side(tasks: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def publish_often(where: str, cache: Path, name: str, times: int) -> None:
    store = on_host(where, cache)
    for number in range(times):
        publish(store, FUSED, {f"fusion/{part}.tif": f"{name} {number}".encode() for part in "abc"})


def test_two_hosts_that_publish_one_partition_leave_a_dense_log_and_readers_see_no_mixture(bucket: str, tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=publish_often, args=(bucket, tmp_path / name, name, 20)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    reader = on_host(bucket, tmp_path / "reader")
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if reader.manifest(FUSED) is not None:
            found = set(content(reader, FUSED).values())
            assert len(found) == 1, "files of several versions"
            seen |= found
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(seen) > 1, "the reader saw nothing happen"
    logs = ProductLogs(reader.blobs, "innsbruck/2024")
    assert [number for number, _ in logs.entries(FUSED.slug)] == list(range(1, 41))
    entries = [logs.read(FUSED.slug, number) for number in range(1, 41)]
    assert len({entry.manifest.version for entry in entries}) == 40, "each was published once"


def die_before(where: str, cache: Path, call: str) -> None:
    """Publish, and be killed before the call of this name."""
    store = on_host(where, cache)
    setattr(store.blobs, call, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    publish(store, FUSED, NEW)


@pytest.mark.parametrize("call", ["put", "create"])
def test_a_host_that_dies_while_it_publishes_leaves_the_previous_version(bucket: str, tmp_path: Path, call: str):
    store = on_host(bucket, tmp_path / "a")
    publish(store, FUSED, OLD)
    process = multiprocessing.get_context("spawn").Process(target=die_before, args=(bucket, tmp_path / "b", call))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert content(store, FUSED) == OLD
    again = on_host(bucket, tmp_path / "b")
    again.recover()
    assert list((tmp_path / "b").rglob("*.tif")) == []
    assert collect(again, INNSBRUCK, grace=timedelta(seconds=-60)).contents == (0 if call == "put" else 1)
    assert store.verify(FUSED) == []


# -- servers that fail -------------------------------------------------------------------------------------------


def test_a_creation_whose_answer_is_lost_was_carried_out_once(s3: str, bucket: str, tmp_path: Path, monkeypatch: Any):
    with closing(Between(s3)) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        store = on_host(bucket, tmp_path / "a")
        store.recover()
        for number in range(20):
            between.drop = 1
            publish(store, FUSED, {"fusion/a.tif": str(number).encode()})
        assert between.dropped == 20
        entries = ProductLogs(store.blobs, "innsbruck/2024").entries(FUSED.slug)
        assert [number for number, _ in entries] == list(range(1, 21))
        assert content(store, FUSED) == {"fusion/a.tif": b"19"}


def test_a_creation_that_another_won_while_ones_own_answer_was_lost_takes_the_next_number(
    bucket: str, monkeypatch: Any
):
    import obstore

    blobs, put = Blobs(bucket, PATIENT), obstore.put
    other = Publication(manifest=None)

    def other_first(store: Any, path: str, file: Any, **options: Any) -> Any:
        monkeypatch.setattr(obstore, "put", put)
        put(store, path, other.model_dump_json(indent=1).encode())
        raise obstore.exceptions.GenericError("no answer")

    monkeypatch.setattr(obstore, "put", other_first)
    assert ProductLogs(blobs, "innsbruck/2024").append("fused", Publication(manifest=None)) == 2
    assert ProductLogs(blobs, "innsbruck/2024").read("fused", 1) == other


def test_a_server_that_is_frozen_for_a_while_loses_nothing_and_for_good_is_one_sentence(
    tmp_path: Path, monkeypatch: Any
):
    with moto() as url:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        where = new_bucket(url)
        server = only_listener(url)
        store = on_host(where, tmp_path / "a", waits=Waits(request_s=1, in_all_s=30))
        publish(store, FUSED, OLD)
        os.kill(server, signal.SIGSTOP)
        threading.Timer(4, os.kill, (server, signal.SIGCONT)).start()
        publish(store, FUSED, NEW)
        assert content(store, FUSED) == NEW
        assert [number for number, _ in ProductLogs(store.blobs, "innsbruck/2024").entries(FUSED.slug)] == [1, 2]
        os.kill(server, signal.SIGSTOP)
        hasty = on_host(where, tmp_path / "b", waits=Waits(request_s=1, in_all_s=1))
        with pytest.raises(StoreUnavailable, match=rf"^{where} did not answer for 1 s \(.*\); look after its server"):
            publish(hasty, FUSED, OLD)
        os.kill(server, signal.SIGCONT)
        assert content(store, FUSED) == NEW


def only_listener(url: str) -> int:
    import psutil

    port = int(url.rpartition(":")[2])
    return next(one.pid for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.pid)


def test_a_server_that_ignores_conditions_is_refused(bucket: str, tmp_path: Path, monkeypatch: Any):
    import obstore

    put = obstore.put
    monkeypatch.setattr(obstore, "put", lambda *given, mode="overwrite", **options: put(*given, **options))
    store = on_host(bucket, tmp_path / "a")
    for act in (store.recover, lambda: publish(store, FUSED, OLD), lambda: store.remove(FUSED)):
        with pytest.raises(StoreRefused, match=r"ignores conditions \(If-None-Match: \*\)"):
            act()
    assert store.blobs.below("innsbruck") == []
    assert store.blobs.below(".satfusion") == [], "the probe leaves nothing"


def test_a_bucket_that_is_not_there_or_not_ours_is_one_sentence(bucket: str, tmp_path: Path):
    gone = on_host("s3://no-such-bucket/x", tmp_path / "a")
    with pytest.raises(StoreRefused, match="s3://no-such-bucket/x is not there; make the bucket"):
        gone.recover()


# -- damage, disks and garbage -----------------------------------------------------------------------------------


def test_damage_in_the_bucket_is_found_and_never_handed_out(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    publish(store, FUSED, {"fusion/a.tif": b"pixels", "fusion/b.tif": b"others"})
    objects = {
        store.blobs.read(blob.name): blob.name for blob in store.blobs.below("innsbruck/2024/.satfusion/objects")
    }
    store.blobs.put(objects[b"pixels"], b"piXels")
    store.blobs.delete(objects[b"others"])
    assert store.verify(FUSED) == ["fusion/a.tif differs from its manifest.", "fusion/b.tif is missing."]
    with on_host(bucket, tmp_path / "b").read(FUSED) as view:
        with pytest.raises(ProductCorrupt, match="differs from its manifest"):
            view.path("fusion/a.tif")
        with pytest.raises(ProductMissing, match="no longer in the bucket"):
            view.path("fusion/b.tif")
    assert list((tmp_path / "b").rglob("*.tif")) == []


def test_an_entry_that_cannot_be_read_hides_no_other_product(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    publish(store, RAW, OLD)
    store.blobs.put(f"innsbruck/2024/.satfusion/log/{FUSED.slug}/000000000001.json", b"{")
    assert [one.product for one in store.products(INNSBRUCK)] == ["raw_s2"]
    with pytest.raises(ProductCorrupt, match="is no readable entry"):
        store.manifest(FUSED)
    publish(store, FUSED, NEW)
    assert content(store, FUSED) == NEW


def test_the_cache_keeps_to_its_limit_and_never_loses_what_is_read(bucket: str, tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr("satfusion_assets.store.version_cache._LOOK_EACH", 1)
    store = on_host(bucket, tmp_path / "a")
    products = [Product("fused", INNSBRUCK, f"v{number}") for number in range(6)]
    for product in products:
        publish(store, product, {"fusion/a.tif": product.key.encode() * 1000})
    size = len(products[0].key) * 1000
    small = on_host(bucket, tmp_path / "small", limit=2 * size + 9000)
    with small.read(products[0]) as view:
        kept = view.path("fusion/a.tif")
        for product in products[1:]:
            content(small, product)
        assert kept.exists(), "it is being read"
    there = list((tmp_path / "small").rglob("*.tif"))
    assert kept in there
    assert len(there) <= 3
    assert content(small, products[1]) == {"fusion/a.tif": products[1].key.encode() * 1000}


def test_a_full_disk_is_one_sentence(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    with pytest.raises(StoreFull, match=r"disk of .* is full while writing innsbruck_2024\.fused"):
        with store.publish(FUSED):
            raise OSError(28, "No space left on device")
    assert store.manifest(FUSED) is None


def test_garbage_is_what_was_replaced_long_ago_and_what_nothing_names(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    for number in range(5):
        publish(store, FUSED, {"fusion/a.tif": str(number).encode()})
    store.blobs.put("innsbruck/2024/.satfusion/objects/abandoned", b"left by a kill")
    assert collect(store, INNSBRUCK) == SimpleEqual(entries=0, contents=0), "all of it is young"
    told = collect(store, INNSBRUCK, grace=timedelta(seconds=-60), dry_run=True)
    assert collect(store, INNSBRUCK, grace=timedelta(seconds=-60)) == told == SimpleEqual(entries=3, contents=4)
    assert store.verify(FUSED) == []
    assert [number for number, _ in ProductLogs(store.blobs, "innsbruck/2024").entries(FUSED.slug)] == [4, 5]
    publish(on_host(bucket, tmp_path / "b"), FUSED, {"fusion/a.tif": b"0"})
    assert store.verify(FUSED) == [], "a content that was collected is sent again"


class SimpleEqual(SimpleNamespace):
    """Equal to whatever has its attributes."""

    def __eq__(self, other: object) -> bool:
        return all(getattr(other, name) == value for name, value in vars(self).items())


def test_an_old_content_that_is_published_again_is_young_again(bucket: str, tmp_path: Path, monkeypatch: Any):
    """Otherwise it might be collected between being found and being named."""
    store = on_host(bucket, tmp_path / "a")
    publish(store, FUSED, {"fusion/a.tif": b"pixels"})
    name = store.blobs.below("innsbruck/2024/.satfusion/objects")[0].name
    before = store.blobs.about(name).modified
    time.sleep(1.1)
    monkeypatch.setattr("satfusion_assets.store.bucket.GRACE", timedelta(seconds=1))
    publish(store, RAW, {"raw/s2/a.geotiff": b"pixels"})
    assert store.blobs.about(name).modified > before
    assert store.blobs.about(name).modified - datetime.now(UTC) < timedelta(seconds=5)


# -- moving ------------------------------------------------------------------------------------------------------


def test_a_store_is_copied_to_a_bucket_and_back_with_every_manifest_as_it_was(bucket: str, tmp_path: Path):
    folder = ProductStore(tmp_path / "data")
    publish(folder, RAW, {"raw/s2/a.geotiff": b"pixels"})
    with folder.read(RAW) as view, folder.publish(FUSED, parameters={"sigma": 20}, inputs=[view]) as draft:
        draft.share(view, "raw/s2/a.geotiff", "fusion/a.tif")
        draft.write_bytes("packs/a.zarr/zarr.json", b"{}")
    FetchCache(folder.kept(INNSBRUCK, "s2")).put("scene", {".tif": b"pixels"}, {"from": "archive"})
    remote = on_host(bucket, tmp_path / "cache")
    assert [now for _, now in copy_store(folder, remote)] == [True, True]
    assert [now for _, now in copy_store(folder, remote)] == [False, False]
    back = ProductStore(tmp_path / "back")
    list(copy_store(on_host(bucket, tmp_path / "other"), back))
    for product in (RAW, FUSED):
        assert back.manifest(product) == remote.manifest(product) == folder.manifest(product)
        assert back.verify(product) == remote.verify(product) == []
    assert FetchCache(back.kept(INNSBRUCK, "s2")).get("scene").facts == {"from": "archive"}
    assert list(back.changes(FUSED)) == list(remote.changes(FUSED)) == []


def test_a_damaged_version_is_not_copied(bucket: str, tmp_path: Path):
    folder = ProductStore(tmp_path / "data")
    publish(folder, RAW, {"raw/s2/a.geotiff": b"pixels"})
    (folder.folder(INNSBRUCK) / "raw/s2/a.geotiff").resolve().write_bytes(b"piXels")
    remote = on_host(bucket, tmp_path / "cache")
    with pytest.raises(ProductCorrupt, match=r"innsbruck_2024\.raw_s2 was not copied as its manifest has it"):
        list(copy_store(folder, remote))
    assert remote.manifest(RAW) is None


def test_a_manifest_in_the_log_is_the_manifest_of_the_folder(bucket: str, tmp_path: Path):
    store = on_host(bucket, tmp_path / "a")
    publish(store, FUSED, OLD)
    logged = json.loads(store.blobs.read(f"innsbruck/2024/.satfusion/log/{FUSED.slug}/000000000001.json"))
    assert logged["manifest"] == json.loads(store.manifest(FUSED).model_dump_json())
