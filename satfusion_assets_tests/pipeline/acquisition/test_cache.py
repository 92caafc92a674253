"""What the cache of fetched answers does when there is no room for one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from satfusion_assets.pipeline.acquisition.cache import FetchCache
from satfusion_assets.store.kept import KeptFiles
from satfusion_assets.vocabulary.errors import StoreFull


@pytest.mark.parametrize("what", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_full_disk_or_quota_is_said_and_leaves_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: int
) -> None:
    cache = FetchCache(KeptFiles(tmp_path))
    cache.put("first", {".tif": b"pixels"}, {"day": "2024-05-01"})
    before = sorted(path.name for path in tmp_path.iterdir())

    def full(handle: int) -> None:
        raise OSError(what, os.strerror(what))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="free some space and run this again"):
        cache.put("second", {".tif": b"more pixels"}, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    kept = cache.get("first")
    assert kept is not None
    assert kept.paths[".tif"].read_bytes() == b"pixels"


def test_another_trouble_with_the_disk_is_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        FetchCache(KeptFiles(tmp_path)).put("first", {".tif": b"pixels"}, {})
    assert list(tmp_path.iterdir()) == []
