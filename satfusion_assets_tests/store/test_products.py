"""Publishing is atomic: a reader sees the old product or the new one, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from satfusion_assets.store import ALL_SEASONS, Product, ProductStore, Scope
from satfusion_assets.store.manifest import READ_AT_ONCE, FileRecord
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing, StoreError, StoreFull
from satfusion_assets.vocabulary.sites import SiteSeason

INNSBRUCK = SiteSeason("innsbruck", 2024)
FUSED = Product("fused", INNSBRUCK, "aggressive_sigma20")
OLD = {"prepared_aggressive/fusion/REFL_20240101.tif": "old", "prepared_aggressive/fusion/REFL_20240102.tif": "old"}
NEW = {"prepared_aggressive/fusion/REFL_20240102.tif": "new", "prepared_aggressive/fusion/REFL_20240103.tif": "new"}


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    return ProductStore(tmp_path / "data")


def publish(store: ProductStore, product: Product, files: dict[str, str]) -> str:
    with store.publish(product) as draft:
        for name, text in files.items():
            draft.path(name).write_text(text)
    assert draft.manifest is not None
    return draft.manifest.version


def seen(store: ProductStore, site_season: Scope = INNSBRUCK) -> dict[str, str]:
    """What a reader of the contract's paths finds."""
    base = store.folder(site_season)
    paths = (path for path in base.rglob("*") if ".satfusion" not in path.parts and path.is_file())
    return {path.relative_to(base).as_posix(): path.read_text() for path in paths}


