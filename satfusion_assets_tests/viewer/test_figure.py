"""A day as a figure for print: its size in millimetres, what is written on it, missing told from masked."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from cmcrameri import cm
from defusedxml import ElementTree
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox
from PIL import Image

from satfusion_assets.viewer.figure import draw, scale_bar_m
from satfusion_assets.viewer.figure_contents import contents_of
from satfusion_assets.viewer.figure_order import Order
from satfusion_assets.viewer.files import Fence
from satfusion_assets.vocabulary.scenarios import Scenario
from satfusion_assets.vocabulary.sites import SiteRegistry
from satfusion_assets_tests.viewer.conftest import serve

PATH = "/_figure/innsbruck/2024/aggressive_sigma20"
CLOUDY = "2024-03-06"
RAMP = Path(__file__).parents[2] / "webapp/src/raster/vegetation.ts"
POINTS_A_MM = 72 / 25.4


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[httpx.Client]:
    with serve(store) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def words_of(svg: bytes) -> str:
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return " | ".join("".join(text.itertext()) for text in texts)


def test_a_png_has_the_width_and_the_dots_an_inch_that_were_asked_for(client: httpx.Client) -> None:
    answer = client.get(f"{PATH}/processed?date={CLOUDY}&format=png&width=85&dpi=200")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.width == pytest.approx(85 / 25.4 * 200, abs=1)
    assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)


@pytest.mark.parametrize("format", ["svg", "pdf"])
def test_a_drawing_has_the_width_that_was_asked_for_and_an_svg_is_the_same_each_time(
    client: httpx.Client, format: str
) -> None:
    address = f"{PATH}/processed?date={CLOUDY}&style=gcc&format={format}&width=120"
    answer = client.get(address)
    found = re.search(rb'width="([\d.]+)pt"|MediaBox \[ ?0 0 ([\d.]+)', answer.content)
    assert found is not None
    assert float(found[1] or found[2]) == pytest.approx(120 * POINTS_A_MM, abs=0.1)
    assert format == "pdf" or client.get(address).content == answer.content
    assert (
        f'filename="innsbruck_2024_aggressive_sigma20_processed_gcc_{CLOUDY}.{format}"'
        in (answer.headers["content-disposition"])
    )


def test_the_layouts_last_bits_are_not_in_the_bytes(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its solver's last bits differ from figure to figure, with the addresses of its terms."""
    order = Order(date.fromisoformat(CLOUDY), "gcc", "svg", 120)
    site = SiteRegistry.load(store / "sites.geojson").site("innsbruck")
    with Fence(store).snapshot() as files:
        contents = contents_of(files, site, 2024, Scenario.parse("aggressive_sigma20"), "processed", order)
    solve, moved = ConstrainedLayoutEngine.execute, []

    def solve_otherwise(engine: ConstrainedLayoutEngine, figure: Figure) -> Any:
        solved = solve(engine, figure)
        for axes in figure.axes:
            place = axes.get_position(original=True).get_points()
            axes.set_position(Bbox(np.nextafter(place, 1)), which="original")
            moved.append(axes)
        return solved

    before = draw(order, contents)
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", solve_otherwise)
    assert draw(order, contents) == before
    assert moved


def test_it_names_year_days_scale_quantity_and_what_its_numbers_are(client: httpx.Client) -> None:
    words = words_of(client.get(f"{PATH}/prepared?date={CLOUDY}&style=ndvi&format=svg").content)
    for said in ("innsbruck 2024", f"Sentinel-2, {CLOUDY}", "200 m", "NDVI", "NDVI at the site", "EPSG:32632"):
        assert said in words, said


@pytest.fixture
def season(store: Path, tmp_path: Path) -> Path:
    """A store of one prepared scene with its classification, whose upper third was not seen; its data are synthetic."""
    root, day = tmp_path / "data", CLOUDY.replace("-", "")
    for pattern in (f"prepared_aggressive/s2/*{day}_REFL.tif", f"raw/scl/{day}_*.geotiff"):
        (file,) = (store / "innsbruck/2024").glob(pattern)
        copy = root / file.relative_to(store)
        copy.parent.mkdir(parents=True)
        shutil.copy(file, copy)
        with rasterio.open(copy, "r+") as dataset:
            values = dataset.read()
            values[:, : dataset.height // 3] = dataset.nodata
            dataset.write(values)
            dataset.update_tags(SOURCES="an archive: synthetic data, seen by no satellite")
    shutil.copy(store / "sites.geojson", root)
    return root


def test_masked_ground_is_told_from_ground_that_was_not_seen(season: Path) -> None:
    site = SiteRegistry.load(season / "sites.geojson").site("innsbruck")
    order = Order(date.fromisoformat(CLOUDY), "ndvi", "svg")
    with Fence(season).snapshot() as files:
        contents = contents_of(files, site, 2024, Scenario.parse("aggressive_sigma20"), "prepared", order)
    (sentinel2,) = contents.panels
    missing = np.isnan(sentinel2.values)
    assert sentinel2.masked.any()
    assert (missing & ~sentinel2.masked).any()
    assert not (sentinel2.masked & ~missing).any()
    words = words_of(draw(order, contents))
    assert "masked: cloud, shadow or snow" in words
    assert "missing: no observation" in words
    assert "SYNTHETIC DATA" in words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("date=tomorrow", "is no day"),
        ("date=2024-05-10&format=gif", "is not a format; use one of png, svg, pdf"),
        ("date=2024-05-10&style=rainbow", "cannot be drawn; use one of true, false, ndvi"),
        ("date=2024-05-10&width=9000", "is not between 60 and 420 mm"),
        ("date=2024-05-10&format=png&width=400&dpi=1200", "more than 12000 pixels"),
        ("date=2024-05-10&dpi=many", "is not a number"),
        ("date=2024-05-10&range=0.8,0.2", "lower end first"),
    ],
)
def test_an_order_that_cannot_be_drawn_is_refused_with_what_can(client: httpx.Client, query: str, words: str) -> None:
    answer = client.get(f"{PATH}/processed?{query}")
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(("width_m", "bar_m"), [(900, 200), (1500, 200), (4500, 1000), (41, 10), (80_000, 20_000)])
def test_the_scale_bar_is_a_round_quarter_of_the_map(width_m: float, bar_m: float) -> None:
    assert scale_bar_m(width_m) == bar_m


def test_the_viewers_ramp_of_vegetation_is_that_of_its_source() -> None:
    colours = np.array(re.findall(r"\[(\d+), (\d+), (\d+)\]", RAMP.read_text()), float)
    source = np.array(cm.bamako_r(np.linspace(0, 1, 256)))[:, :3] * 255
    at = np.linspace(0, len(colours) - 1, 256)
    drawn = np.stack([np.interp(at, np.arange(len(colours)), colours[:, channel]) for channel in range(3)], axis=1)
    assert np.abs(drawn - source).max() < 3.5
