"""Curves beside the site's and a pixel's: a drawn area's, and those of other years, from the server to Chromium."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import shapely
from playwright.sync_api import Browser, Page, expect

from satfusion_assets.store.pack_reader import open_pack
from satfusion_assets.vocabulary.sites import SiteRegistry, make_site
from satfusion_assets_tests.viewer.browser import strict_page, wait_painted
from satfusion_assets_tests.viewer.conftest import serve
from satfusion_assets_tests.viewer.make_data import FEATURED, make_season

SCENARIO = FEATURED.key
SEASON = "innsbruck/2024"


def test_an_areas_curves_are_mean_spread_and_number_of_its_pixels(viewer: str, store: Path) -> None:
    """A triangle over more rows than are read at a time, against the pack itself."""
    left, _, _, top = httpx.get(f"{viewer}/_api/season/{SEASON}/{SCENARIO}").json()["extent"]
    ring = [(left - 500, top - 700), (left + 500, top - 800), (left + 100, top - 15)]
    words = ",".join(f"{number:.0f}" for corner in ring for number in corner)
    area = httpx.get(f"{viewer}/_api/area/{SEASON}/{SCENARIO}?ring={words}").json()
    pack = open_pack(store / SEASON / f"packs/{SCENARIO}.zarr")
    x, y = np.meshgrid(pack.x, pack.y)
    inside = shapely.contains_xy(shapely.Polygon(ring), x, y)
    assert area["pixels"] == inside.sum() > 1500
    for source in ("fused", "s2"):
        rows = area["sources"][source]
        bands = pack[source].sel(time=rows["date"]).values[..., inside].astype(float)
        blue, green, red, nir = bands.swapaxes(0, 1)
        expected = {"gcc": green / (blue + green + red), "ndvi": (nir - red) / (nir + red), "b04": red}
        for key, values in expected.items():
            np.testing.assert_array_equal(rows[f"{key}_n"], np.isfinite(values).sum(axis=1))
            seen = np.isfinite(values).any(axis=1)
            for column, summary in ((key, np.nanmean), (f"{key}_spread", np.nanstd)):
                found = np.array(rows[column], float)
                np.testing.assert_allclose(found[seen], summary(values[seen], axis=1), atol=2e-6)
                assert np.isnan(found[~seen]).all()


@pytest.mark.browser
def test_an_area_is_drawn_corner_by_corner_and_stays_in_the_address(page: Page) -> None:
    page.goto(f"/{SEASON}/{SCENARIO}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    page.get_by_role("button", name="Draw an area").click()
    close = page.get_by_role("button", name="Close the area")
    for x, y in ((60, 60), (200, 60), (130, 180)):
        expect(close).to_be_disabled()
        page.locator(".panel[data-source='fused'] .map-box").click(position={"x": x, "y": y})
    close.click()
    expect(page).to_have_url(re.compile(r"area=\d+(,\d+){5}"))
    assert "px=" not in page.url, "a corner is no pixel"
    page.reload()
    expect(page.locator(".area-card")).to_contain_text(re.compile(r"Area of \d{3,5} pixels, \d+\.\d ha"))
    chart = page.locator(".chart").first
    expect(chart.locator(".legend")).to_contain_text(re.compile(r"Fused, area0\.\d+ ± 0\.\d+, n \d{3,5}"))
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["area_spread"]) > 0
    assert float(last["area_high"]) - float(last["area"]) == pytest.approx(float(last["area_spread"]), abs=2e-6)
    page.get_by_role("button", name="Remove the area").click()
    expect(chart.locator(".legend")).not_to_contain_text("area")


@pytest.mark.browser
def test_other_years_lie_over_the_season_by_day_of_the_year(browser: Browser, tmp_path: Path) -> None:
    """1 March is day 60 of 2023 and day 61 of the leap year 2024."""
    site = make_site("test", name="twice", latitude=47.1, longitude=11.3, seasons=(2023, 2024), extent_m=600)
    tmp_path.mkdir(exist_ok=True)
    SiteRegistry.load(tmp_path / "sites.geojson").add(site)
    for year in site.seasons:
        days = [date(year, 3, 1) + timedelta(n) for n in range(6)]
        make_season(tmp_path, site, year, days, (FEATURED,))
    with serve(tmp_path) as url, strict_page(browser, url) as page:
        page.goto(f"/twice/2024/{SCENARIO}?date=2024-03-02")
        page.get_by_role("checkbox", name="Other years").check()
        chart = page.locator(".chart").first
        expect(chart.locator(".legend")).to_contain_text("Fused 2023")
        expect(page).to_have_url(re.compile("years=1"))
        with page.expect_download() as download:
            chart.get_by_role("button", name="CSV").click()
        other = httpx.get(f"{url}/_api/series/twice/2023/{SCENARIO}/processed").json()["sources"]["fused"]["gcc"]
        with Path(download.value.path()).open(newline="") as file:
            rows = {row["date"]: row["fused_2023"] for row in csv.DictReader(file)}
        assert float(rows["2024-02-29"]) == other[0]
        assert float(rows["2024-03-05"]) == other[5]
