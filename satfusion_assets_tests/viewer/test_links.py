"""Addresses: what Dagster emits, what the front end reads, where old addresses lead."""

from datetime import date

import pytest

from satfusion_assets.vocabulary.errors import InvalidInput
from satfusion_assets.vocabulary.links import redirect_of, viewer_url
from satfusion_assets.vocabulary.scenarios import SCENARIOS

BASE = "http://127.0.0.1:8050/"


def test_a_link_names_the_exact_view():
    url = viewer_url(
        BASE,
        "innsbruck",
        2024,
        SCENARIOS[0],
        "gaps",
        date(2024, 5, 2),
        style="gcc",
        view="difference",
        pixel=(675_865.2, 5_220_905.0),
        gap="30_green_up",
    )
    assert url == (
        "http://127.0.0.1:8050/innsbruck/2024/aggressive_sigma20/gaps"
        "?date=2024-05-02&style=gcc&view=difference&px=675865,5220905&gap=30_green_up"
    )


def test_the_start_of_a_season_needs_nothing_else():
    assert viewer_url(BASE, "ICOSFR-Fon1", 2023) == "http://127.0.0.1:8050/ICOSFR-Fon1/2023"


@pytest.mark.parametrize(("scenario", "page"), [("eager_sigma20", None), (None, "index.html")])
def test_a_link_that_would_lead_nowhere_is_refused(scenario, page):
    with pytest.raises(InvalidInput):
        viewer_url(BASE, "innsbruck", 2024, scenario, page)


@pytest.mark.parametrize(
    ("page", "query", "target"),
    [
        (
            "index.html",
            {"site": "innsbruck", "season": "2024", "date": "2024-05-17", "strategy": "nonaggressive", "sigma": "30"},
            "/innsbruck/2024/nonaggressive_sigma30?date=2024-05-17",
        ),
        (
            "postprocessed.html",
            {"site": "innsbruck", "season": "2024", "strategy": "aggressive", "sigma": "20", "mode": "ItB"},
            "/innsbruck/2024/aggressive_itb_sigma20?stage=processed",
        ),
        (
            "preselection.html",
            {"site": "pitsalu", "season": "2024", "exclusion": "aggressive"},
            "/pitsalu/2024/aggressive_sigma20/preselection",
        ),
        ("fusion.html", {"site": "pitsalu", "season": "2024", "date": "soon"}, "/pitsalu/2024?stage=fusion"),
        ("gap_validation.html", {"site": "pitsalu", "season": "2024"}, "/pitsalu/2024/gaps"),
        ("metrics.html", {"site": "//evil.example", "season": "2024"}, "/%2F%2Fevil.example/2024/metrics"),
        ("phenology.html", {}, "/"),
    ],
)
def test_an_address_of_the_thesis_viewer_leads_to_the_same_contents(page, query, target):
    assert redirect_of(page, query) == target
