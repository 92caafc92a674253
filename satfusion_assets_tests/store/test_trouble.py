"""Full and refusing disks, foreign files, damage: the old product stays, nothing else does, and the cause is said."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.leases import in_use
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing, StoreError, StoreFull
from satfusion_assets.vocabulary.sites import SiteSeason
from satfusion_assets_tests.store.test_products import FUSED, INNSBRUCK, NEW, OLD, publish, seen


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    return ProductStore(tmp_path / "data")


def test_parameters_are_part_of_the_data_version(store: ProductStore) -> None:
    versions = set()
    for parameters in ({}, {"engine": "own"}, {"engine": "efast"}, {"engine": "own", "sigma": 20}):
        with store.publish(FUSED, parameters=parameters) as draft:
            draft.path("x").write_text("the same")
        assert draft.manifest is not None
        versions.add(draft.manifest.version)
    assert len(versions) == 4


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fsync", "symlink", "mkdir", "rename"])
def test_a_disk_or_quota_that_is_full_at_any_point_leaves_the_old_product_and_nothing_else(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    publish(store, FUSED, OLD)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    refused = {
        "write": (Path, "write_text"),
        "fsync": (os, "fsync"),
        "symlink": (os, "symlink"),
        "mkdir": (os, "mkdir"),
        "rename": (os, "replace"),
    }[call]
    with monkeypatch.context() as disk:
        disk.setattr(*refused, full)
        says = r"disk of .* is full while writing innsbruck_2024\.fused\S*; free some space and do the same again"
        with pytest.raises(StoreFull, match=says):  # also where no partition is made: backup, restore, bundle
            publish(store, FUSED, {**NEW, "elsewhere/new.tif": "new"})
    assert seen(store) == OLD
    assert dangling(store) == []
    publish(store, FUSED, NEW)
    assert seen(store) == NEW


def dangling(store: ProductStore) -> list[Path]:
    return [path for path in store.folder(INNSBRUCK).rglob("*") if path.is_symlink() and not path.exists()]


@pytest.mark.parametrize("at", range(1, 4))
def test_names_of_a_publication_that_failed_midway_are_cleared(
    store: ProductStore, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """As when the disk has no inode left for another name."""
    made = 0
    symlink = os.symlink

    def scarce(source: str, target: str, *arguments: Any) -> None:
        nonlocal made
        made += 1
        if made == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        symlink(source, target, *arguments)

    with monkeypatch.context() as disk:
        disk.setattr(os, "symlink", scarce)
        with pytest.raises(StoreFull):
            publish(store, FUSED, NEW)
    assert dangling(store) == []
    assert seen(store) == {}
    assert store.recover() == []


def test_a_version_is_in_use_while_somebody_reads_or_writes_it(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    with store.publish(FUSED) as draft:
        writing = draft.path("x").parent
        assert in_use(writing)
        assert ProductStore(store.root).recover() == [], "it is under way, not interrupted"
        assert writing.exists()
        draft.path("x").write_text("x")
    assert not in_use(writing)
    with store.read(FUSED) as view:
        assert in_use(view.path("x").parent)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("innsbruck_2024.fused.aggressive_sigma20@00ff", b""),
        ("innsbruck_2024.fused.aggressive_sigma20@00ff", b'["fused", "innsbruck_2024"'),
        ("innsbruck_2024.fused.aggressive_sigma20@00ff", b'["fused", "innsbruck_1", "aggressive_sigma20"]'),
        ("innsbruck_2024.fused.aggressive_sigma20@00ff", b"[1, 2, 3]"),
        ("innsbruck_2024.raw_s2@00ff", b'["fused", "innsbruck_2024", "aggressive_sigma20"]'),
        ("innsbruck_2024...@00ff", b'["..", "innsbruck_2024", ""]'),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("notes.txt", b"[" * 100_000),
        (".innsbruck_2024.fused.aggressive_sigma20@00ff", b""),
        ("folder", None),
        ("dangling", "nowhere"),
        ("loop", "loop"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_marker_among_the_markers_harms_nothing_and_is_named(
    store: ProductStore, name: str, content: bytes | str | None
) -> None:
    publish(store, FUSED, OLD)
    foreign = store.root / ".satfusion" / "pending" / name
    if content is None:
        foreign.mkdir()
    elif isinstance(content, str):
        foreign.symlink_to(content)
    else:
        foreign.write_bytes(content)
    assert store.recover() == []
    publish(store, FUSED, NEW)
    assert seen(store) == NEW
    assert store.foreign_markers() == [foreign]


def test_a_damaged_manifest_does_not_stop_the_product_from_being_made_again(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    (store.folder(INNSBRUCK) / ".satfusion" / FUSED.slug / "current" / "manifest.json").write_text("")
    assert any(store.changes(FUSED))
    with pytest.raises(ProductCorrupt, match="materialise that partition again"), store.read(FUSED):
        pass
    publish(store, FUSED, NEW)
    assert seen(store) == NEW
    assert store.verify(FUSED) == []


def test_a_current_version_that_is_not_there_is_said(store: ProductStore) -> None:
    publish(store, FUSED, OLD)
    version = (store.folder(INNSBRUCK) / ".satfusion" / FUSED.slug / "current").resolve()
    version.rename(version.with_name("moved away"))
    with pytest.raises(ProductMissing, match="materialise that partition"), store.read(FUSED):
        pass


def test_a_pack_of_a_store_with_a_link_for_each_file_gets_one_for_all(store: ProductStore) -> None:
    """Stores were laid out like that before; a foreign file among the links is never lost."""
    pack = Product("pack", INNSBRUCK, "aggressive_sigma20")
    publish(store, pack, {"packs/x.zarr/zarr.json": "old", "packs/x.zarr/fused/c/0": "old"})
    link = store.folder(INNSBRUCK) / "packs/x.zarr"
    assert link.is_symlink()
    link.unlink()
    for name in ("zarr.json", "fused/c/0"):
        (link / name).parent.mkdir(parents=True, exist_ok=True)
        depth = len(Path("packs/x.zarr", name).parts) - 1
        up = "/".join([".."] * depth)
        (link / name).symlink_to(f"{up}/.satfusion/{pack.slug}/current/packs/x.zarr/{name}")
    publish(store, pack, {"packs/x.zarr/zarr.json": "new"})
    assert link.is_symlink()
    assert (link / "zarr.json").read_text() == "new"
    store.remove(pack)
    assert not link.is_symlink()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_refuses_is_one_sentence(store: ProductStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    publish(store, FUSED, OLD)

    def refuse(path: Path, *_: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", refuse)
        with pytest.raises(StoreError, match="cannot be written"):
            publish(store, FUSED, NEW)
    assert seen(store) == OLD


def test_a_damaged_manifest_hides_no_other_product(store: ProductStore, caplog: pytest.LogCaptureFixture) -> None:
    raw = Product("raw_s2", INNSBRUCK)
    publish(store, FUSED, OLD)
    publish(store, raw, {"raw/s2/20240501_0.geotiff": "new"})
    manifest = store.folder(INNSBRUCK) / ".satfusion" / raw.slug / "current" / "manifest.json"
    manifest.write_text("{")
    assert [one.product for one in store.products(INNSBRUCK)] == ["fused"]
    assert "raw_s2/current/manifest.json is not a readable manifest" in caplog.text
    assert store.holds_products(INNSBRUCK)
    store.remove(FUSED)
    assert store.holds_products(INNSBRUCK), "a damaged product is one all the same"
    assert not store.holds_products(SiteSeason("innsbruck", 2019))
