"""Whoever has a pack open reads one version of it, or is told: whatever is published between two reads."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from zarr.storage import LocalStore

from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.pack_reader import open_pack, read_pixel
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing
from satfusion_assets.vocabulary.sites import SiteSeason

INNSBRUCK = SiteSeason("innsbruck", 2024)
PACK = Product("pack", INNSBRUCK, "aggressive_sigma20")
NAME = "packs/aggressive_sigma20.zarr"
PLACE = (675_255.0, 5_221_405.0)
REFUSED = (ValueError, RuntimeError, OSError, ProductCorrupt, ProductMissing)
"""What a reader without a lease may be told; anything but values of another version."""


class Season:
    """A pack whose every value is the number of its version, in hundredths; a pixel that never changes would show a
    wrong scale."""

    def __init__(self, root: Path) -> None:
        self.store = ProductStore(root)
        self.path = self.store.folder(INNSBRUCK) / NAME
        self.version = 0

    def publish(self, layers: tuple[str, ...] = ("s2", "fused")) -> None:
        """The next version; its largest value, its days and its size are others than before."""
        self.version += 1
        days = np.datetime64("2024-03-01") + np.arange(36 + self.version % 3)
        values = np.full((len(days), 2, 35, 35 + self.version % 2), self.version / 100, np.float32)
        made = [PackLayer(name, days.astype("datetime64[D]"), values, ("red", "nir")) for name in layers]
        with self.store.publish(PACK) as draft:
            write_pack(draft.path(NAME), made, (10, 0, 675_240, 0, -10, 5_221_440), 32632, replaces=self.path)


@pytest.fixture
def season(tmp_path: Path) -> Season:
    season = Season(tmp_path)
    season.publish()
    return season


@contextmanager
def a_publication_before_every_read(season: Season, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Publishes whenever Zarr is about to read a file; gives the list of the files that it read."""
    read: list[str] = []
    plain = LocalStore.get
    busy = False

    async def get(self: LocalStore, key: str, *arguments: Any, **options: Any) -> Any:
        nonlocal busy
        if self.read_only and not busy:
            busy = True
            read.append(key)
            publish_elsewhere(season)
            busy = False
        return await plain(self, key, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, "get", get)
        yield read


def publish_elsewhere(season: Season) -> None:
    """In a thread of its own, since Zarr's loop waits for this read; files are copied, since Zarr cannot be asked."""
    season.version += 1
    prepared = season.store.root.parent / "prepared" / str(season.version % len(VERSIONS))
    with season.store.publish(PACK) as draft:
        for path in prepared.rglob("*"):
            if path.is_file():
                draft.adopt(path, f"{NAME}/{path.relative_to(prepared).as_posix()}")


VERSIONS = range(5)


@pytest.fixture
def prepared(tmp_path: Path) -> Season:
    """A season whose versions lie ready, so that publishing one is a matter of links."""
    season = Season(tmp_path / "data")
    for number in VERSIONS:
        season.version = number
        season.publish()
        target = tmp_path / "prepared" / str((number + 1) % len(VERSIONS))
        for path in season.path.rglob("*"):
            if path.is_file():
                copy = target / path.relative_to(season.path)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    return season


def values_of(read: Callable[[], Any]) -> set[float] | None:
    """The different values that a reader gets; None when it is refused."""
    try:
        return {round(float(value), 4) for value in np.unique(np.asarray(read()))}
    except REFUSED:
        return None


def test_a_pixel_is_of_one_version_though_one_is_published_before_every_read(
    prepared: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_publication_before_every_read(prepared, monkeypatch) as read:
        found = read_pixel(prepared.path, "pack", *PLACE)
    assert len(read) > 6, "a publication lay between the reads"
    assert found is not None
    assert len({float(value) for layer in found.values() for value in np.unique(layer.values)}) == 1


def test_an_open_pack_stays_the_version_that_it_was(prepared: Season, monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = open_pack(prepared.path).s2  # the dataset itself is forgotten
    first = values_of(lambda: lazy[0, 0, :2, :2])
    assert first is not None
    with a_publication_before_every_read(prepared, monkeypatch) as read:
        for _ in range(3):
            assert values_of(lambda: lazy[:, :, :30]) == first
    assert len(read) > 6


def test_a_plain_handle_gets_its_version_or_an_error_but_never_another_version(
    prepared: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (lambda: prepared.path, prepared.path.resolve):
        dataset = xr.open_zarr(place(), chunks=None)  # no threads that go on after an error
        first = values_of(lambda one=dataset: one.fused[0, 0, :2, :2])  # type: ignore[misc]
        with a_publication_before_every_read(prepared, monkeypatch):
            seen = [values_of(lambda one=dataset, n=n: one.fused[n : n + 3]) for n in range(0, 30, 5)]  # type: ignore[misc]
            seen += [values_of(lambda one=dataset: one.s2)]  # type: ignore[misc]
        assert None in seen, "somebody was told"
        assert all(values in (None, first) for values in seen), seen


def test_a_layer_that_is_gone_is_no_layer_of_missing_values(season: Season) -> None:
    dataset = xr.open_zarr(season.path.resolve())
    season.publish(("fused",))
    with pytest.raises(OSError, match="symbolic links"):
        dataset.s2.load()


def test_another_process_reads_the_version_that_was_opened(season: Season) -> None:
    dataset = open_pack(season.path)
    sent = pickle.dumps(dataset)
    season.publish()
    assert values_of(lambda: pickle.loads(sent).fused) == {0.01}
    del dataset
    season.publish()  # and nobody reads the first version any more
    season.publish()
    with pytest.raises(ProductMissing, match="open it again"):
        pickle.loads(sent)


def test_versions_that_are_read_no_more_leave_the_disk(season: Season) -> None:
    dataset = open_pack(season.path)
    kept = season.path.resolve()
    season.publish()
    assert (kept / "fused/c/0/0/0/0").stat().st_size > 1000
    del dataset
    season.publish()
    versions = kept.parents[2]
    sizes = [path.lstat().st_size for path in versions.rglob("*") if path.is_file() and not path.is_symlink()]
    current = [path for path in season.path.resolve().parents[1].rglob("*") if path.is_file()]
    assert len(sizes) == len(current)


def test_neighbouring_versions_never_share_an_edition(tmp_path: Path) -> None:
    """Two contents of one edition by chance are told apart; equal content keeps its edition, and so its bytes."""
    days = np.array(["2024-03-01"], "datetime64[D]")
    layer = PackLayer("fused", days, np.full((1, 1, 2, 2), 0.5, np.float32), ("red",))

    def write(name: str, replaces: Path | None) -> dict[str, Any]:
        write_pack(tmp_path / name, [layer], (10, 0, 0, 0, -10, 0), 32632, replaces=replaces)
        return json.loads((tmp_path / name / "zarr.json").read_text())["attributes"]

    alone = write("alone", None)
    before = tmp_path / "before" / "zarr.json"
    before.parent.mkdir()
    number = {name: said.split()[1] for name, said in alone["editions"].items()}
    others = {name: f"another {edition}" for name, edition in number.items()}
    before.write_text(json.dumps({"attributes": {"editions": others}}))
    after = write("after", before.parent)["editions"]
    assert not [name for name, said in after.items() if said.split()[1] == number[name]]
    assert write("again", tmp_path / "alone") == alone
    assert write("damaged", tmp_path / "nothing there") == alone
