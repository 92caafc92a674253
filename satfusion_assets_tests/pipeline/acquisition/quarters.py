"""What the tests of Sentinel-3's acquisition share: runs on a day, copies of a store, and what is asked of both."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.store import ProductStore
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, SPRING, Sandbox, product

RAW_S3 = product("raw_s3")


def often(cases: list[Any]) -> list[Any]:
    """Further cases of the same rule, which the long campaign tries."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow) for case in cases]


def acquire(
    sandbox: Sandbox, store: ProductStore, today: date = SPRING, again: bool = False, **changes: Any
) -> Outcome:
    sandbox.world(today=today.isoformat())
    return acquire_sentinel3(sandbox.site, SEASON, store, sandbox.settings(**changes), today=today, again=again)


def copy(store: ProductStore, folder: Path, *, without: str = "", published: bool = True) -> ProductStore:
    """A copy without the cached quarter that starts on ``without`` (YYYYMMDD), and without its products."""
    root = folder / "data"
    shutil.copytree(store.root, root, symlinks=True)
    copied = ProductStore(root)
    if without:
        for path in copied.cache(SEASON, "s3").glob(f"*_{without}_*"):
            path.unlink()
    if not published:
        cache = root / "kept"
        shutil.copytree(copied.cache(SEASON, "s3"), cache)
        for path in root.iterdir():
            if path != cache:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(cache, copied.cache(SEASON, "s3"), dirs_exist_ok=True)
        shutil.rmtree(cache)
    return copied


def version(store: ProductStore) -> str:
    manifest = store.manifest(RAW_S3)
    assert manifest is not None
    return manifest.version


def overpasses(store: ProductStore) -> list[str]:
    with store.read(RAW_S3) as view:
        return [one["name"] for one in view.read_json("raw/s3/overpasses.json")["overpasses"]]


def kinds(outcome: Outcome) -> list[str]:
    return [row["kind"] for row in outcome.tables["set_aside"]]


def made_jobs(sandbox: Sandbox) -> int:
    posted = [r for r in sandbox.requests("/openeo/1.2/jobs") if r["method"] == "POST" and r["path"].endswith("/jobs")]
    return len(posted)
