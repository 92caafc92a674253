"""How fast the viewer is: catalogue, frames, pixel seasons, and date to painted in Chromium.

``python -m benchmarks.viewer`` makes a full season of data (about 20 s), serves it and prints a table. Times are those
of this machine with server and browser on the same cores; the frame from a file and the pixel from GeoTIFFs are the
references of the same run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Page, Request, sync_playwright

from satfusion_assets.viewer.catalog import Catalog
from satfusion_assets.viewer.files import Fence
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.viewer.browser import launch, wait_painted
from satfusion_assets_tests.viewer.conftest import serve
from satfusion_assets_tests.viewer.make_data import FEATURED, make_store

SEASON = f"innsbruck/2024/{FEATURED.key}"
STEP = """async ([steps, pause]) => {
  const box = document.querySelector(".panel[data-source='fused'] .map-box");
  const times = [];
  for (let i = 0; i < steps; i += 1) {
    const before = box.dataset.day;
    const start = performance.now();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    while (box.dataset.day === before) await new Promise((done) => setTimeout(done, 0));
    await new Promise((done) => requestAnimationFrame(done));
    times.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, pause));
  }
  return times;
}"""


CLICK = """async ([right, down]) => {
  const box = document.querySelector(".panel[data-source='fused'] .map-box");
  const canvas = box.querySelector('.ol-viewport');
  const frame = box.getBoundingClientRect();
  const at = { clientX: frame.left + right, clientY: frame.top + down, bubbles: true, pointerId: 1, isPrimary: true };
  const before = document.querySelector('.pixel-card')?.dataset.pixel ?? '';
  const start = performance.now();
  for (const kind of ['pointerdown', 'pointerup']) canvas.dispatchEvent(new PointerEvent(kind, { ...at, button: 0 }));
  const now = () => document.querySelector('.pixel-card')?.dataset.pixel ?? '';
  while (now() === before || now() === '') await new Promise((done) => setTimeout(done, 0));
  await new Promise((done) => requestAnimationFrame(done));
  return performance.now() - start;
}"""


def median_ms(action: Callable[[], object], times: int = 9) -> float:
    """Median wall time of ``action`` in milliseconds, after one call that warms."""
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def copies(root: Path, sites: int, seasons: int) -> Path:
    """A data root of ``sites`` x ``seasons``, each a link to the made season."""
    made = root / "data" / "innsbruck" / "2024"
    many = root / "many"
    registry = SiteRegistry.load(many / "sites.geojson")
    template = registry.site("innsbruck")
    years = tuple(range(2020, 2020 + seasons))
    for number in range(sites):
        name = f"site{number}"
        registry = registry.add(template.model_copy(update={"name": name, "seasons": years}))
        (many / name).mkdir()
        for year in years:
            (many / name / str(year)).symlink_to(made)
    return many


def server_rows(url: str, root: Path) -> list[tuple[str, float]]:
    """What the server takes alone."""
    client = httpx.Client(base_url=url)
    season = client.get(f"/_api/season/{SEASON}").json()
    place = f"x={season['marker'][0] + 100}&y={season['marker'][1]}"
    frame = f"/_frame/innsbruck/2024/processed_{FEATURED.key}/fusion/20240601_0.geotiff"
    many = copies(root, 20, 5)

    def start_of_many() -> None:
        Catalog(Fence(many), many / "sites.geojson").overview()

    pixel = f"/_api/pixel/{SEASON}/processed?{place}"
    packed = median_ms(lambda: client.get(pixel))
    pack = root / "data" / "innsbruck" / "2024" / "packs"
    aside = pack.rename(pack.with_name("unpacked"))
    unpacked = median_ms(lambda: client.get(pixel, timeout=60), 3)
    aside.rename(pack)
    return [
        ("catalogue of 20 sites x 5 seasons", median_ms(start_of_many, 3)),
        ("season's list of days and files", median_ms(lambda: client.get(f"/_api/season/{SEASON}"))),
        ("one day's frame", median_ms(lambda: client.get(frame))),
        ("pixel season from the pack", packed),
        ("pixel season from GeoTIFFs", unpacked),
    ]


def sizes_of(requests: list[Request]) -> dict[str, int]:
    """Bytes that came over the wire, compressed as they were."""
    sizes = {"code and tables": 0, "pictures": 0}
    for one in requests:
        kind = "pictures" if "/_frame/" in one.url or "/_files/" in one.url else "code and tables"
        sizes[kind] += one.sizes()["responseBodySize"]
    return sizes


def browser_rows(page: Page) -> list[tuple[str, float]]:
    """What a person waits for."""
    finished: list[Request] = []
    page.on("requestfinished", lambda one: finished.append(one))
    start = time.perf_counter()
    page.goto(f"/{SEASON}?date=2024-04-05")
    wait_painted(page, "fused", "2024-04-05")
    opened = 1e3 * (time.perf_counter() - start)
    loaded = [(f"first load until painted, {kind}, kB", size / 1e3) for kind, size in sizes_of(finished).items()]
    page.wait_for_timeout(1500)
    steps = sorted(page.evaluate(STEP, [60, 60]))
    clicks = [page.evaluate(CLICK, [70 + 9 * n, 80 + 7 * n]) for n in range(9)]
    return [
        *loaded,
        ("address to painted, cold", opened),
        ("date to painted, median of 60 steps", statistics.median(steps)),
        ("date to painted, 95 %", steps[int(0.95 * len(steps))]),
        ("click on a pixel to its season drawn", statistics.median(clicks)),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_store(root / "data")
        with serve(root / "data") as url, sync_playwright() as playwright:
            browser = launch(playwright)
            rows = server_rows(url, root)
            rows += browser_rows(browser.new_page(base_url=url, viewport={"width": 1440, "height": 1000}))
            browser.close()
    for name, milliseconds in rows:
        sys.stdout.write(f"{name:48} {milliseconds:8.1f}{'' if name.endswith('kB') else ' ms'}\n")


if __name__ == "__main__":
    main()
