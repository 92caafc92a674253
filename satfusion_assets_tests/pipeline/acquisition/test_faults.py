"""The fault campaign: whatever an archive does, a run ends with complete data or one clear error, and heals.

Every case begins with a published product and a cache that lacks a part, so that the run has to ask. A fault that
passes must not show in the result; one that stays must leave the old product as it was.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import ArchiveError, ArchiveUnavailable, SatfusionError
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.pipeline.acquisition.conftest import PRODUCTS, SEASON, SITES, TODAY, Sandbox, product

STATUSES = (429, 500, 502, 503, 504)
MAINTENANCE = "<html><body>Down for maintenance</body></html>"


@dataclass(frozen=True)
class Spot:
    """Where an archive can be hit. path: of the requests. throttles: 403 there means too fast."""

    product: str
    what: str
    path: str
    throttles: bool = False

    def __str__(self) -> str:
        return self.what


SPOTS = (
    Spot("raw_s2", "search", "^/v1/search", throttles=True),
    Spot("raw_s2", "pixels", r"^/data/sentinel-s2-l2a-cogs/.*\.tif", throttles=True),
    Spot("raw_s3", "back-end", r"^/openeo/1\.2/?$"),
    Spot("raw_s3", "sign-in", "^/auth/"),
    Spot("raw_s3", "jobs", "^/openeo/1.2/jobs"),
    Spot("raw_s3", "results", "/results/assets/"),
    Spot("raw_phenocam", "regions", "^/api/roilists/"),
    Spot("raw_phenocam", "summary", r"_1day\.csv$"),
    Spot("raw_phenocam", "pictures", r"\.jpg$"),
)

PASSING: dict[str, dict[str, Any]] = {
    **{str(status): {"kind": "status", "status": status, "times": 2} for status in STATUSES},
    "429 with Retry-After": {"kind": "status", "status": 429, "retry_after": 1, "times": 1},
    "hang": {"kind": "hang", "times": 1},
    "slow": {"kind": "delay", "seconds": 0.2, "times": 3},
    "truncate": {"kind": "truncate", "keep": 0.5, "times": 2},
    "drop": {"kind": "drop", "times": 2},
    "lying length": {"kind": "lying_length", "keep": 0.5, "times": 1},
    "corrupt": {"kind": "corrupt", "keep": 0.3, "times": 1},
    "empty": {"kind": "empty", "times": 1},
    "maintenance page": {"kind": "status", "status": 200, "body": MAINTENANCE, "times": 1},
}
STAYING = {
    name: {**rule, "times": None} for name, rule in PASSING.items() if name not in ("429 with Retry-After", "slow")
}
EVERY_DAY = {"503", "truncate"}
"""Faults that the quick suite tries; the rest is the long campaign's."""


UNKNOWABLE = ("pictures", "corrupt")
"""A changed byte in a JPEG is another picture, and nothing in the protocol tells."""


def cases(faults: dict[str, dict[str, Any]]) -> list[Any]:
    return [
        pytest.param(
            spot, rule, id=f"{spot.product} {spot}: {name}", marks=[] if name in EVERY_DAY else pytest.mark.slow
        )
        for spot in SPOTS
        for name, rule in faults.items()
        if (spot.what, name) != UNKNOWABLE
    ]


@pytest.fixture(scope="session")
def reference(archives: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    """Everything as a run without faults acquires it, with its cache."""
    archives.heal()
    archives.world(today=TODAY.isoformat())
    store = ProductStore(tmp_path_factory.mktemp("reference") / "data")
    for name in PRODUCTS:
        archives.acquire(name, store)
    return store


@pytest.fixture
def old(reference: ProductStore, tmp_path: Path) -> ProductStore:
    """A store with the products, whose cache lacks two scenes, a quarter, the summary and two pictures."""
    shutil.copytree(reference.root, tmp_path / "data", symlinks=True)
    store = ProductStore(tmp_path / "data")
    for folder, pattern, number in (
        ("s2", "*+.tif", 2),
        ("s3", "*+.nc", 1),
        ("phenocam", "*+.jpg", 2),
        ("phenocam", "*+.csv", 1),
    ):
        for path in sorted(store.cache(SEASON, folder).glob(pattern))[:number]:
            path.unlink()
    return store


@pytest.fixture
def no_secrets(caplog: pytest.LogCaptureFixture, old: ProductStore) -> Iterator[None]:
    """Nothing secret is written to any log at any level, nor below the data root."""
    caplog.set_level(logging.DEBUG)
    yield
    secret = re.compile(r"eyJ[\w-]{8,}|[?&]expires=\d|Bearer \S+|correct-horse")
    assert not secret.search(caplog.text)
    for path in old.root.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".csv", ".txt"):
            assert not secret.search(path.read_text("utf-8", errors="replace")), path