def test_a_published_product_is_seen_at_the_contracts_paths(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    assert seen(store) == OLD
    assert store.verify(FUSED) == []


def test_what_no_longer_belongs_is_gone_after_republishing(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    publish(store, FUSED, NEW)
    assert seen(store) == NEW
    versions = list((store.folder(INNSBRUCK) / ".satfusion" / FUSED.slug / "versions").iterdir())
    assert len(versions) == 1


def test_a_product_is_current_until_its_inputs_settings_or_code_change(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = Product("prepared_bti", INNSBRUCK, "aggressive")
    publish(store, prepared, {"prepared_aggressive/s3/composite_20240101.tif": "a"})
    assert any(store.changes(FUSED))
    with store.read(prepared) as view, store.publish(FUSED, parameters={"engine": "own"}, inputs=[view]) as draft:
        draft.path("prepared_aggressive/fusion/REFL_20240101.tif").write_text("b")
    assert not any(store.changes(FUSED, {"engine": "own"}))
    assert any(store.changes(FUSED, {"engine": "efast"}))
    with monkeypatch.context() as release:
        release.setattr("satfusion_assets.store.sealing.package_version", lambda _: "99")
        assert not any(store.changes(FUSED)), "a release changes no product by itself"
    assert list(store.changes(FUSED, code_version=99)) == ["its code was version 1, is 99"]
    publish(store, prepared, {"prepared_aggressive/s3/composite_20240101.tif": "c"})
    assert any(store.changes(FUSED))


def test_equal_content_has_an_equal_data_version_and_other_content_another(store: ProductStore) -> None:
    first = publish(store, FUSED, OLD)
    assert publish(store, FUSED, OLD) == first
    assert publish(store, FUSED, NEW) != first


def test_a_failure_leaves_the_previous_version_and_nothing_else(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    with pytest.raises(RuntimeError), store.publish(FUSED) as draft:
        draft.path("prepared_aggressive/fusion/REFL_20240109.tif").write_text("half")
        raise RuntimeError
    assert seen(store) == OLD
    assert store.recover() == []


def test_a_full_disk_is_one_sentence_and_leaves_the_previous_version(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    with pytest.raises(StoreFull, match=r"disk of .* is full while writing innsbruck_2024\.fused"):
        with store.publish(FUSED) as draft:
            draft.path("prepared_aggressive/fusion/REFL_20240101.tif")
            raise OSError(errno.ENOSPC, "No space left on device")
    assert seen(store) == OLD


def test_two_products_share_folders_but_never_a_file(store: ProductStore) -> None:
    phenology = Product("camera_phenology", INNSBRUCK)
    publish(store, Product("raw_phenocam", INNSBRUCK), {"raw/phenocam/phenocam_gcc.json": "[]"})
    publish(store, phenology, {"raw/phenocam/phenocam_phenology.json": "{}"})
    publish(store, phenology, {})
    assert seen(store) == {"raw/phenocam/phenocam_gcc.json": "[]"}
    with pytest.raises(StoreError, match="belongs to another product"):
        publish(store, phenology, {"raw/phenocam/phenocam_gcc.json": "mine"})
    assert seen(store) == {"raw/phenocam/phenocam_gcc.json": "[]"}


def test_a_foreign_file_is_never_overwritten(store: ProductStore) -> None:
    foreign = store.folder(INNSBRUCK) / "metrics.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("somebody's")
    with pytest.raises(StoreError, match="did not write"):
        publish(store, Product("rollup", INNSBRUCK), {"metrics.json": "{}"})
    assert foreign.read_text() == "somebody's"


def test_a_reader_keeps_its_version_while_a_new_one_is_published(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    with store.read(FUSED) as view:
        publish(store, FUSED, NEW)
        assert [path.read_text() for path in view.files()] == ["old", "old"]
        assert view.names("*_20240101.tif") == ["prepared_aggressive/fusion/REFL_20240101.tif"]
    with store.read(FUSED) as view:
        assert [path.read_text() for path in view.files()] == ["new", "new"]


def test_inputs_are_recorded_by_their_data_version(store: ProductStore) -> None:
    raw = Product("raw_s2", INNSBRUCK)
    version = publish(store, raw, {"raw/s2/20240101_0.geotiff": "pixels"})
    with store.read(raw) as view, store.publish(FUSED, parameters={"sigma": 20}, inputs=[view]) as draft:
        draft.path("x").write_text("x")
    manifest = store.manifest(FUSED)
    assert manifest is not None
    assert manifest.inputs == {"raw_s2": version}
    assert manifest.parameters == {"sigma": 20}


def test_paths_that_somebody_deleted_are_made_again(store: ProductStore) -> None:
    with store.publish(FUSED) as draft:
        for name in ("a/b/one.json", "a/two.json"):
            draft.write_json(name, [name])
    folder = store.folder(FUSED.scope)
    assert store.repair_names() == []
    shutil.rmtree(folder / "a")
    assert store.repair_names() == [FUSED.key]
    assert json.loads((folder / "a" / "b" / "one.json").read_text()) == ["a/b/one.json"]
    assert (folder / "a" / "two.json").is_symlink()
    assert store.repair_names() == []


@pytest.mark.parametrize("size", [0, 5, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, 3 * READ_AT_ONCE + 7])
def test_a_record_is_of_the_whole_file_however_large(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "file").write_bytes(content)
    record = FileRecord.of(tmp_path / "file")
    assert (record.size, record.sha256) == (size, hashlib.sha256(content).hexdigest())


def test_damage_is_found(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    names = sorted(OLD)
    path = store.folder(INNSBRUCK) / names[0]
    path.write_text("damaged")
    (store.folder(INNSBRUCK) / names[1]).resolve().unlink()
    assert store.verify(FUSED) == [f"{names[0]} differs from its manifest.", f"{names[1]} is missing."]


def test_what_is_missing_or_unreadable_is_said(store: ProductStore) -> None:
    with pytest.raises(ProductMissing, match="fused.aggressive_sigma20 has not been materialised"), store.read(FUSED):
        pass
    publish(store, FUSED, {"metrics.json": "{not json"})
    with store.read(FUSED) as view:
        with pytest.raises(ProductCorrupt, match=r"metrics\.json of innsbruck_2024\.fused"):
            view.read_json("metrics.json")
        with pytest.raises(ProductMissing, match="has no file other.json"):
            view.path("other.json")


@pytest.mark.parametrize("name", ["/etc/passwd", "../elsewhere", "manifest.json"])
def test_a_path_outside_the_product_is_refused(store: ProductStore, name: str) -> None:
    with pytest.raises(StoreError, match="not a path below"), store.publish(FUSED) as draft:
        draft.path(name)


def test_a_nan_never_reaches_json(store: ProductStore) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), store.publish(FUSED) as draft:
        draft.write_json("metrics.json", {"nse": float("nan")})


RECORD = {"date": "2024-06-01", "filename": 'a, "b": \u00fc\n.tif', "ndvi": None, "gcc": 1e-05, "cloud": True}


@pytest.mark.parametrize(
    "content",
    [[], {}, [RECORD], [RECORD, {"gcc": 0.25}], [{}], [RECORD, 1], [{**RECORD, "bands": []}], {"rows": [RECORD]}],
)
def test_json_is_the_same_text_whatever_it_holds(store: ProductStore, content: object) -> None:
    with store.publish(FUSED) as draft:
        draft.write_json("metrics.json", content)
    written = (store.folder(FUSED.scope) / "metrics.json").read_text("utf-8")
    assert written == json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def test_a_kill_before_any_change_of_the_disk_leaves_the_old_product_or_the_new_one(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a kill loses nothing that the kernel was given
    publish(store, FUSED, OLD)
    outcomes = set()
    change = 0
    while True:
        change += 1
        status = run_and_die_before(change, lambda: publish(store, FUSED, NEW))
        found = seen(store)
        assert set(found.values()) in ({"old"}, {"new"}), f"a mixture after a kill at change {change}: {found}"
        fresh = ProductStore(store.root)
        fresh.recover()
        found = seen(fresh)
        assert found in (OLD, NEW), f"not whole after recovery from a kill at change {change}: {found}"
        assert fresh.verify(FUSED) == []
        assert fresh.recover() == []
        links = [path for path in store.folder(INNSBRUCK).rglob("*") if path.is_symlink() and not path.exists()]
        assert links == []
        outcomes.add(next(iter(found.values())))
        if status == 0:
            break
        publish(fresh, FUSED, OLD)
    assert outcomes == {"old", "new"}
    assert change > 20, "the child was never killed in the middle"


CHANGES = {"open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.link"}


def run_and_die_before(change: int, work: Callable[[], Any]) -> int:
    """Run ``work`` in a child that dies, without any clean-up, before the n-th change that it makes to files; every
    file that is opened counts, for reading too."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    remaining = change

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal remaining
        if event in CHANGES and ("satfusion" in str(arguments) or "prepared_aggressive" in str(arguments)):
            remaining -= 1
            if remaining == 0:
                os._exit(9)

    sys.addaudithook(hook)
    work()
    os._exit(0)


def test_what_all_site_seasons_share_lies_beside_the_sites_and_names_their_products_in_full(
    store: ProductStore,
) -> None:
    sources = [Product("metrics", SiteSeason(site, 2024)) for site in ("innsbruck", "site.with-dots")]
    for source in sources:
        publish(store, source, {"metrics.json": source.key})
    table = Product("score_table", ALL_SEASONS)
    with store.read(sources[0]) as first, store.read(sources[1]) as second:
        with store.publish(table, inputs=[first, second]) as draft:
            draft.write_bytes("scores.csv", b"site\n")
    assert (store.root / "tables" / "scores.csv").read_bytes() == b"site\n"
    assert draft.manifest is not None
    assert set(draft.manifest.inputs) == {"innsbruck_2024/metrics", "site.with-dots_2024/metrics"}
    assert not any(store.changes(table))
    publish(store, sources[1], {"metrics.json": "new"})
    assert any(store.changes(table))
    assert store.products(ALL_SEASONS)[0].product == "score_table"
    with pytest.raises(StoreError, match="no single site-season"):
        _ = table.site_season


def test_a_killed_table_is_recovered(store: ProductStore) -> None:
    table = Product("score_table", ALL_SEASONS)
    publish(store, table, {"scores.csv": "old"})
    marker = store.root / ".satfusion" / "pending" / f"{table.key}@0123"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text('["score_table", "all", ""]')
    assert store.recover() == [table.key]
    assert seen(store, ALL_SEASONS) == {"scores.csv": "old"}


def shared_file(store: ProductStore, name: str) -> Path:
    return (store.folder(INNSBRUCK) / name).resolve()


def test_a_file_that_an_input_holds_is_on_the_disk_once(store: ProductStore):
    fused, processed = Product("fused", INNSBRUCK, "a"), Product("processed", INNSBRUCK, "a")
    with store.publish(fused) as draft:
        draft.write_bytes("fusion/a.tif", b"pixels" * 99)
    with store.read(fused) as view, store.publish(processed, inputs=[view]) as draft:
        draft.write_bytes("processed/a.tif", b"pixels" * 99)
        draft.write_bytes("processed/b.tif", b"others" * 99)
        draft.share(view, "fusion/a.tif", "processed/c.tif")
    origin = shared_file(store, "fusion/a.tif")
    assert shared_file(store, "processed/a.tif").samefile(origin)
    assert shared_file(store, "processed/c.tif").samefile(origin)
    assert not shared_file(store, "processed/b.tif").samefile(origin)
    store.remove(fused)
    assert store.verify(processed) == []
    assert shared_file(store, "processed/a.tif").stat().st_nlink == 2


def test_variants_of_a_product_share_what_is_equal(store: ProductStore):
    for variant in ("sigma20", "sigma30"):
        with store.publish(Product("processed", INNSBRUCK, variant)) as draft:
            draft.write_bytes(f"processed_{variant}/s3.tif", b"coarse")
    assert shared_file(store, "processed_sigma20/s3.tif").samefile(shared_file(store, "processed_sigma30/s3.tif"))


def test_a_damaged_file_is_not_shared(store: ProductStore):
    """Its manifest says what it was: a product that is made again must not become the damaged one again."""
    product = Product("fused", INNSBRUCK, "a")
    for _ in range(2):
        with store.publish(product) as draft:
            draft.write_bytes("fusion/a.tif", b"pixels")
        assert store.verify(product) == []
        shared_file(store, "fusion/a.tif").write_bytes(b"piXels")


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_files_are_copied_where_the_disk_refuses_links(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch, refusal: int
):
    def refuse(*_: object) -> None:
        raise OSError(refusal, "no links here")

    fused, processed = Product("fused", INNSBRUCK, "a"), Product("processed", INNSBRUCK, "a")
    with store.publish(fused) as draft:
        draft.write_bytes("fusion/a.tif", b"pixels")
    monkeypatch.setattr("os.link", refuse)
    with store.read(fused) as view, store.publish(processed, inputs=[view]) as draft:
        draft.share(view, "fusion/a.tif", "processed/a.tif")
        draft.write_bytes("processed/b.tif", b"pixels")
    assert store.verify(processed) == []
    assert shared_file(store, "processed/a.tif").stat().st_nlink == 1
