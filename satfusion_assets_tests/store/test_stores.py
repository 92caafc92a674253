"""What holds of every store, whether its products lie in a folder or in a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from satfusion_assets.pipeline.acquisition.cache import FetchCache
from satfusion_assets.store import ALL_SEASONS, Product, ProductStore, Store
from satfusion_assets.vocabulary.errors import (
    ProductMissing,
)
from satfusion_assets_tests.store.hosts import (
    FUSED,
    INNSBRUCK,
    NEW,
    OLD,
    RAW,
    content,
    on_host,
    publish,
)


@pytest.fixture(params=["folder", "blobs in a folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return ProductStore(tmp_path / "data")
    if request.param == "bucket":
        return on_host(request.getfixturevalue("moto_bucket"), tmp_path / "cache")
    return on_host(str(tmp_path / "blobs"), tmp_path / "cache")


def test_what_was_published_is_read_whole(store: Store):
    version = publish(store, FUSED, OLD)
    assert content(store, FUSED) == OLD
    assert store.verify(FUSED) == []
    assert store.manifest(FUSED).version == version
    assert store.scopes() == [INNSBRUCK]
    assert [one.product for one in store.products(INNSBRUCK)] == ["fused"]


def test_a_reader_keeps_its_version_while_another_is_published(store: Store):
    publish(store, FUSED, OLD)
    with store.read(FUSED) as view:
        publish(store, FUSED, NEW)
        assert [path.read_bytes() for path in view.files()] == [b"old", b"old"]
    assert content(store, FUSED) == NEW


def test_equal_content_has_an_equal_data_version_in_every_store(store: Store, tmp_path: Path):
    assert publish(store, FUSED, OLD) == publish(ProductStore(tmp_path / "other"), FUSED, OLD)


def test_a_failure_leaves_the_previous_version(store: Store):
    publish(store, FUSED, OLD)
    with pytest.raises(RuntimeError), store.publish(FUSED) as draft:
        draft.write_bytes("fusion/half.tif", b"half")
        raise RuntimeError
    assert content(store, FUSED) == OLD
    assert store.recover() == []


def test_inputs_are_recorded_and_a_change_of_one_is_said(store: Store):
    publish(store, RAW, {"raw/s2/a.geotiff": b"pixels"})
    with store.read(RAW) as view, store.publish(FUSED, inputs=[view]) as draft:
        draft.share(view, "raw/s2/a.geotiff", "fusion/a.tif")
        draft.write_bytes("fusion/b.tif", b"pixels")
    assert content(store, FUSED) == {"fusion/a.tif": b"pixels", "fusion/b.tif": b"pixels"}
    assert list(store.changes(FUSED)) == []
    publish(store, RAW, {"raw/s2/a.geotiff": b"others"})
    assert list(store.changes(FUSED)) == ["raw_s2 has changed"]


def test_what_was_removed_is_not_there_and_can_be_made_again(store: Store):
    publish(store, FUSED, OLD)
    store.remove(FUSED)
    assert store.manifest(FUSED) is None
    assert not store.holds_products(INNSBRUCK)
    with pytest.raises(ProductMissing, match="fused.aggressive_sigma20 has not been materialised"), store.read(FUSED):
        pass
    publish(store, FUSED, NEW)
    assert content(store, FUSED) == NEW


def test_a_table_of_all_site_seasons_names_its_inputs_in_full(store: Store):
    publish(store, RAW, {"raw/s2/a.geotiff": b"pixels"})
    with store.read(RAW) as view, store.publish(Product("score_table", ALL_SEASONS), inputs=[view]) as draft:
        draft.write_bytes("scores.csv", b"site\n")
    assert set(draft.manifest.inputs) == {"innsbruck_2024/raw_s2"}
    assert set(store.scopes()) == {INNSBRUCK, ALL_SEASONS}


def test_what_acquisition_keeps_is_there_for_the_next_run(store: Store):
    cache = FetchCache(store.kept(INNSBRUCK, "s2"))
    cache.put("scene", {".tif": b"pixels"}, {"from": "archive"})
    assert FetchCache(store.kept(INNSBRUCK, "s2")).get("scene").paths[".tif"].read_bytes() == b"pixels"
    cache.keep_only([])
    assert FetchCache(store.kept(INNSBRUCK, "s2")).get("scene") is None
