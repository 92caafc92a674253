"""Chromium as a researcher would use it, strict about everything that must not happen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from satfusion_assets_tests.conftest import program

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[2] / "webapp" / "node_modules" / "axe-core" / "axe.min.js"
READBACK = "warning: Canvas2D: Multiple readback"
"""Said of this module's own reading of pixels."""
PATIENCE_MS = 60_000
"""How long a page may take for what is asked of it: a busy machine is no fault of the page."""
expect.set_options(timeout=PATIENCE_MS)
LOOPBACK = {"127.0.0.1", "localhost"}


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium."""
    others = shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromium = others or program("chromium", package="chromium")
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def strict_page(browser: Browser, base: str, *, allow: tuple[str, ...] = (), **context: Any) -> Iterator[Page]:
    """A page of a fresh profile; a foreign request, a console message or an uncaught error fails the test.

    allow: beginnings of console messages that the test provokes.
    """
    options = {"viewport": {"width": 1440, "height": 1000}, "accept_downloads": True, **context}
    profile = browser.new_context(base_url=base, **options)
    page = profile.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on("request", lambda request: _judge(request.url, complaints))
    try:
        yield page
        unforeseen = [words for words in complaints if not words.startswith((READBACK, *allow))]
        if unforeseen:
            pytest.fail("\n".join(unforeseen))
    finally:
        profile.close()


def _judge(url: str, complaints: list[str]) -> None:
    address = urlsplit(url)
    if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
        complaints.append(f"foreign request: {url}")


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds wrong, one line a rule with the first place."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    result = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [f"{found['id']} ({found['impact']}): {found['nodes'][0]['html'][:160]}" for found in result]


def shown_day(page: Page, source: str) -> str:
    """The day that a panel has painted."""
    return page.locator(f".panel[data-source='{source}'] .map-box").get_attribute("data-day") or ""


def wait_painted(page: Page, source: str, day: str) -> None:
    page.wait_for_function(
        "([source, day]) => document.querySelector(`.panel[data-source='${source}'] .map-box`)?.dataset.day === day",
        arg=[source, day],
    )


def box_of(page: Page, selector: str) -> dict[str, float]:
    """Where the first element that ``selector`` finds stands, in CSS pixels, once it has a size (charts move)."""
    script = """selector => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box?.width ? box.toJSON() : null;
    }"""
    return dict(page.wait_for_function(script, arg=selector).json_value())


def middle_colour(page: Page, source: str, across: float = 0.31, down: float = 0.27) -> tuple[int, ...]:
    """RGBA of the picture at a share of a panel's width and height."""
    script = """([source, x, y]) => {
      const canvas = document.querySelector(`.panel[data-source='${source}'] .map-canvas`);
      const spot = canvas.getContext('2d').getImageData(canvas.width * x, canvas.height * y, 1, 1).data;
      return [...spot];
    }"""
    return tuple(page.evaluate(script, [source, across, down]))