@pytest.mark.usefixtures("no_secrets")
@pytest.mark.parametrize(("spot", "rule"), cases(PASSING))
def test_a_fault_that_passes_does_not_show(
    sandbox: Sandbox, reference: ProductStore, old: ProductStore, spot: Spot, rule: dict[str, Any]
) -> None:
    sandbox.fault(path=spot.path, **rule)
    timeout = 1.0 if rule["kind"] == "hang" else 20.0
    outcome = sandbox.acquire(spot.product, old, archive_timeout_s=timeout, archive_attempts=4)
    assert outcome.manifest.version == version(reference, spot.product)


@pytest.mark.usefixtures("no_secrets")
@pytest.mark.parametrize(("spot", "rule"), cases(STAYING))
def test_a_fault_that_stays_is_one_sentence_and_leaves_the_old_product(
    sandbox: Sandbox, reference: ProductStore, old: ProductStore, spot: Spot, rule: dict[str, Any]
) -> None:
    sandbox.fault(path=spot.path, **rule)
    timeout = 0.5 if rule["kind"] == "hang" else 20.0
    try:
        outcome = sandbox.acquire(spot.product, old, archive_timeout_s=timeout)
    except ArchiveError as error:
        assert_one_sentence(error)
        assert version(old, spot.product) == version(reference, spot.product)
    else:
        # Single files that came damaged in the same way each time, and a region beside the site's own that does not
        # come, are set aside in the open.
        left = outcome.tables["set_aside"]
        assert rule["kind"] in ("corrupt", "lying_length", "empty", "status") or spot.what == "summary"
        assert {row["kind"] for row in left} <= {"unreadable", "missing asset"}
        assert len(left) > 0
    assert old.verify(product(spot.product)) == []
    sandbox.heal()
    assert sandbox.acquire(spot.product, old).manifest.version == version(reference, spot.product)


@pytest.mark.usefixtures("no_secrets")
@pytest.mark.parametrize("spot", [spot for spot in SPOTS if spot.throttles], ids=str)
def test_earth_search_throttles_with_403(
    sandbox: Sandbox, reference: ProductStore, old: ProductStore, spot: Spot
) -> None:
    sandbox.fault(path=spot.path, kind="status", status=403, times=2, body='{"message":"Forbidden"}')
    assert sandbox.acquire(spot.product, old).manifest.version == version(reference, spot.product)
    shutil.rmtree(old.cache(SEASON, "s2"))
    sandbox.fault(path=spot.path, kind="status", status=403)
    with pytest.raises(ArchiveUnavailable, match="403"):
        sandbox.acquire(spot.product, old)


def test_a_job_is_not_created_twice_when_the_answer_is_lost(
    sandbox: Sandbox, reference: ProductStore, old: ProductStore
) -> None:
    """The back-end has made the job and its answer is cut off: the job is found by its title."""
    sandbox.fault(path=r"^/openeo/1\.2/jobs$", method="POST", kind="truncate", keep=0, times=1)
    outcome = sandbox.acquire("raw_s3", old)
    assert outcome.manifest.version == version(reference, "raw_s3")


def test_an_archive_that_dies_half_way_and_comes_back(tmp_path: Path) -> None:
    store = ProductStore(tmp_path / "data")
    site = SiteRegistry.load(SITES).site("innsbruck")
    with SandboxProcess(tmp_path / "sandbox", SITES, today=date(2023, 12, 5)) as process:
        port = int(process.url.rpartition(":")[2])
        settings = Sandbox(process.url, site, process.environment()).settings(earth_search_connections=2)

        def dies(done: int, total: int, name: str) -> None:
            if done == 3:
                process.kill()

        with pytest.raises(ArchiveUnavailable):
            acquire_sentinel2(site, SEASON, store, settings, dies)
    assert store.manifest(product("raw_s2")) is None
    assert len(list(store.cache(SEASON, "s2").glob("*+.json"))) >= 3
    with SandboxProcess(tmp_path / "sandbox", SITES, today=date(2023, 12, 5), port=port):
        outcome = acquire_sentinel2(site, SEASON, store, settings)
    assert outcome.numbers["read_in_this_run"] < outcome.numbers["scenes"] + outcome.numbers["set_aside"]
    assert store.verify(product("raw_s2")) == []


def version(store: ProductStore, name: str) -> str:
    manifest = store.manifest(product(name))
    assert manifest is not None
    return manifest.version


def assert_one_sentence(error: SatfusionError) -> None:
    message = str(error)
    assert "\n" not in message
    assert message.endswith(".")
    assert "sandbox" not in message.replace("127.0.0.1", ""), "that is user and password here"
