"""One made store for the whole room, and viewers that really listen."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from satfusion_assets.viewer.app import DIST, create_app
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.viewer.browser import launch, strict_page
from satfusion_assets_tests.viewer.make_data import make_store

SEASON = "innsbruck/2024"
SECRET = "CDSE_PASSWORD=hunter2"


@contextmanager
def serve(data_root: Path, **options: Any) -> Iterator[str]:
    """A viewer over ``data_root`` on a free loopback port; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(data_root, **options), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Innsbruck 2024 from 1 March on, 120 days, two scenarios; a southern site; five empty sites."""
    root = tmp_path_factory.mktemp("viewer") / "data"
    make_store(root, days=120)
    return root


@pytest.fixture(scope="session")
def viewer(store: Path) -> Iterator[str]:
    """Address of a viewer over ``store``."""
    with serve(store) as url:
        yield url


@pytest.fixture(scope="module")
def client(viewer: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=viewer) as client:
        yield client


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A store of one site whose files are wrong in known ways."""
    registry = SiteRegistry.load(tmp_path / "data" / "sites.geojson")
    registry.add(registry.site("innsbruck"))
    folder = tmp_path / "data" / SEASON
    (folder / "raw/s2").mkdir(parents=True)
    (folder / "raw/s2/20240501_0.geotiff").write_bytes(b"II*\0 this is no raster")
    (folder / "metrics.json").write_text('{"temporal": {"aggressive_sigma20": {"nse_pc": NaN, "n_samples": 3}}}')
    (folder / "broken.json").write_text('{"half": ')
    (folder / ".env").write_text(SECRET)
    (folder / ".hidden").mkdir()
    (folder / ".hidden/list.json").write_text(json.dumps(SECRET))
    (tmp_path / "outside.json").write_text(json.dumps(SECRET))
    (folder / "escape.json").symlink_to(tmp_path / "outside.json")
    (folder / "elsewhere").symlink_to(tmp_path)
    (tmp_path / "data/tables").mkdir()
    (tmp_path / "data/tables/scores.csv").write_text("site,season\ninnsbruck,2024\n")
    (tmp_path / "data/tables/.env").write_text(SECRET)
    (tmp_path / "data/tables/escape.csv").symlink_to(tmp_path / "outside.json")
    (folder / "pack.zarr").mkdir()
    (folder / "pack.zarr/.secret").write_text(SECRET)
    (folder / "pack.zarr/stolen").symlink_to(tmp_path / "outside.json")
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / ".satfusion/fused/current").mkdir(parents=True)
    (folder / ".satfusion/fused/current/inside.json").write_text('{"seen": true}')
    (folder / "inside.json").symlink_to(Path(".satfusion/fused/current/inside.json"))
    return tmp_path / "data"


@pytest.fixture
def damaged_client(damaged: Path) -> Iterator[httpx.Client]:
    with serve(damaged) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for one module: while it runs, nothing else in this thread may run an event loop."""
    if not (DIST / "index.html").is_file():
        pytest.fail("The viewer is not built; run 'make webapp', then the tests again.")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, viewer: str) -> Iterator[Page]:
    with strict_page(browser, viewer) as page:
        yield page
