"""A sandbox on loopback in the first weeks of a season, and what a run against it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.pipeline.raw_phenocam.acquire import acquire_phenocam
from satfusion_assets.pipeline.raw_s2.acquire import acquire_sentinel2
from satfusion_assets.pipeline.raw_s3.acquire import acquire_sentinel3
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.vocabulary.settings import Settings
from satfusion_assets.vocabulary.sites import Site, SiteRegistry, SiteSeason

TODAY = date(2024, 1, 16)
SPRING = date(2024, 4, 20)
"""The season has three quarters by then: one before the year, one whole, one begun."""
SEASON = SiteSeason("innsbruck", 2024)
SITES = Path(str(resources.files("satfusion_assets"))) / "default_sites.geojson"


@dataclass(frozen=True)
class Sandbox:
    """The running archives. url: their address."""

    url: str
    site: Site
    variables: dict[str, str]

    def settings(self, **changes: Any) -> Settings:
        """Settings that point here, impatient enough for tests."""
        values = {
            "earth_search_url": self.variables["SATFUSION_EARTH_SEARCH_URL"],
            "openeo_url": self.variables["SATFUSION_OPENEO_URL"],
            "phenocam_url": self.variables["SATFUSION_PHENOCAM_URL"],
            "cdse_user": self.variables["CDSE_USER"],
            "cdse_password": self.variables["CDSE_PASSWORD"],
            "archive_attempts": 3,
            "archive_first_wait_s": 0.01,
            "archive_timeout_s": 20.0,
            "openeo_poll_s": 0.3,
        }
        return Settings(**values | changes, _env_file=None)

    def fault(self, **rule: Any) -> None:
        httpx.post(f"{self.url}/_faults", json=rule).raise_for_status()

    def heal(self) -> None:
        httpx.delete(f"{self.url}/_faults").raise_for_status()

    def world(self, **state: Any) -> None:
        httpx.post(f"{self.url}/_world", json=state).raise_for_status()

    @contextmanager
    def turned(self, **state: Any) -> Iterator[None]:
        """The world with other controls for a while."""
        before = httpx.get(f"{self.url}/_world").json()
        self.world(**state)
        try:
            yield
        finally:
            self.world(**{name: before[name] for name in state})

    def requests(self, start: str = "/") -> list[dict[str, Any]]:
        """Requests since the log was emptied whose path begins with ``start``."""
        log = httpx.get(f"{self.url}/_faults?log").json()
        return [entry for entry in log if entry["path"].startswith(start)]

    def forget_requests(self) -> None:
        httpx.delete(f"{self.url}/_faults?log").raise_for_status()

    def acquire(self, product: str, store: ProductStore, **changes: Any) -> Outcome:
        """Acquire ``raw_s2``, ``raw_s3`` or ``raw_phenocam`` of the season into ``store``."""
        settings = self.settings(**changes)
        match product:
            case "raw_s2":
                return acquire_sentinel2(self.site, SEASON, store, settings)
            case "raw_s3":
                return acquire_sentinel3(self.site, SEASON, store, settings, today=TODAY)
            case _:
                return acquire_phenocam(self.site, SEASON, store, settings)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), SITES, today=TODAY) as process:
        sandbox = Sandbox(process.url, SiteRegistry.load(SITES).site("innsbruck"), process.environment())
        sandbox.world(starts_per_minute=1000)  # one test asks for the quota
        yield sandbox


@pytest.fixture
def sandbox(archives: Sandbox) -> Iterator[Sandbox]:
    """The archives without faults, as they were in the beginning."""
    archives.heal()
    archives.world(today=TODAY.isoformat())
    archives.forget_requests()
    yield archives
    archives.heal()


@pytest.fixture(scope="session")
def whole(archives: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    """A store with everything that there is in January."""
    store = ProductStore(tmp_path_factory.mktemp("whole") / "data")
    archives.heal()
    archives.world(today=TODAY.isoformat())
    archives.acquire("raw_s3", store)
    return store


@pytest.fixture(scope="session")
def spring(archives: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> ProductStore:
    """A store with everything that there is in spring."""
    store = ProductStore(tmp_path_factory.mktemp("spring") / "data")
    archives.heal()
    archives.world(today=SPRING.isoformat())
    acquire_sentinel3(archives.site, SEASON, store, archives.settings(), today=SPRING)
    return store


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    return ProductStore(tmp_path / "data")


def product(name: str) -> Product:
    return Product(name, SEASON)


PRODUCTS = ("raw_s2", "raw_s3", "raw_phenocam")
