"""The start and the explore page in Chromium, as a researcher uses them: by link, by key and by click."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from satfusion_assets.vocabulary.links import viewer_url
from satfusion_assets_tests.viewer.browser import (
    box_of,
    middle_colour,
    shown_day,
    strict_page,
    wait_painted,
)

pytestmark = pytest.mark.browser

SEASON = "/innsbruck/2024/aggressive_sigma20"
PIXEL = "px=675865,5220905"


# -- finding the way ---------------------------------------------------------------------------------------------


def test_the_start_page_shows_every_site_and_opens_a_season(page: Page):
    page.goto("/")
    for site in ("innsbruck", "forthgr", "pitsalu", "vindeln2", "sunflowerjerez1", "institutekarnobat", "southern"):
        expect(page.get_by_role("rowheader", name=re.compile(f"^{site}"))).to_be_visible()
    best = page.locator("td.best").first
    expect(best).to_contain_text("0.926")
    expect(best).to_contain_text("0.856–0.961")
    expect(page.get_by_text("satfusion materialize pitsalu 2024")).to_be_visible()
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


def greenness(page: Page) -> int:
    """How much more green than red the middle of the fused map is."""
    red, green, *_ = middle_colour(page, "fused")
    return green - red


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """A busy machine paints a moment after the day is said; what never comes true fails."""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(50)
    assert holds()


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
    wait_until(page, lambda: greenness(page) > bare[1] - bare[0] + 40)


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
    expect(page.locator(".chart").first).to_contain_text("Fused, 90 % band")
    width = box_of(page, ".chart .u-over")["width"]
    plot.click(position={"x": width * (date(2024, 5, 20).timetuple().tm_yday - 1) / 365, "y": 40})
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
    wait_painted(page, "fused", "2024-05-15")
    assert middle_colour(page, "fused", 0.03, 0.95)[3] == 255


def test_zooming_one_map_zooms_all_and_is_kept_in_the_address(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "s3", "2024-05-14")
    before = middle_colour(page, "s2", 0.2, 0.2)
    box = page.locator(".panel[data-source='fused'] .map-box")
    box.focus()
    box.hover(position={"x": 300, "y": 60})
    page.keyboard.down("Control")
    page.mouse.wheel(0, -900)
    page.keyboard.up("Control")
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


# -- hands on maps and curves ------------------------------------------------------------------------------------


def test_the_swipe_line_is_dragged_where_it_stands(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15&view=swipe")
    wait_painted(page, "compare", "2024-05-15")
    line, box = box_of(page, ".swipe-line"), box_of(page, ".map-box")
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, line["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.get_by_label("Line between A and B")).to_have_attribute("aria-valuetext", "25 % A")
    page.set_viewport_size({"width": 1300, "height": 900})  # the map rests anew, at a place that nobody chose
    page.wait_for_timeout(500)
    assert "at=" not in page.url


def test_the_wheel_scrolls_the_page_and_zooms_with_control(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    page.wait_for_function("() => document.documentElement.scrollHeight > innerHeight + 100")  # the curves have come
    page.locator(".panel[data-source='fused'] .map-box").hover()
    scale = page.locator(".scale").inner_text()
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => scrollY > 0")
    assert page.locator(".scale").inner_text() == scale
    page.locator(".panel[data-source='fused'] .map-box").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -600)
    page.keyboard.up("Control")
    expect(page.locator(".scale")).not_to_have_text(scale)


def test_arrows_change_the_day_after_a_click_on_a_map(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    page.locator(".panel[data-source='fused'] .map-box").click()
    expect(page).to_have_url(re.compile("px="))
    page.keyboard.press("ArrowRight")
    wait_painted(page, "fused", "2024-05-16")


def test_a_drag_over_a_curve_zooms_all_curves_and_stays_in_the_address(page: Page):
    page.goto(f"{SEASON}?date=2024-05-15")
    wait_painted(page, "fused", "2024-05-15")
    expect(
        page.locator(".chart").first.get_by_role("button", name="Sentinel-3")
    ).to_be_visible()  # the curves have come
    page.wait_for_load_state("networkidle")
    page.locator(".chart .u-over").first.scroll_into_view_if_needed()
    box = box_of(page, ".chart .u-over")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"date=2024-05-15.*span=2024-04-\d\d,2024-0[67]-\d\d"))
    expect(page.get_by_role("button", name="All days")).to_have_count(2)
    page.get_by_role("button", name="All days").first.click()
    expect(page).not_to_have_url(re.compile("span="))


def test_what_an_address_gets_wrong_is_said(page: Page):
    page.goto(f"{SEASON}?date=2024-02-30&view=swpie")
    notice = page.locator(".misread")
    expect(notice).to_contain_text("date=2024-02-30 is not a day")
    expect(notice).to_contain_text("view=swpie is not one of side, swipe, blink, difference")
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_have_count(0)


@pytest.mark.parametrize(
    "place", ["/", SEASON, *(f"{SEASON}/{one}" for one in ("preselection", "metrics", "gaps", "phenology"))]
)
def test_a_phone_needs_no_sideways_scroll(browser: Browser, viewer: str, place: str):
    with strict_page(browser, viewer, viewport={"width": 390, "height": 844}) as page:
        page.goto(place)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
