"""The viewer in Chromium, tried as a researcher would: offline, by link, by key and by click."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from satfusion_assets.viewer.app import DIST
from satfusion_assets.viewer.links import viewer_url
from satfusion_assets_tests.viewer.browser import (
    axe_violations,
    launch,
    middle_colour,
    shown_day,
    strict_page,
    wait_painted,
)
from satfusion_assets_tests.viewer.conftest import serve

pytestmark = pytest.mark.browser

SEASON = "/innsbruck/2024/aggressive_sigma20"
PIXEL = "px=675865,5220905"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
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


# -- finding the way ---------------------------------------------------------------------------------------------


def test_the_start_page_shows_every_site_and_opens_a_season(page: Page):
    page.goto("/")
    for site in ("innsbruck", "forthgr", "pitsalu", "vindeln2", "sunflowerjerez1", "institutekarnobat", "southern"):
        expect(page.get_by_role("rowheader", name=re.compile(f"^{site}"))).to_be_visible()
    best = page.locator("td.best").first
    expect(best).to_contain_text("0.84")
    best.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/innsbruck/2024/aggressive_sigma20"))
    expect(page.locator(".panel")).to_have_count(3)


def test_the_score_of_the_start_page_is_part_of_the_address(page: Page):
    page.goto("/")
    page.get_by_role("combobox", name="Score").select_option("rmse")
    expect(page).to_have_url(re.compile("score=rmse"))
    expect(page.locator("td.best").first).to_contain_text("0.01")


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_link_opens_its_day_in_every_time_zone(browser: Browser, viewer: str, zone: str):
    link = viewer_url(viewer, "innsbruck", 2024, "aggressive_sigma20", None, date(2024, 5, 17), style="ndvi")
    with strict_page(browser, viewer, timezone_id=zone) as page:
        page.goto(link)
        wait_painted(page, "fused", "2024-05-17")
        expect(page.get_by_label("Day, as YYYY-MM-DD")).to_have_value("2024-05-17")
        expect(page.get_by_role("combobox", name="Show")).to_have_value("ndvi")


def test_back_returns_to_the_page_before(page: Page):
    page.goto(f"{SEASON}?date=2024-05-17")
    wait_painted(page, "fused", "2024-05-17")
    page.get_by_role("link", name="Metrics").click()
    expect(page.get_by_role("heading", name="Metrics, innsbruck 2024")).to_be_visible()
    page.go_back()
    wait_painted(page, "fused", "2024-05-17")


def test_an_old_address_opens_its_contents(page: Page):
    page.goto("/preselection.html?site=innsbruck&season=2024&exclusion=nonaggressive&date=2024-05-15")
    expect(page).to_have_url(re.compile(r"/innsbruck/2024/nonaggressive_sigma20/preselection\?date=2024-05-15"))
    expect(page.locator(".verdicts")).to_contain_text("nonaggressive")


# -- one day, everywhere -----------------------------------------------------------------------------------------


def test_every_panel_says_which_day_it_shows(page: Page):
    page.goto(f"{SEASON}?date=2024-05-16")
    wait_painted(page, "s2", "2024-05-15")
    expect(page.locator(".panel[data-source='s2'] .lag")).to_have_text("2024-05-15 (−1 d)")
    expect(page.locator(".panel[data-source='fused'] .lag")).to_have_text("2024-05-16")
    expect(page.locator(".camera .lag")).to_contain_text("2024-05-16")


def test_scrubbing_by_key_moves_maps_camera_curves_and_address(page: Page):
    page.goto(f"{SEASON}?date=2024-04-05&style=ndvi")
    wait_painted(page, "fused", "2024-04-05")
    bare = middle_colour(page, "fused")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    wait_painted(page, "fused", "2024-05-15")
    expect(page).to_have_url(re.compile("date=2024-05-15"))
    expect(page.locator(".camera img")).to_have_attribute("alt", "Camera photo of 2024-05-14")
    expect(page.locator(".camera .lag")).to_have_text("2024-05-14 (−1 d)")
    expect(page.locator(".chart-day").first).to_have_text("2024-05-15")
    green = middle_colour(page, "fused")
    assert green[1] - green[0] > bare[1] - bare[0] + 40


def test_shift_and_arrow_go_from_scene_to_scene(page: Page):
    page.goto(f"{SEASON}?date=2024-04-05")
    wait_painted(page, "fused", "2024-04-05")
    page.keyboard.press("Shift+ArrowRight")
    wait_painted(page, "s2", "2024-04-10")
    assert shown_day(page, "fused") == "2024-04-10"


def test_the_slider_is_a_native_one_that_says_its_day(page: Page):
    page.goto(f"{SEASON}?date=2024-05-16")
    slider = page.get_by_role("slider", name="Date")
    expect(slider).to_have_attribute("aria-valuetext", "2024-05-16, Sentinel-2 1 days earlier")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    wait_painted(page, "fused", "2024-05-15")
    expect(slider).to_have_attribute("aria-valuetext", "2024-05-15, a Sentinel-2 scene")


def test_a_click_on_a_chart_chooses_its_day(page: Page):
    page.goto(f"{SEASON}?date=2024-04-05")
    wait_painted(page, "fused", "2024-04-05")
    plot = page.locator(".chart .u-over").first
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * (date(2024, 5, 20).timetuple().tm_yday - 1) / 365, "y": 40})
    wait_painted(page, "fused", "2024-05-20")


def test_a_day_that_is_none_is_not_taken(page: Page):
    page.goto(f"{SEASON}?date=2024-05-16")
    field = page.get_by_label("Day, as YYYY-MM-DD")
    field.fill("2024-02-31")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "date=2024-05-16" in page.url


def test_the_transition_dates_lead_to_their_day(page: Page):
    page.goto(f"{SEASON}?date=2024-04-05")
    page.get_by_role("button", name="Green-up 50 %: 2024-05-02").click()
    wait_painted(page, "fused", "2024-05-02")


# -- maps --------------------------------------------------------------------------------------------------------


def test_colours_do_not_depend_on_the_date(page: Page):
    """The river does not change, so its colour must not: the stretch is fixed."""
    page.goto(f"{SEASON}?date=2024-03-05")
    wait_painted(page, "fused", "2024-03-05")
    before = middle_colour(page, "fused", 0.663, 0.5)
    page.goto(f"{SEASON}?date=2024-06-10")
    wait_painted(page, "fused", "2024-06-10")
    assert middle_colour(page, "fused", 0.663, 0.5) == before


def test_missing_pixels_are_see_through(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s2", "2024-05-15")
    assert middle_colour(page, "s2", 0.03, 0.95)[3] == 0
    assert middle_colour(page, "fused", 0.03, 0.95)[3] == 255


def test_zooming_one_map_zooms_all_and_is_kept_in_the_address(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s3", "2024-05-14")
    before = middle_colour(page, "s2", 0.2, 0.2)
    box = page.locator(".panel[data-source='fused'] .map-box")
    box.focus()
    box.hover(position={"x": 300, "y": 60})
    page.mouse.wheel(0, -900)
    expect(page).to_have_url(re.compile("at="))
    assert middle_colour(page, "s2", 0.2, 0.2) != before
    kept = page.url
    page.keyboard.press("Tab")
    page.goto(kept)
    wait_painted(page, "s2", "2024-05-15")
    expect(page).to_have_url(kept)


def test_the_pointer_reads_all_three_maps(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s3", "2024-05-14")
    page.locator(".panel[data-source='fused'] .map-box").hover(position={"x": 120, "y": 90})
    for source in ("s2", "fused", "s3"):
        expect(page.locator(f".panel[data-source='{source}'] .readout")).to_contain_text(re.compile(r"GCC 0\.\d{3}"))


def test_a_click_draws_the_season_of_the_pixel_with_its_interval(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    page.locator(".panel[data-source='fused'] .map-box").click(position={"x": 120, "y": 90})
    card = page.locator(".pixel-card")
    expect(card).to_contain_text("from the pack")
    expect(page).to_have_url(re.compile(r"px=\d+,\d+"))
    expect(page.get_by_role("heading", name="GCC, chosen pixel")).to_be_visible()
    expect(page.locator(".legend").first).to_contain_text("Fused, 90 % band")
    card.get_by_role("button", name="Back to the site").click()
    expect(page.get_by_role("heading", name="GCC, site")).to_be_visible()


def test_enter_chooses_the_pixel_in_the_middle_of_a_map(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    page.locator(".panel[data-source='fused'] .map-box").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pixel-card")).to_contain_text("from the pack")


def test_swiping_shows_one_source_left_and_the_other_right(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15&view=swipe&a=s3&b=fused")
    wait_painted(page, "compare", "2024-05-14")
    line = page.get_by_role("slider", name="Line between A and B")
    line.fill("100")
    page.wait_for_timeout(100)
    left = middle_colour(page, "compare", 0.4, 0.4)
    line.fill("0")
    page.wait_for_timeout(100)
    assert middle_colour(page, "compare", 0.4, 0.4) != left


def test_blinking_alternates_and_can_be_stopped(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15&view=blink&a=s3&b=fused")
    for turn in ("a", "b", "a"):
        expect(page.locator(f".panel[data-blink='{turn}']")).to_be_visible()
    page.get_by_role("button", name="Stop blinking").click()
    page.get_by_role("button", name=re.compile("^Show [AB]$")).click()


def test_who_wants_no_motion_gets_none(browser: Browser, viewer: str):
    with strict_page(browser, viewer, reduced_motion="reduce") as page:
        page.goto(f"{SEASON}?date=2024-05-15&view=blink")
        expect(page.get_by_role("button", name="Show B")).to_be_visible()


def test_a_difference_comes_with_its_numbers(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15&view=difference&a=fused&b=fused&style=gcc")
    wait_painted(page, "difference", "2024-05-15")
    expect(page.locator(".panel[data-source='difference'] .readout")).to_contain_text("RMSE 0")
    page.get_by_role("button", name="Pin B to this day").click()
    page.locator("h2").first.click()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    wait_painted(page, "difference", "2024-05-25")
    expect(page.locator(".panel[data-source='difference'] .readout")).to_contain_text(re.compile(r"RMSE 0\.\d+"))
    expect(page).to_have_url(re.compile("bdate=2024-05-15"))


def test_quality_layers_are_styles_of_the_fused_map(page: Page):
    page.goto(f"{SEASON}?date=2024-05-16")
    page.get_by_role("combobox", name="Show").select_option("days_to_scene")
    wait_painted(page, "fused", "2024-05-16")
    page.locator(".panel[data-source='fused'] .map-box").hover(position={"x": 120, "y": 90})
    expect(page.locator(".panel[data-source='fused'] .readout")).to_have_text("Days to nearest clear scene 1")
    expect(page.locator(".panel[data-source='s2'] .style-name")).to_have_text("True colour")


def test_a_range_set_by_hand_holds_until_it_is_reset(page: Page):
    page.goto(f"{SEASON}?date=2024-05-16&style=gcc")
    wait_painted(page, "fused", "2024-05-16")
    before = middle_colour(page, "fused")
    field = page.get_by_label("Upper end of the colour range")
    field.fill("0.4")
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"range=0\.28,0\.4"))
    page.wait_for_timeout(100)
    assert middle_colour(page, "fused") != before
    page.get_by_role("button", name="Fit season").click()
    expect(page).not_to_have_url(re.compile(r"range=0\.28,0\.4"))


def test_index_then_blend_shows_gcc_and_says_why_there_is_no_more(page: Page):
    page.goto("/innsbruck/2024/aggressive_itb_sigma20?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    expect(page.locator(".panel[data-source='fused'] .style-name")).to_have_text("GCC")
    expect(page.get_by_text("Index-then-Blend fuses GCC itself: there is no NDVI.")).to_be_visible()


@pytest.mark.parametrize(
    ("stage", "sources"),
    [("raw", ["s2", "scl", "s3"]), ("prepared", ["s2", "distance", "s3"]), ("fusion", ["s2", "fused", "s3"])],
)
def test_every_stage_shows_its_products(page: Page, stage: str, sources: list[str]):
    page.goto(f"{SEASON}?date=2024-05-15&stage={stage}")
    for source in sources:
        wait_painted(page, source, "2024-05-14" if source == "s3" else "2024-05-15")
    expect(page.locator(".panel")).to_have_count(len(sources))


# -- the other pages ---------------------------------------------------------------------------------------------


def test_the_preselection_says_which_rule_excluded_a_scene(page: Page):
    page.goto(f"{SEASON}/preselection?date=2024-03-31")
    wait_painted(page, "raw", "2024-03-31")
    facts = page.locator(".screening .facts")
    expect(facts).to_contain_text("aggressiveexcluded: dark: mean blue below 0.01")
    page.get_by_role("combobox", name="Show scenes").select_option("differ")
    chips = page.locator(".chip")
    expect(chips.first).to_contain_text("low NDVI · kept")
    chips.first.click()
    expect(facts).to_contain_text("nonaggressivekept")


def test_metrics_show_every_field_of_the_contract(page: Page):
    page.goto(f"{SEASON}/metrics")
    table = page.get_by_role("table").filter(has_text="BtI").first
    for words in ("0.844", "0.972", "0.110", "312", "0.0042", "0.0110", "2024-12-31"):
        expect(table).to_contain_text(words)
    for caption in ("Camera, gcc_90", "Fused, Index-then-Blend", "Without fusion", "ΔNSE_PC, sigma 20 minus sigma 30"):
        expect(page.get_by_text(caption, exact=True)).to_be_visible()
    page.get_by_role("button", name="Read").first.click()
    expect(page.get_by_text("phenocam_stats", exact=True)).to_be_visible()


def test_a_gap_shows_what_was_withheld_and_what_was_fused(page: Page):
    link = viewer_url("", "innsbruck", 2024, "aggressive_sigma20", "gaps", gap="30_green_up", style="gcc")
    page.goto(link)
    for name in ("Withheld scene", "Fused with the gap", "Fused without the gap"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.locator(".panel[data-source='minus'] .readout")).to_contain_text("RMSE")
    expect(page.get_by_role("region", name="Spatial tier, gcc, best RMSE first")).to_contain_text("whittaker")
    page.get_by_role("button", name="90 d").click()
    expect(page).to_have_url(re.compile("gap=90_green_up"))
    expect(page.get_by_text("No pictures were kept for the 90-day gap.")).to_be_visible()


def test_phenology_gives_the_date_of_the_pixel_under_the_pointer(page: Page):
    page.goto(f"{SEASON}/phenology")
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
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="fused")).first
    for words in ("rising 50", "2024-05-05", "2024-05-01", "2024-05-10", "3"):
        expect(row).to_contain_text(words)
    row.get_by_role("button", name="2024-05-05").click()
    expect(page).to_have_url(re.compile("date=2024-05-05"))


def test_all_scenarios_are_drawn_against_the_camera(page: Page):
    page.goto(f"{SEASON}/metrics")
    legend = page.get_by_role("region", name="Fused GCC of all scenarios, and the camera").get_by_role("listitem")
    expect(legend).to_have_count(3)
    expect(page.get_by_role("heading", name="Residual, fused GCC minus gcc_90")).to_be_visible()


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
    assert below.getextrema()[0] < 128, "the caption is written below the pictures"


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
        f"{SEASON}?date=2024-05-16&{PIXEL}&bands=1",
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


@pytest.mark.parametrize("path", ["/", f"{SEASON}?date=2024-05-16", f"{SEASON}/metrics", f"{SEASON}/preselection"])
def test_a_phone_never_scrolls_sideways(browser: Browser, viewer: str, path: str):
    phone = {"width": 375, "height": 740}
    with strict_page(browser, viewer, viewport=phone, has_touch=True, is_mobile=True) as page:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= phone["width"]


def test_the_first_load_is_light(page: Page):
    """All bytes that the main page needs before anything is cached, but pictures of the site itself."""
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}))
    page.goto(f"{SEASON}?date=2024-05-16")
    wait_painted(page, "fused", "2024-05-16")
    code = {url: size for url, size in sizes.items() if "/_frame/" not in url and "/_files/" not in url}
    assert any(url.endswith(".js") for url in code)
    assert sum(code.values()) < 500_000
