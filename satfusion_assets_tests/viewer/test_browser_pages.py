"""The other pages, downloads, failures and accessibility in Chromium."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from satfusion_assets.vocabulary.links import viewer_url
from satfusion_assets_tests.viewer.browser import (
    axe_violations,
    box_of,
    middle_colour,
    strict_page,
    wait_painted,
)
from satfusion_assets_tests.viewer.conftest import serve

pytestmark = pytest.mark.browser

SEASON = "/innsbruck/2024/aggressive_sigma20"
PICTURE = re.compile("/_(frame|files)/")
PIXEL = "px=675865,5220905"
AREA = "area=675900,5220600,676100,5220600,676100,5220800"


# -- the other pages ---------------------------------------------------------------------------------------------


def test_the_preselection_says_which_rule_excluded_a_scene(page: Page):
    page.goto(f"{SEASON}/preselection?date=2024-03-31")
    wait_painted(page, "raw", "2024-03-31")
    facts = page.locator(".screening .facts")
    expect(facts).to_contain_text("aggressiveexcluded: dark: mean blue below 0.01")
    page.get_by_role("combobox", name="Show scenes").select_option("differ")
    chips = page.locator(".chip")
    expect(chips.first).to_contain_text("agg. low NDVI, non. kept")
    expect(page).to_have_url(re.compile("show=differ"))
    chips.first.click()
    expect(facts).to_contain_text("nonaggressivekept")


def test_metrics_show_every_field_of_the_contract(page: Page):
    page.goto(f"{SEASON}/metrics")
    table = page.get_by_role("region", name="Fused, Blend-then-Index")
    for words in ("0.844", "0.972", "0.110", "312", "0.0042", "0.0110", "2024-12-31"):
        expect(table).to_contain_text(words)
    for caption in ("Camera, gcc_90", "Fused, Index-then-Blend", "Without fusion", "ΔNSE_PC, sigma 20 minus sigma 30"):
        expect(page.get_by_text(caption, exact=True)).to_be_visible()
    page.get_by_role("button", name="Read").first.click()
    expect(page.get_by_text("phenocam_stats", exact=True)).to_be_visible()


@pytest.mark.parametrize("of", ["metrics", "gaps"])
def test_the_months_of_a_report_are_said_in_words_not_as_the_fields_of_a_file(page: Page, of: str):
    page.goto(f"{SEASON}/{of}")
    words = "Scores are of January to December 2024. The camera's growing season is May to September 2024."
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("growing_season")).to_have_count(0)


def test_skill_comes_with_its_intervals_for_each_region_of_interest(page: Page):
    page.goto(f"{SEASON}/metrics")
    table = page.get_by_role("region", name="GCC against gcc_90, calibrated")
    for words in ("0.0093 ★ (0.0071–0.0113)", "0.926 ★ (0.856–0.961)", "0.953 ★ (0.930–0.966)", "−2"):
        expect(table).to_contain_text(words)
    pairs = page.get_by_role("region", name="Pairs: RMSE of the row minus RMSE of the column")
    expect(pairs).to_contain_text("−3.40 ◆")
    expect(pairs).to_contain_text("+3.40 ◆")
    expect(page.get_by_role("region", name="Phases of the season")).to_contain_text("0.0055 ★ (+0.0024)")
    expect(table.get_by_role("rowheader", name="Sentinel-2, kept scenes without a mask, aggressive")).to_be_visible()
    expect(page.get_by_role("region", name="What fusion adds")).to_contain_text("−3.40 ◆")
    page.get_by_role("combobox", name="Region of interest").select_option("innsbruck_GR_2000")
    expect(table).to_contain_text("0.626 ★ (0.556–0.661)")
    expect(page).to_have_url(re.compile("region=innsbruck_GR_2000"))


def test_a_gap_shows_the_withheld_scene_both_fusions_and_the_competitor(page: Page, store: Path):
    link = viewer_url("", "innsbruck", 2024, "aggressive_sigma20", "gaps", gap="30_green_up", style="gcc")
    page.goto(link)
    for name in ("Withheld scene", "Fused with the gap", "Fused without the gap", "Whittaker smoother"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    biases = {"gap": r"mean 0\.01", "no-gap": r"mean 0\.00", "rival": r"mean 0\.00"}
    for source, words in biases.items():
        expect(page.locator(f".panel[data-source='{source}-missed'] .readout")).to_have_text(re.compile(words))
    page.get_by_role("combobox", name="Competitor").select_option("linear")
    expect(page.locator(".panel[data-source='rival-missed'] .readout")).to_contain_text("mean -0.00")
    expect(page).to_have_url(re.compile("rival=linear"))
    with page.expect_download() as download:
        page.get_by_role("link", name="GeoTIFF: Linear in time").click()
    image = store / "innsbruck/2024/validation/competitors/gap_30_green_up"
    assert Path(download.value.path()).read_bytes() == next(image.glob("linear_*.tif")).read_bytes()
    expect(page.get_by_role("region", name="Spatial tier, gcc, best RMSE first")).to_contain_text("Whittaker smoother")
    page.get_by_role("button", name="90 d", exact=True).click()
    expect(page).to_have_url(re.compile("gap=90_green_up"))
    expect(page.get_by_text("No pictures were kept for the 90-day gap.")).to_be_visible()


def test_phenology_gives_the_date_of_the_pixel_under_the_pointer(page: Page):
    page.goto(f"{SEASON}/phenology")
    # What comes above the maps moves them away from under the pointer.
    box_of(page, ".chart .u-over")
    expect(page.get_by_role("region", name="Dates with their 95 % intervals")).to_be_visible()
    wait_painted(page, "rising", "50:date")
    page.locator(".panel[data-source='rising'] .map-box").hover(position={"x": 60, "y": 60})
    readout = page.locator(".panel[data-source='rising'] .readout")
    expect(readout).to_have_text(re.compile(r"^\d+ (Apr|May) \(\d+ (Apr|May) to \d+ (Apr|May)\), \w+"))
    page.get_by_role("combobox", name="Layer").select_option("25:label")
    wait_painted(page, "falling", "25:label")
    expect(page.locator(".classes").first).to_contain_text("season truncated")
    page.get_by_role("combobox", name="Layer").select_option("50:width")
    expect(page).to_have_url(re.compile("layer=50%3Awidth"))


def test_dates_stand_with_their_interval_and_their_distance_from_the_camera(page: Page):
    page.goto(f"{SEASON}/phenology")
    table = page.get_by_role("region", name="Dates with their 95 % intervals")
    expect(table.get_by_role("row").first).to_contain_text("transitionCameraFused")
    row = table.get_by_role("row").filter(has_text="green-up 50 %")
    for words in ("2024-05-02", "04-28 to ", "2024-05-05 +3 days", "05-01 to 05-10, dated"):
        expect(row).to_contain_text(words)
    row.get_by_role("button", name="2024-05-05").click()
    expect(page).to_have_url(re.compile("date=2024-05-05"))


def test_all_scenarios_are_drawn_against_the_camera(page: Page):
    page.goto(f"{SEASON}/metrics")
    legend = page.get_by_role("region", name="Fused GCC of all scenarios, and the camera").get_by_role("listitem")
    expect(legend).to_have_count(3)
    expect(page.get_by_role("heading", name="Residual, fused GCC minus gcc_90")).to_be_visible()
    small = page.get_by_role("button", name=re.compile("bias .* RMSE"))
    expect(small).to_have_count(2)
    expect(page.locator(".multiple[aria-pressed='true']")).to_contain_text("aggressive · σ 20 d · BtI")
    small.nth(1).click()
    expect(page.locator(".multiple[aria-pressed='true']")).to_contain_text("ItB")
    expect(legend.last).to_contain_text("ItB")  # what is chosen is drawn last, on top


def test_a_southern_season_opens_in_its_own_summer(page: Page):
    page.goto("/southern/2024/aggressive_sigma20?date=2024-03-06")
    wait_painted(page, "fused", "2024-03-06")
    expect(page.locator(".place")).to_contain_text("EPSG:32755")
    assert middle_colour(page, "fused", 0.5, 0.5)[3] == 255


# -- saving ------------------------------------------------------------------------------------------------------


def test_the_pixel_season_is_saved_as_csv(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15&{PIXEL}")
    expect(page.locator(".pixel-card")).to_contain_text("from the pack")
    page.get_by_text("Save & share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV, this pixel’s season").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    fused = [row for row in rows if row["source"] == "fused"]
    assert len(fused) == 120
    assert fused[0]["date"] == "2024-03-01"
    assert 0.3 < float(fused[-1]["gcc"]) < 0.6
    assert float(fused[-1]["gcc_sd"]) > 0


def test_the_view_is_saved_as_png_with_its_caption(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s3", "2024-05-14")
    page.get_by_text("Save & share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG of this view with caption").click()
    assert download.value.suggested_filename == "innsbruck_2024_2024-05-15.png"
    picture = Image.open(download.value.path())
    maps = page.locator(".map-canvas").first.evaluate("(canvas) => canvas.width")
    assert picture.width > 3 * maps
    below = picture.convert("L").crop((0, picture.height - 70, picture.width, picture.height))
    assert below.getextrema()[0] < 128, "the caption is written below the pictures"  # type: ignore[operator]


def test_the_geotiff_that_is_offered_is_the_one_that_is_shown(page: Page, store: Path):
    page.goto(f"{SEASON}?date=2024-05-16&style=gcc")
    wait_painted(page, "s2", "2024-05-15")
    page.get_by_text("Save & share").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="GeoTIFF Sentinel-2 2024-05-15").click()
    source = store / "innsbruck/2024/processed_aggressive_sigma20/s2/20240515_0.geotiff"
    assert Path(download.value.path()).read_bytes() == source.read_bytes()


# -- when something is missing or wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", "/preselection", "/metrics", "/gaps", "/phenology"])
def test_an_empty_season_says_what_to_materialise(page: Page, where: str):
    page.goto(f"/pitsalu/2024/aggressive_sigma20{where}")
    expect(page.get_by_text("pitsalu 2024", exact=False).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"satfusion (materialize|gaps) pitsalu 2024")).first).to_be_visible()


def test_an_unknown_site_is_said_with_the_nearest_name(browser: Browser, viewer: str):
    with strict_page(browser, viewer, allow=("error: Failed to load resource",)) as page:
        page.goto("/insbruck/2024")
        expect(page.get_by_role("alert")).to_contain_text("did you mean innsbruck?")


def test_an_unreadable_raster_is_said_on_its_panel_and_spoils_no_other(browser: Browser, store: Path, viewer: str):
    raster = store / "innsbruck/2024/processed_aggressive_sigma20/fusion/20240603_0.geotiff"
    whole = raster.read_bytes()
    raster.write_bytes(whole[:900])
    try:
        with strict_page(browser, viewer, allow=("error: Failed to load resource",)) as page:
            page.goto(f"{SEASON}?date=2024-06-03")
            alert = page.locator(".panel[data-source='fused']").get_by_role("alert")
            expect(alert).to_contain_text("20240603_0.geotiff is not a readable raster")
            wait_painted(page, "s2", "2024-06-04")
            page.keyboard.press("ArrowRight")
            wait_painted(page, "fused", "2024-06-04")
            expect(alert).to_have_count(0)
    finally:
        raster.write_bytes(whole)


def test_a_server_that_stopped_is_said(browser: Browser, store: Path):
    with serve(store) as url:
        stopped = strict_page(browser, url, allow=("error: Failed to load resource",))
        page = stopped.__enter__()
        page.goto(f"{SEASON}?date=2024-05-15")
        wait_painted(page, "fused", "2024-05-15")
    page.get_by_role("link", name="Metrics").click()
    expect(page.get_by_role("alert").first).to_contain_text("satfusion view")
    stopped.__exit__(None, None, None)


# -- for everybody -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"{SEASON}?date=2024-05-16&{PIXEL}&{AREA}&bands=1",
        f"{SEASON}?date=2024-05-16&view=swipe",
        f"{SEASON}?date=2024-05-16&view=difference",
        f"{SEASON}/preselection?date=2024-05-10",
        f"{SEASON}/metrics",
        f"{SEASON}/gaps?gap=30_green_up",
        f"{SEASON}/phenology",
        "/pitsalu/2024",
    ],
)
def test_axe_finds_nothing(page: Page, path: str):
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert axe_violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe_violations(page) == [], "in dark colours"


@pytest.mark.parametrize("path", ["/", f"{SEASON}?date=2024-05-16", f"{SEASON}/metrics", f"{SEASON}/preselection"])
def test_a_phone_never_scrolls_sideways(browser: Browser, viewer: str, path: str):
    phone = {"width": 375, "height": 740}
    with strict_page(browser, viewer, viewport=phone, has_touch=True, is_mobile=True) as page:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= phone["width"]


def test_the_choice_of_dark_colours_is_kept_and_repaints_what_is_drawn(page: Page):
    """Against a light system; charts and saved pictures are painted, not styled."""
    painted = """(colour) => {
      const canvas = document.querySelector(".chart-box canvas");
      const all = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      const same = (i) => colour.every((value, band) => all[i + band] === value);
      for (let i = 0; i < all.length; i += 4) if (same(i)) return true;
      return false;
    }"""
    light, dark = [106, 47, 160], [199, 155, 242]  # of the fused line
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s3", "2024-05-14")
    page.wait_for_function(painted, arg=light)
    page.get_by_role("combobox", name="Light or dark").select_option("dark")
    page.wait_for_function(painted, arg=dark)
    assert not page.evaluate(painted, light)
    page.get_by_text("Save & share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG of this view with caption").click()
    paper = Image.open(download.value.path()).convert("L").crop((0, 0, 4, 4))
    assert paper.getextrema()[1] < 60  # type: ignore[operator]
    page.reload()
    expect(page.get_by_role("combobox", name="Light or dark")).to_have_value("dark")
    page.wait_for_function(painted, arg=dark)


def test_the_first_load_is_light(page: Page):
    """All bytes that the main page needs before anything is cached, but pictures of the site itself."""
    finished: list[Request] = []
    page.on("requestfinished", lambda one: finished.append(one))
    page.goto(f"{SEASON}?date=2024-05-16")
    wait_painted(page, "fused", "2024-05-16")
    code = {one.url: one.sizes()["responseBodySize"] for one in finished if not PICTURE.search(one.url)}
    assert any(url.endswith(".js") for url in code)
    assert 80_000 < sum(code.values()) < 500_000


def test_a_figure_for_print_is_saved_in_millimetres(page: Page):
    page.goto(f"{SEASON}?date=2024-04-10&style=ndvi")
    page.get_by_text("Save & share").click()
    page.get_by_role("combobox", name="Format").select_option("png")
    page.get_by_role("spinbutton", name="Width, mm").fill("85")
    page.get_by_role("spinbutton", name="dpi").fill("150")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save figure of 2024-04-10").click()
    assert download.value.suggested_filename == "innsbruck_2024_aggressive_sigma20_processed_ndvi_2024-04-10.png"
    assert Image.open(download.value.path()).width == pytest.approx(85 / 25.4 * 150, abs=1)
