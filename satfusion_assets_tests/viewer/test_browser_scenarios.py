"""Two scenarios on one day in Chromium: values and standard deviations beside each other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from satfusion_assets_tests.viewer.browser import wait_painted

pytestmark = pytest.mark.browser

SEASON = "/innsbruck/2024/aggressive_sigma20"


def test_a_day_under_two_scenarios_stands_side_by_side_with_its_deviations(page: Page):
    page.goto("/innsbruck/2024/aggressive_itb_sigma20?date=2024-05-17")
    wait_painted(page, "fused", "2024-05-17")
    page.get_by_role("combobox", name="Beside").select_option("aggressive_sigma20")
    expect(page).to_have_url(re.compile("with=aggressive_sigma20"))
    page.goto(f"{SEASON}?date=2024-05-17&style=b8a&with=aggressive_itb_sigma20")
    for panel in ("a-value", "a-deviation"):
        wait_painted(page, panel, "2024-05-17")
    for panel in ("b-value", "b-deviation"):
        expect(page.locator(f".panel[data-source='{panel}']")).to_contain_text("fuses GCC alone")
    expect(page.locator(".legends")).to_contain_text("Near infrared B8A, reflectance")
    expect(page.locator(".legends")).to_contain_text("Standard deviation, nir, reflectance")
    expect(page.locator(".legends")).to_contain_text("no estimate")


def test_gcc_under_both_modes_stands_side_by_side(page: Page):
    page.goto(f"{SEASON}?date=2024-05-17&style=gcc&with=aggressive_itb_sigma20")
    for panel in ("a-value", "b-value", "b-deviation"):
        wait_painted(page, panel, "2024-05-17")
    expect(page.locator(".panel[data-source='a-deviation']")).to_contain_text("No deviation of this")


def test_a_scenario_without_products_says_that_it_has_no_estimate(page: Page):
    page.goto(f"{SEASON}?date=2024-05-17&style=b8a&with=aggressive_kriging")
    wait_painted(page, "a-deviation", "2024-05-17")
    expect(page.locator(".panel[data-source='b-value']")).to_contain_text("No estimate on this day.")
