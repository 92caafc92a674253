"""One made store for the whole room, and viewers that really listen."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from satfusion_assets.viewer.app import DIST, create_app
from satfusion_assets_tests.viewer.browser import launch, strict_page
from satfusion_assets_tests.viewer.make_data import make_store


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
