"""The pictures of the manual, taken of a materialised demo in Chromium: ``make pictures``.

They are committed, so that the manual builds without a demo; every one is made again by this program alone.
"""

from __future__ import annotations

import argparse
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS: Final = 128
"""Of a picture's palette: screenshots of maps and curves stay below 200 kB with it and lose nothing that is read."""
SETTLED_MS: Final = 2500
"""Wait for a page's last curve or picture."""
SEASON: Final = "/innsbruck/2024/nonaggressive_kriging"


def to_maps(page: Page) -> None:
    """Scroll to the first map, and wait until it is painted."""
    page.locator(".map-box").last.scroll_into_view_if_needed()
    page.wait_for_timeout(SETTLED_MS)


@dataclass(frozen=True)
class Shot:
    """One picture. address: below the viewer's or Dagster's own; width, height in pixels of the page; act: what a
    person does first."""

    name: str
    address: str
    width: int = 1280
    height: int = 800
    dagster: bool = False
    act: Callable[[Page], object] = lambda page: None


SHOTS: Final = (
    Shot("start", "/", height=560),
    Shot("explore", f"{SEASON}?date=2024-06-03", height=980),
    Shot("metrics", f"{SEASON}/metrics", height=900),
    Shot("gaps", "/innsbruck/2024/aggressive_sigma20/gaps", height=900, act=to_maps),
    Shot("phenology", f"{SEASON}/phenology", height=900, act=to_maps),
    Shot("lineage", "/asset-groups", height=560, dagster=True),
)


def take(viewer: str, dagster: str, names: set[str]) -> None:
    """Take the pictures called ``names`` (all when empty) of the services at these addresses."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for shot in SHOTS:
            if names and shot.name not in names:
                continue
            page = browser.new_page(viewport={"width": shot.width, "height": shot.height})
            page.goto((dagster if shot.dagster else viewer) + shot.address)
            page.wait_for_timeout(SETTLED_MS * (3 if shot.dagster else 1))
            shot.act(page)
            save(page.screenshot(), PICTURES / f"{shot.name}.png")
            page.close()
        browser.close()


def save(screenshot: bytes, path: Path) -> None:
    """Write a screenshot with a palette."""
    with Image.open(io.BytesIO(screenshot)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """``python -m docs_site.pictures [NAME ...]`` beside a running ``satfusion demo --evaluation``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help="pictures to take; all without")
    parser.add_argument("--viewer", default="http://127.0.0.1:8050", help="the viewer's address")
    parser.add_argument("--dagster", default="http://127.0.0.1:3000", help="the Dagster UI's address")
    arguments = parser.parse_args()
    take(arguments.viewer, arguments.dagster, set(arguments.names))


if __name__ == "__main__":
    main()
